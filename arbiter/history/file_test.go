package history

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

func TestFileHoldsWhatWasWritten(t *testing.T) {
	m, first := newMaker(3, 0)
	records := append(first, m.says(2500)...)
	again, second := newMaker(4, m.l.Sequence()-100) // the first one's end was lost
	records = append(append(records, second...), again.says(10)...)
	records = append(records, []byte("no record at all"), bytes.Repeat([]byte("x"), 3<<20))
	got, errs := readFile(t, export(t, records, len(records)))
	same(t, records, got)
	if errs != nil {
		t.Errorf("errors %v", errs)
	}
}

func TestHeader(t *testing.T) {
	m, _ := newMaker(3, 0)
	snap := m.l.Snapshot()
	records := m.says(5)
	want := header()
	want.Anonymized, want.Snapshot = true, snap
	path := filepath.Join(t.TempDir(), "history")
	w, err := Create(path, want)
	must(t, err)
	must(t, w.Write(records))
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there before it is complete: %v", err)
	}
	must(t, w.Close())
	f, err := OpenFile(path)
	must(t, err)
	defer f.Close()
	if diff := cmp.Diff(want, f.Header()); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(snap, f.Snapshot()); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
}

func TestAbandonedFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(filepath.Join(dir, "history"), header())
	must(t, err)
	must(t, w.Write(made(10)))
	must(t, w.Abandon())
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestNoHistory(t *testing.T) {
	for name, data := range map[string]string{"empty": "", "text": "This is a letter, and quite a long one.", "magic alone": magic[:5]} {
		path := filepath.Join(t.TempDir(), "file")
		writeBytes(t, path, []byte(data))
		if f, err := OpenFile(path); !errors.Is(err, ErrNoHistory) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

// Every flipped byte is reported, and costs at most one block.
func TestEveryFlippedByteIsReported(t *testing.T) {
	const block = 4
	records := made(4 * block)
	path := export(t, records, block)
	data, err := os.ReadFile(path)
	must(t, err)
	for at := range data {
		bad := bytes.Clone(data)
		bad[at] ^= 1 << (at % 8)
		writeBytes(t, path, bad)
		got, errs := readFile(t, path)
		if len(errs) == 0 {
			t.Fatalf("byte %d: nothing was reported", at)
		}
		if !isPart(records, got) || len(got) < len(records)-block {
			t.Fatalf("byte %d: %d of %d records left, %v", at, len(got), len(records), errs)
		}
	}
}

func TestEveryTruncationIsReported(t *testing.T) {
	const block = 4
	records := made(4 * block)
	path := export(t, records, block)
	data, err := os.ReadFile(path)
	must(t, err)
	for n := range data {
		writeBytes(t, path, data[:n])
		got, errs := readFile(t, path)
		if len(errs) == 0 || len(got)%block != 0 || !isPart(records, got) {
			t.Fatalf("cut at byte %d: %d records, %v", n, len(got), errs)
		}
	}
}

// A block that is removed, doubled or moved is reported, however whole it is itself.
func TestBlocksOutOfPlace(t *testing.T) {
	records := made(16)
	path := export(t, records, 4)
	data, err := os.ReadFile(path)
	must(t, err)
	var cuts []int
	for at := int64(len(magic)); at < int64(len(data)); {
		cuts = append(cuts, int(at))
		h, ok := parseHead(data[at:])
		if !ok {
			t.Fatal("no block")
		}
		at += h.size()
	}
	part := func(i int) []byte { return data[cuts[i]:cuts[i+1]] }
	for name, parts := range map[string][][]byte{
		"removed":   {data[:cuts[2]], data[cuts[3]:]},
		"doubled":   {data[:cuts[3]], part(2), data[cuts[3]:]},
		"moved":     {data[:cuts[2]], part(3), part(2), data[cuts[4]:]},
		"appended":  {data, part(2)},
		"no header": {data[:cuts[0]], data[cuts[1]:]},
		"cut":       {data[:cuts[4]]},
	} {
		writeBytes(t, path, bytes.Join(parts, nil))
		if _, errs := readFile(t, path); len(errs) == 0 {
			t.Errorf("%s: nothing was reported", name)
		}
	}
}

func TestDamageNamesTheRecords(t *testing.T) {
	records := made(12)
	path := export(t, records, 4)
	data, err := os.ReadFile(path)
	must(t, err)
	second, err := nextBlock(bytes.NewReader(data), 0, int64(len(data)))
	must(t, err)
	for range 2 {
		h, _ := parseHead(data[second:])
		second += h.size()
	}
	data[second+blockHead+3] ^= 1
	writeBytes(t, path, data)
	got, errs := readFile(t, path)
	h, _ := parseHead(data[second:])
	want := []error{&DamageError{Path: path, Offset: second, Length: h.size(), What: errContent.Error(), Incarnation: 7 << 56, First: 5, Count: 4}}
	if diff := cmp.Diff(want, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	same(t, append(records[:4:4], records[8:]...), got)
}

// Whatever stands in a file: nothing panics, nothing is read without end.
func TestAnyBytes(t *testing.T) {
	records := made(12)
	path := export(t, records, 4)
	data, err := os.ReadFile(path)
	must(t, err)
	rapid.Check(t, func(r *rapid.T) {
		bad := bytes.Clone(data)
		for range rapid.IntRange(1, 8).Draw(r, "edits") {
			at := rapid.IntRange(0, len(bad)-1).Draw(r, "at")
			junk := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(r, "junk")
			bad = append(append(bytes.Clone(bad[:at]), junk...), bad[min(len(bad), at+rapid.IntRange(0, 40).Draw(r, "cut")):]...)
			if len(bad) == 0 {
				bad = []byte{0}
			}
		}
		writeBytes(t, path, bad)
		got, errs := readFile(t, path)
		if !bytes.Equal(bad, data) && len(errs) == 0 || !isPart(records, got) {
			r.Fatalf("%d records, errors %v", len(got), errs)
		}
	})
}

// A head that is whole but lies about its content is no reason to allocate more than
// the limits say.
func TestLyingHeads(t *testing.T) {
	pack, err := newPacker()
	must(t, err)
	large := pack.pack(make([]byte, maxRaw+1))
	for name, h := range map[string]head{
		"more than it says": {kind: kindRecords, count: 1, raw: 10},
		"too much":          {kind: kindRecords, count: 1, raw: maxRaw},
		"beyond the limit":  {kind: kindRecords, count: 1, raw: maxRaw + 1},
		"too many records":  {kind: kindRecords, count: MaxRead + 1, raw: 10},
		"unknown kind":      {kind: 'X', raw: 10},
	} {
		h.index, h.stored, h.sum = 1, uint32(len(large)), checksum(large)
		data, err := os.ReadFile(export(t, nil, 1))
		must(t, err)
		path := filepath.Join(t.TempDir(), "history")
		end := blockHead + len(pack.pack(make([]byte, 8)))
		writeBytes(t, path, append(h.append(data[:len(data)-end]), large...))
		if got, errs := readFile(t, path); len(errs) == 0 || len(got) > 0 {
			t.Errorf("%s: %d records, errors %v", name, len(got), errs)
		}
	}
}

func TestRecordsOutOfOrderBeginBlocks(t *testing.T) {
	records := made(9)
	records[3], records[6] = records[6], records[3]
	got, errs := readFile(t, export(t, records, 100))
	same(t, records, got)
	if errs != nil {
		t.Errorf("errors %v", errs)
	}
}

// isPart reports whether the records are some of these, in their order.
func isPart(all, some [][]byte) bool {
	for _, r := range all {
		if len(some) > 0 && bytes.Equal(r, some[0]) {
			some = some[1:]
		}
	}
	return len(some) == 0
}

func TestPlaceIsThatOfTheRecord(t *testing.T) {
	for i, r := range made(30) {
		incarnation, sequence, err := events.PlaceRecord(r)
		if got := fmt.Sprint(incarnation, sequence, err); got != fmt.Sprint(uint64(7<<56), i+1, nil) {
			t.Errorf("record %d: %s", i+1, got)
		}
	}
}
