package history

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// archive has an archiver take all that there is. It is stopped, but not closed.
func (s *scene) archive(dir string) *Archiver {
	s.Helper()
	a, err := OpenArchiver(context.Background(), dir, s.url, "b", small)
	must(s, err)
	must(s, s.catchUp(a))
	return a
}

// catchUp lets the archiver run until it has come to the end of the history.
func (s *scene) catchUp(a *Archiver) error {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		if err := a.step(ctx); err != nil {
			return err
		}
		if a.Place(); a.told.sequence == s.standing.Sequence && a.told.incarnation == s.standing.Incarnation {
			return nil
		}
		if ctx.Err() != nil {
			s.Fatalf("the archiver stands at %v, the history at %d", a.end.place(), s.standing.Sequence)
		}
	}
}

func readArchive(t testing.TB, dir string) ([][]byte, []error) {
	t.Helper()
	src, err := OpenArchive(dir)
	if errors.Is(err, ErrNoHistory) {
		return nil, nil
	}
	must(t, err)
	defer src.Close()
	return drain(t, src)
}

func TestArchiveHoldsTheHistory(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	dir := filepath.Join(t.TempDir(), "archive")
	a, err := OpenArchiver(t.Context(), dir, s.url, "b", small)
	must(t, err)
	if _, at, ok, err := s.log.Archived(t.Context()); at != 0 || !ok || err != nil {
		t.Errorf("nothing is archived yet, and Redis knows %d %v %v", at, ok, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	s.add(1500)
	s.tell("HSET", s.keys.Head, "life", "another")
	s.begin(4)
	s.add(300)
	for deadline := time.Now().Add(20 * time.Second); ; {
		incarnation, at, _, err := s.log.Archived(t.Context())
		must(t, err)
		if incarnation == 4 && at == s.standing.Sequence {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("archived up to %d", at)
		}
	}
	got, errs := readArchive(t, dir) // while the archiver runs
	same(t, s.all, got)
	if len(errs) > 0 {
		t.Errorf("errors %v", errs)
	}
	if _, err := OpenArchiver(t.Context(), dir, s.url, "b", small); !errors.Is(err, ErrLocked) {
		t.Errorf("a second archiver: %v", err)
	}
	stop()
	must(t, <-done)
	must(t, a.Close())
	if _, err := OpenArchiver(t.Context(), dir, s.url, "other", small); err == nil || !strings.Contains(err.Error(), "budget b") {
		t.Errorf("another budget's archiver: %v", err)
	}
}

func TestArchiveIsReadOn(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	dir := t.TempDir()
	must(t, s.archive(dir).Close())
	src, err := OpenArchive(dir)
	must(t, err)
	defer src.Close()
	got, _ := drain(t, src)
	for range 4 {
		s.add(150)
		must(t, s.archive(dir).Close())
		more, errs := drain(t, src)
		got = append(got, more...)
		same(t, s.all, got)
		if len(errs) > 0 {
			t.Errorf("errors %v", errs)
		}
	}
}

// An archive that begins with a trimmed history holds the snapshot.
func TestArchiveBeginsAtTheSnapshot(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	s.add(200)
	snap := s.l.Snapshot()
	must(t, s.log.SaveSnapshot(t.Context(), s.standing, snap))
	s.add(100)
	s.trim(100)
	dir := t.TempDir()
	must(t, s.archive(dir).Close())
	src, err := OpenArchive(dir)
	must(t, err)
	defer src.Close()
	if diff := cmp.Diff(snap, src.Snapshot()); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
	got, _ := drain(t, src)
	same(t, s.all[snap.Sequence:], got)
}

// Wherever a write was cut off, the archiver finds the last whole block and goes on
// behind it: the archive then equals the history.
func TestArchiveTornAnywhere(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	dir := t.TempDir()
	a := s.archive(dir)
	for range 3 {
		s.add(2)
		must(t, s.catchUp(a))
	}
	must(t, a.Close())
	segments, err := listSegments(dir)
	must(t, err)
	path := segments[len(segments)-1].path
	data, err := os.ReadFile(path)
	must(t, err)
	whole := first(readArchive(t, dir))
	same(t, s.all, whole)
	for n := range len(data) {
		writeBytes(t, path, data[:n])
		e, err := repair(dir)
		must(t, err)
		got, errs := readArchive(t, dir)
		same(t, s.all[:len(got)], got)
		if len(errs) > 0 || e.records != uint64(len(got)) {
			t.Fatalf("cut at byte %d: %d records, the end says %d, errors %v", n, len(got), e.records, errs)
		}
		if n%250 != 0 {
			continue
		}
		must(t, s.archive(dir).Close())
		got, errs = readArchive(t, dir)
		same(t, s.all, got)
		if len(errs) > 0 {
			t.Fatalf("cut at byte %d: errors %v", n, errs)
		}
	}
}

// Damage before the end is named, never removed, and the archive goes on.
func TestArchiveKeepsDamage(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	dir := t.TempDir()
	a := s.archive(dir)
	for range 3 {
		s.add(2)
		must(t, s.catchUp(a))
	}
	must(t, a.Close())
	segments, err := listSegments(dir)
	must(t, err)
	path := segments[0].path
	data, err := os.ReadFile(path)
	must(t, err)
	size := int64(len(data))
	at, err := nextBlock(bytes.NewReader(data), blockHead, size)
	must(t, err)
	h, _ := parseHead(data[at:])
	for _, flip := range []int64{at + 9, at + blockHead + 1} {
		bad := bytes.Clone(data)
		bad[flip] ^= 4
		writeBytes(t, path, bad)
		s.add(1)
		must(t, s.archive(dir).Close())
		now, err := os.ReadFile(path)
		must(t, err)
		if !bytes.HasPrefix(now, bad) {
			t.Fatal("what was damaged was changed")
		}
		got, errs := readArchive(t, dir)
		if len(errs) == 0 || len(got) != len(s.all)-int(h.count) && len(got) != len(s.all)-int(h.count)-1 {
			t.Errorf("%d of %d records, errors %v", len(got), len(s.all), errs)
		}
	}
}

func TestArchiverRefusesAnotherHistory(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(*scene)
		want any
	}{
		"another hash": {func(s *scene) {
			s.tell("FLUSHALL")
			s.begin(3)
			s.n = 100 // it says something else than the first time
			s.add(40)
		}, new(*ForkError)},
		"trimmed": {func(s *scene) { s.add(20); s.trim(s.standing.Sequence - 2) }, new(*GapError)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.begin(3)
			s.add(10)
			dir := t.TempDir()
			must(t, s.archive(dir).Close())
			c.harm(s)
			before := first(readArchive(t, dir))
			a, err := OpenArchiver(t.Context(), dir, s.url, "b", small)
			must(t, err)
			defer a.Close()
			if err := s.catchUp(a); !errors.As(err, c.want) {
				t.Errorf("the error is %v", err)
			}
			same(t, before, first(readArchive(t, dir)))
		})
	}
}

// A disk that is full leaves nothing half-written; with room again, the next archiver
// goes on.
func TestArchiverOnAFullDisk(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	dir := t.TempDir()
	a := s.archive(dir)
	before, err := os.ReadFile(a.end.segment.path)
	must(t, err)
	s.add(50)
	a.to.to = &fullDisk{a.file, 100}
	if err := s.catchUp(a); !errors.Is(err, errFull) {
		t.Fatalf("the error is %v", err)
	}
	after, err := os.ReadFile(a.end.segment.path)
	must(t, err)
	must(t, a.Close())
	if !bytes.Equal(before, after) {
		t.Error("something was left half-written")
	}
	must(t, s.archive(dir).Close())
	same(t, s.all, first(readArchive(t, dir)))
}

var errFull = errors.New("no space left on device")

// A fullDisk has room for so many bytes.
type fullDisk struct {
	to   io.Writer
	room int
}

func (d *fullDisk) Write(b []byte) (int, error) {
	n, err := d.to.Write(b[:min(len(b), d.room)])
	d.room -= n
	if err == nil && n < len(b) {
		err = errFull
	}
	return n, err
}
