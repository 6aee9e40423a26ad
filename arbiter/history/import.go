package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/conncord/conncord/events"
)

// Import adds the records of an exported file to an archive, which it begins or
// continues; what the archive has already is left out. It returns how many records it
// added. A file with a part that cannot be read, or is missing, is not imported at
// all. The errors are those of [OpenArchiver] and [Archiver.Run], but for the live
// history's: the file stands in its place.
func Import(ctx context.Context, dir, path string, log *slog.Logger) (records uint64, err error) {
	from, err := OpenFile(path)
	if err != nil {
		return 0, err
	}
	defer from.Close()
	a := &Archiver{ArchiverOptions: ArchiverOptions{Logger: log}.withDefaults(), dir: dir, budget: from.Header().Budget, before: from.Snapshot()}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := a.openEnd(); err != nil {
		return 0, err
	}
	holds, err := has(ctx, path, a.end.incarnation)
	if err != nil {
		return 0, fmt.Errorf("import %s: %w", path, err)
	}
	a.linked = a.end.records == 0
	known := skipper{end: a.end.place(), done: !holds}
	for {
		batch, err := from.Read(ctx)
		if errors.Is(err, io.EOF) {
			return records, a.flush()
		}
		if err != nil {
			return records, errors.Join(err, a.flush())
		}
		batch = known.skip(batch)
		if err := a.take(batch); err != nil {
			return records, err
		}
		records += uint64(len(batch))
	}
}

// has reads a file to its end, and reports whether it has records of an
// incarnation. The error says what cannot be read, or is missing.
func has(ctx context.Context, path string, incarnation uint64) (found bool, err error) {
	f, err := OpenFile(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var last place
	for {
		batch, err := f.Read(ctx)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return false, err
		}
		for _, data := range batch {
			is, at, err := events.PlaceRecord(data)
			if err != nil {
				is, at = last.incarnation, last.sequence+1 // no record, but it stood in the history
			}
			if last != (place{}) && (is != last.incarnation || at != last.sequence+1) && !begins(data) {
				return false, &GapError{After: last.sequence, Next: at, Incarnation: is}
			}
			last = place{is, at}
			found = found || is == incarnation
		}
	}
}

// A skipper leaves out what an archive has.
type skipper struct {
	end  place
	here bool // among the records of the end's incarnation
	done bool
}

// skip returns the records of a batch that the archive does not have.
func (s *skipper) skip(batch [][]byte) [][]byte {
	for i, data := range batch {
		if s.done {
			return batch[i:]
		}
		incarnation, sequence, err := events.PlaceRecord(data)
		if err != nil {
			continue
		}
		was := s.here
		s.here = incarnation == s.end.incarnation
		if s.done = was && !s.here || s.here && sequence > s.end.sequence; s.done {
			return batch[i:]
		}
		s.done = s.here && sequence == s.end.sequence
	}
	return nil
}

// Archived returns the newest record that an archive has, and false when it has none,
// or is not there. It changes nothing.
func Archived(dir string) (incarnation, sequence uint64, found bool, err error) {
	segments, err := listSegments(dir)
	if errors.Is(err, ErrNoHistory) {
		return 0, 0, false, nil
	}
	if err != nil {
		return 0, 0, false, err
	}
	for _, s := range slices.Backward(segments) {
		e, err := inspect(s)
		if err != nil || e.records > 0 {
			return e.incarnation, e.sequence, err == nil, err
		}
	}
	return 0, 0, false, nil
}
