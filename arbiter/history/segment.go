package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// An archive is a directory of segments. A segment is a file like an export, named
// for the place of its first record: the number of its incarnation in the archive,
// from 1, and the sequence. So the order of the names is the order of the history.
// Every segment but the last has an end.

// segmentEnd is how the name of a segment ends.
const segmentEnd = ".segment"

// A segment is one of an archive's files, by its name.
type segment struct {
	path  string
	order uint64 // of its incarnation
	first uint64 // sequence of its first record
}

func segmentPath(dir string, order, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%06d-%020d%s", order, first, segmentEnd))
}

// listSegments returns the segments in the directory, in the order of the history.
func listSegments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the archive: %s: %w: there is no such directory", dir, ErrNoHistory)
	}
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	var segments []segment
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentEnd)
		if !ok {
			continue // the lock, and what others keep here
		}
		order, first, _ := strings.Cut(name, "-")
		s := segment{path: filepath.Join(dir, e.Name())}
		var err1, err2 error
		s.order, err1 = strconv.ParseUint(order, 10, 64)
		s.first, err2 = strconv.ParseUint(first, 10, 64)
		if err := errors.Join(err1, err2); err != nil || s.path != segmentPath(dir, s.order, s.first) {
			return nil, fmt.Errorf("open the archive: %s does not have the name of a segment: move it elsewhere", s.path)
		}
		segments = append(segments, s)
	}
	return segments, nil
}
