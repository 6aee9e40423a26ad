package replay

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// TestRecorded proves every recorded history, so that no change of the rules decides
// anew about what was decided, and shows it in every way there is.
func TestRecorded(t *testing.T) {
	t.Parallel()
	for _, path := range recorded(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			all, _ := records(t, path)
			report := value[audit.Report](t, "verify", "--from", path)
			if !report.Proved() || report.Records != uint64(len(all)) {
				t.Errorf("%d records: %v", len(all), &report)
			}
			var csv []string
			for _, line := range strings.Split(must(t, "timeline", "--csv", "--from", path), "\n")[1:] {
				csv = append(csv, strings.Split(line, ",")...)
			}
			if len(csv) < 100 {
				t.Errorf("the timeline has %d values", len(csv))
			}
			for form, want := range map[string]string{"--svg": "<svg", "--html": "<!doctype html>"} {
				if out := must(t, "timeline", form, "--from", path); !strings.Contains(strings.ToLower(out), want) {
					t.Errorf("timeline %s: %.80s", form, out)
				}
			}
			last, err := events.DecodeRecord(all[len(all)-1])
			if err != nil {
				t.Fatal(err)
			}
			if s := value[status.Status](t, "status", "--from", path); s.TotalAllocated != last.Charged || s.Sequence != last.Sequence {
				t.Errorf("at the end %d are charged, in the status %d", last.Charged, s.TotalAllocated)
			}
			out := value[audit.Outcome](t, "whatif", "--limit=60", "--from", path)
			if out.Records == 0 {
				t.Error("what if is about no record")
			}
			if lines := strings.Count(must(t, "tail", "-n", "100000", "--from", path), "\n"); lines != len(all) {
				t.Errorf("tail prints %d lines for %d records", lines, len(all))
			}
		})
	}
}

// TestStatusAtAnyRecord goes to a hundred places of the recorded histories.
func TestStatusAtAnyRecord(t *testing.T) {
	t.Parallel()
	for _, path := range recorded(t) {
		all, _ := records(t, path)
		rng := rand.New(rand.NewPCG(1, 1))
		seen := map[uint64]bool{} // a sequence that Redis lost comes again
		var firsts []*events.Record
		for _, data := range all {
			rec, err := events.DecodeRecord(data)
			if err != nil {
				t.Fatal(err)
			}
			if !seen[rec.Sequence] {
				seen[rec.Sequence] = true
				firsts = append(firsts, rec)
			}
		}
		for range 34 {
			rec := firsts[rng.IntN(len(firsts))]
			s := value[status.Status](t, "status", "--from", path, "--at", fmt.Sprint(rec.Sequence))
			if s.TotalAllocated != rec.Charged || s.Sequence != rec.Sequence || s.Epoch != rec.Epoch {
				t.Fatalf("%s at %d: %d are charged in epoch %d, the status says %d in %d", path, rec.Sequence, rec.Charged, rec.Epoch, s.TotalAllocated, s.Epoch)
			}
		}
	}
}

// TestFlips changes one bit at random places of a recorded history: each must be
// noticed.
func TestFlips(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile("testdata/recorded/demo.history")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "flipped.history")
	rng := rand.New(rand.NewPCG(2, 2))
	for range flips {
		at, bit := rng.IntN(len(good)), byte(1)<<rng.IntN(8)
		bad := append([]byte(nil), good...)
		bad[at] ^= bit
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		exit, stdout, stderr := run(t, "verify", "--from", path)
		if exit == ExitOK || exit == ExitUsage || stdout+stderr == "" {
			t.Fatalf("byte %d with %#x: exit status %d\n%s%s", at, bit, exit, stdout, stderr)
		}
	}
}

// TestProgressOfFiles: at the end all of a file, or of an archive, was read.
func TestProgressOfFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "archive")
	must(t, "import", "testdata/recorded/chaos.history", dir)
	for _, from := range []string{"testdata/recorded/chaos.history", dir} {
		r := &replay{options: &options{From: from}}
		p, err := r.where(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := p.Source.(measured)
		at, size := m.Progress()
		if size == 0 || at > size/2 {
			t.Errorf("%s: %d of %d bytes were read before anything was", from, at, size)
		}
		if report, err := audit.Verify(t.Context(), p); err != nil || !report.Proved() {
			t.Errorf("%s: %v, %v", from, &report, err)
		}
		if at, size := m.Progress(); at != size {
			t.Errorf("%s: %d of %d bytes were read at the end", from, at, size)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDamage: a part of an archive that cannot be read is named, and the rest is still
// read, proved and shown.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "archive")
	must(t, "import", "testdata/recorded/chaos.history", dir)
	segments, err := filepath.Glob(filepath.Join(dir, "*.segment"))
	if err != nil || len(segments) < 4 {
		t.Fatal(segments, err)
	}
	spoiled := segments[1]
	data, err := os.ReadFile(spoiled)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(spoiled, data, 0o600); err != nil {
		t.Fatal(err)
	}
	all, _ := records(t, "testdata/recorded/chaos.history")
	exit, stdout, _ := run(t, "verify", "--json", "--from", dir)
	var report audit.Report
	decodeJSON(t, stdout, &report)
	if exit != ExitDivergence || len(report.Damages) == 0 || !strings.Contains(report.Damages[0], spoiled) || len(report.Divergences) > 0 {
		t.Errorf("exit status %d, %d damages, %d divergences: %v", exit, len(report.Damages), len(report.Divergences), report.Damages)
	}
	if lost := uint64(len(all)) - report.Records; lost == 0 || lost > 300 || report.Rederived != report.Records {
		t.Errorf("%d records are lost, and %d of %d derived", lost, report.Rederived, report.Records)
	}
	last := decode(all[len(all)-1])
	if s := value[status.Status](t, "status", "--from", dir); s.Sequence != last.Sequence || s.TotalAllocated != last.Charged {
		t.Errorf("at the end: %d at %d", s.TotalAllocated, s.Sequence)
	}
	copied := filepath.Join(t.TempDir(), "copy.history")
	if exit, stdout, stderr := run(t, "export", "--from", dir, copied); exit != ExitOK || !strings.Contains(stdout, "1 part could not be read") || !strings.Contains(stderr, spoiled) {
		t.Errorf("export: exit status %d\n%s%s", exit, stdout, stderr)
	}
}
