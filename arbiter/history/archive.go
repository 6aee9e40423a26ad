package history

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/conncord/conncord/events"
)

// An Archive is a source that reads the segments of a directory, one after the other.
// It may be read while an archiver writes to it; Read then returns [io.EOF] at the
// end of what there is, and can be called again.
type Archive struct {
	dir    string
	header Header // of the first segment
	read   bool   // Read was called

	damaged []error // segments that cannot be read, before the first one that can; to be returned by Read
	file    *File   // nil: the next segment is to be opened
	now     segment // that is read, or was

	// The place of the last record read.
	incarnation, sequence uint64
	begun                 bool
	held                  [][]byte // to be returned after a gap
}

var _ Source = (*Archive)(nil)

// OpenArchive opens an archive. What is wrong with it, Read says. The error is
// [ErrNoHistory] when the directory holds no archive.
func OpenArchive(dir string) (*Archive, error) {
	segments, err := listSegments(dir)
	if err != nil {
		return nil, err
	}
	if len(segments) == 0 {
		return nil, fmt.Errorf("open the archive: %s: %w: it holds no segment", dir, ErrNoHistory)
	}
	a := &Archive{dir: dir}
	err = a.next()
	for Skippable(err) {
		a.damaged = append(a.damaged, err)
		err = a.next()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if a.file != nil {
		a.header = a.file.Header()
	}
	return a, nil
}

// Header returns what the first segment that can be read says about itself.
func (a *Archive) Header() Header { return a.header }

// Snapshot implements [Source].
func (a *Archive) Snapshot() *events.Snapshot {
	if a.read || len(a.damaged) > 0 {
		return nil
	}
	return a.header.Snapshot
}

// Read implements [Source]. The error is io.EOF, or a [*DamageError] or [*GapError]
// after which it goes on, or one of the file system.
func (a *Archive) Read(ctx context.Context) ([][]byte, error) {
	a.read = true
	if len(a.damaged) > 0 {
		err := a.damaged[0]
		a.damaged = a.damaged[1:]
		return nil, err
	}
	for {
		if records := a.held; records != nil {
			a.held = nil
			return records, nil
		}
		if a.file == nil {
			if err := a.next(); err != nil {
				return nil, err
			}
		}
		records, err := a.file.Read(ctx)
		if err == nil {
			return a.take(records)
		}
		if !errors.Is(err, io.EOF) {
			a.begun = false // what is missing then is said already
			return nil, err
		}
		if !a.file.ended { // it was the last segment; if it still is, there is no more
			last, err := a.last()
			if err != nil {
				return nil, err
			}
			if last {
				return nil, io.EOF
			}
			a.file.open = false
			continue
		}
		a.file.Close()
		a.file = nil
	}
}

// take checks that records continue what was read before.
func (a *Archive) take(records [][]byte) ([][]byte, error) {
	incarnation, sequence, err := events.PlaceRecord(records[0])
	if err == nil && a.begun && (sequence > a.sequence+1 || incarnation != a.incarnation && !begins(records[0])) {
		a.held = records
	}
	gap := &GapError{After: a.sequence, Next: sequence, Incarnation: incarnation}
	if incarnation, sequence, err = events.PlaceRecord(records[len(records)-1]); err == nil {
		a.incarnation, a.sequence, a.begun = incarnation, sequence, true
	}
	if a.held != nil {
		return nil, gap
	}
	return records, nil
}

// last reports whether the segment that is read is the last one.
func (a *Archive) last() (bool, error) {
	segments, err := listSegments(a.dir)
	if err != nil {
		return false, err
	}
	return len(segments) == 0 || segments[len(segments)-1].path == a.now.path, nil
}

// next opens the segment after the one read last.
func (a *Archive) next() error {
	segments, err := listSegments(a.dir)
	if err != nil {
		return err
	}
	for i, s := range segments {
		if s.path <= a.now.path {
			continue
		}
		last := i == len(segments)-1
		file, err := openFile(s.path, last)
		if last && errors.Is(err, errTorn) {
			return io.EOF // it has just begun
		}
		if errors.Is(err, ErrNoHistory) {
			a.now = s
			return &DamageError{Path: s.path, What: "it does not hold anything that can be read"}
		}
		if err != nil {
			return err
		}
		a.file, a.now = file, s
		return nil
	}
	return io.EOF
}

// Progress returns how many bytes were read, and how many there are.
func (a *Archive) Progress() (read, size int64) {
	segments, err := listSegments(a.dir)
	if err != nil {
		return 0, 0
	}
	for _, s := range segments {
		all, err := sizeOf(s.path)
		if err != nil {
			continue // it was removed meanwhile
		}
		size += all
		switch {
		case s.path == a.now.path && a.file != nil:
			read += a.file.offset
		case s.path <= a.now.path:
			read += all
		}
	}
	return read, size
}

// Close implements [Source].
func (a *Archive) Close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}
