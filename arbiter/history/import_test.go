package history

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// file writes records to a file and returns its path.
func file(t *testing.T, records [][]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.history")
	w, err := Create(path, Header{Budget: "b", Exported: time.Now()})
	must(t, err)
	must(t, w.Write(records))
	must(t, w.Close())
	return path
}

// TestImport: what an archive has is left out, and what does not continue it, or has a
// hole, is not taken at all.
func TestImport(t *testing.T) {
	m, first := newMaker(7, 0)
	all := append(first, m.says(60)...)
	other, begun := newMaker(8, 40) // Redis lost what was behind 40
	next := append(begun, other.says(20)...)
	log := slog.New(slog.DiscardHandler)
	dir := filepath.Join(t.TempDir(), "archive")
	for _, step := range []struct {
		name    string
		records [][]byte
		want    uint64
		fails   bool
	}{
		{"the beginning", all[:30], 30, false},
		{"the same again", all[:30], 0, false},
		{"more than it has", all[:50], 20, false},
		{"with a hole", append(append([][]byte{}, all[:52]...), all[55:]...), 0, true},
		{"behind a gap", all[55:], 0, true},
		{"a new incarnation", append(append([][]byte{}, all[:40]...), next...), uint64(len(next)), false},
		{"that again", next, 0, false},
	} {
		n, err := Import(t.Context(), dir, file(t, step.records), log)
		if n != step.want || (err != nil) != step.fails {
			t.Errorf("%s: %d records, %v", step.name, n, err)
		}
	}
	a, err := OpenArchive(dir)
	must(t, err)
	defer a.Close()
	got, errs := drain(t, a)
	if len(errs) > 0 {
		t.Errorf("errors %v", errs)
	}
	same(t, append(append([][]byte{}, all[:50]...), next...), got)
}

// TestFirstSegmentIsUnreadable: the rest of the archive is still read.
func TestFirstSegmentIsUnreadable(t *testing.T) {
	m, first := newMaker(7, 0)
	all := append(first, m.says(20)...)
	other, begun := newMaker(8, 10)
	next := append(begun, other.says(5)...)
	dir := filepath.Join(t.TempDir(), "archive")
	_, err := Import(t.Context(), dir, file(t, append(append([][]byte{}, all...), next...)), nil)
	must(t, err)
	segments, err := listSegments(dir)
	must(t, err)
	must(t, os.Truncate(segments[0].path, 0))
	a, err := OpenArchive(dir)
	must(t, err)
	defer a.Close()
	got, errs := drain(t, a)
	var damage *DamageError
	if len(errs) != 1 || !errors.As(errs[0], &damage) || a.Header().Budget != "b" {
		t.Errorf("errors %v, header %+v", errs, a.Header())
	}
	same(t, next, got)
}

// TestCatchUpSeesANewIncarnation: also when that ends before the place that the archive
// was read to.
func TestCatchUpSeesANewIncarnation(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	s.add(50)
	dir := t.TempDir()
	catchUp := func() (incarnation, sequence uint64) {
		t.Helper()
		a, err := OpenArchiver(t.Context(), dir, s.url, "b", small)
		must(t, err)
		must(t, a.CatchUp(t.Context()))
		incarnation, sequence = a.Place()
		must(t, a.Close())
		return incarnation, sequence
	}
	if _, at := catchUp(); at != 53 {
		t.Fatalf("archived up to %d", at)
	}
	s.tell("FLUSHALL")
	s.begin(9)
	s.add(10)
	if of, at := catchUp(); of != 9 || at != 13 {
		t.Errorf("archived up to %d of %d", at, of)
	}
	if of, at, ok, err := s.log.Archived(t.Context()); of != 9 || at != 13 || !ok || err != nil {
		t.Errorf("noted up to %d of %d, %v, %v", at, of, ok, err)
	}
}

// TestResumedArchiverClaims: nothing may be trimmed before it is known what it lacks.
func TestResumedArchiverClaims(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	s.add(50)
	dir := t.TempDir()
	must(t, s.archive(dir).Close())
	must(t, s.log.ForgetArchive(t.Context()))
	a, err := OpenArchiver(t.Context(), dir, s.url, "b", small)
	must(t, err)
	defer a.Close()
	if of, at, ok, err := s.log.Archived(t.Context()); of != 3 || at != 53 || !ok || err != nil {
		t.Errorf("noted up to %d of %d, %v, %v", at, of, ok, err)
	}
}
