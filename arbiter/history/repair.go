package history

import (
	"errors"
	"fmt"
	"os"

	"github.com/conncord/conncord/events"
)

// An end is where an archive ends: what an archiver goes on from.
type end struct {
	segment     segment // the last one that has records; its path is empty when none has
	order       uint64  // of the last incarnation
	incarnation uint64
	sequence    uint64
	hash        events.Hash // of the last record

	index    uint32 // of the next block in the segment
	offset   int64  // where it goes
	records  uint64 // in the segment
	complete bool   // the segment has its end
	budget   string // empty when the header is damaged

	cut     int64          // bytes that were cut off as torn
	damaged []*DamageError // elsewhere in the segment; nothing was changed there
}

func (e *end) place() place { return place{e.incarnation, e.sequence} }

// mostBegun bounds what a segment can have in which no block of records is whole: the
// magic, a header, and a block. A larger one was not torn but damaged.
const mostBegun = int64(len(magic)) + 2*(blockHead+maxStored)

// repair finds the end of an archive and cuts back what a write under way left behind
// it, when the archiver or the machine died. Only the end of the last segment can be
// torn: whatever is wrong before a whole block is damage, and stays as it is.
func repair(dir string) (e end, err error) {
	segments, err := listSegments(dir)
	if err != nil {
		return e, err
	}
	for removed := false; len(segments) > 0; removed = true {
		s := segments[len(segments)-1]
		if e, err = inspect(s); err != nil {
			return e, err
		}
		if e.records > 0 {
			return e, e.settle()
		}
		size, err := sizeOf(s.path)
		if err != nil {
			return e, err
		}
		if removed || size > mostBegun {
			return e, &DamageError{Path: s.path, Length: size, What: "no record in it can be read, so that the end of the archive is not known; move it elsewhere and begin a new archive"}
		}
		// It had only just been begun.
		if err := os.Remove(s.path); err != nil {
			return e, fmt.Errorf("repair the archive: %w", err)
		}
		if err := syncDir(dir); err != nil {
			return e, err
		}
		segments = segments[:len(segments)-1]
	}
	return end{}, nil
}

// inspect walks over the blocks of a segment.
func inspect(s segment) (e end, err error) {
	e = end{segment: s, order: s.order, offset: int64(len(magic))}
	file, err := os.Open(s.path)
	if err != nil {
		return e, fmt.Errorf("open the archive: %w", err)
	}
	defer file.Close()
	unpack, err := newUnpacker()
	if err != nil {
		return e, err
	}
	defer unpack.close()
	size, err := sizeOf(s.path)
	if err != nil {
		return e, err
	}
	var last struct {
		head
		at int64
	}
	var buf []byte
	for at := e.offset; at < size; {
		h, stored, err := load(file, at, size, buf)
		if cap(stored) > cap(buf) {
			buf = stored
		}
		if err != nil && !errors.Is(err, errTorn) && !errors.Is(err, errHead) && !errors.Is(err, errContent) {
			return e, fmt.Errorf("%s: %w", s.path, err)
		}
		if err != nil {
			next, failed := nextBlock(file, at+1, size)
			if failed != nil {
				return e, fmt.Errorf("%s: %w", s.path, failed)
			}
			e.damaged = append(e.damaged, &DamageError{Path: s.path, Offset: at, Length: next - at, What: err.Error()})
			at = next
			continue
		}
		at += h.size()
		e.offset, e.index = at, h.index+1
		switch h.kind {
		case kindHeader:
			if raw, err := unpack.unpack(h, stored); err == nil {
				header, _ := decodeHeader(raw)
				e.budget = header.Budget
			}
		case kindRecords:
			e.records += uint64(h.count)
			last.head, last.at = h, at-h.size()
		case kindEnd:
			e.complete = true
		}
	}
	for len(e.damaged) > 0 && e.damaged[len(e.damaged)-1].Offset >= e.offset {
		e.damaged = e.damaged[:len(e.damaged)-1] // not damaged but torn
	}
	e.cut = size - e.offset
	if e.records == 0 {
		return e, nil
	}
	_, stored, err := load(file, last.at, size, buf)
	if err != nil {
		return e, fmt.Errorf("%s: %w", s.path, err)
	}
	raw, err := unpack.unpack(last.head, stored)
	if err != nil {
		return e, &DamageError{Path: s.path, Offset: last.at, Length: last.size(), What: err.Error()}
	}
	records, err := splitRecords(raw, int(last.count))
	if err != nil {
		return e, &DamageError{Path: s.path, Offset: last.at, Length: last.size(), What: err.Error()}
	}
	e.incarnation, e.sequence = last.incarnation, last.first+uint64(last.count)-1
	if rec, err := events.DecodeRecord(records[len(records)-1]); err == nil {
		e.hash = rec.Hash
	}
	return e, nil
}

// settle cuts off what is torn, and makes safe on the disk what stays: who died may
// have written it, and not more.
func (e *end) settle() error {
	file, err := os.OpenFile(e.segment.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("repair the archive: %w", err)
	}
	defer file.Close()
	if e.cut > 0 {
		if err := file.Truncate(e.offset); err != nil {
			return fmt.Errorf("repair the archive: %w", err)
		}
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("repair the archive: %w", err)
	}
	return nil
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("open the archive: %w", err)
	}
	return info.Size(), nil
}
