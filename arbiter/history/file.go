package history

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/conncord/conncord/events"
)

// A File is a source that reads one file: an export, or a segment of an archive.
type File struct {
	path   string
	file   *os.File
	unpack unpacker
	open   bool // it may end without an end: somebody may still write to it

	header  Header
	begun   bool  // Read was called
	pending error // to be returned by the next Read
	offset  int64
	index   uint32 // of the next block
	total   uint64 // records read
	damaged bool   // so that the total cannot be right
	ended   bool
	stored  []byte // memory for what is stored of a block
}

var _ Source = (*File)(nil)

// OpenFile opens a file. A damaged one can be opened as well, as long as anything in
// it can be read: what is wrong, Read says. The error is [ErrNoHistory] when the file
// is something else.
func OpenFile(path string) (*File, error) { return openFile(path, false) }

func openFile(path string, open bool) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the history: %w", err)
	}
	unpack, err := newUnpacker()
	if err != nil {
		file.Close()
		return nil, err
	}
	f := &File{path: path, file: file, unpack: unpack, open: open}
	if err := f.begin(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// begin reads what stands before the first block of records.
func (f *File) begin() error {
	size, err := f.size()
	if err != nil {
		return err
	}
	if f.open && size < int64(len(magic)) {
		return errTorn
	}
	start := make([]byte, len(magic))
	n, err := f.file.ReadAt(start, 0)
	if err != nil && err != io.EOF {
		return fmt.Errorf("read %s: %w", f.path, err)
	}
	if string(start[:n]) != magic {
		first, err := nextBlock(f.file, 0, size)
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		if first == size {
			return fmt.Errorf("%s: %w", f.path, ErrNoHistory)
		}
		f.damaged = true
		f.pending = &DamageError{Path: f.path, Length: min(first, int64(len(magic))), What: "it does not begin as a history does"}
	}
	f.offset = int64(len(magic))
	h, raw, err := f.block()
	if f.open && err == io.EOF {
		return errTorn
	}
	if err == nil && h.kind != kindHeader {
		f.offset, f.index = int64(len(magic)), h.index // it is read again
		err = &DamageError{Path: f.path, Offset: f.offset, What: "the header is missing"}
	}
	if err == nil {
		if f.header, err = decodeHeader(raw); err != nil {
			return fmt.Errorf("%s: its header: %w", f.path, err)
		}
		return nil
	}
	if f.pending == nil {
		f.pending = err
	}
	f.damaged = true
	return nil
}

// Header returns what the file says about itself; the zero Header when that is
// damaged.
func (f *File) Header() Header { return f.header }

// Snapshot implements [Source].
func (f *File) Snapshot() *events.Snapshot {
	if f.begun {
		return nil
	}
	return f.header.Snapshot
}

// Read implements [Source]. After a [*DamageError] it goes on behind the damage.
func (f *File) Read(ctx context.Context) ([][]byte, error) {
	f.begun = true
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.pending; err != nil {
			f.pending = nil
			return nil, err
		}
		if f.ended {
			return nil, io.EOF
		}
		at := f.offset
		h, raw, err := f.block()
		if err != nil {
			return nil, err
		}
		switch h.kind {
		case kindRecords:
			records, err := splitRecords(raw, int(h.count))
			if err != nil {
				return nil, f.damage(at, &h, err.Error())
			}
			f.total += uint64(h.count)
			return records, nil
		case kindEnd:
			if err := f.finish(raw); err != nil {
				return nil, err
			}
		default:
			return nil, f.damage(at, &h, "a header stands where records should")
		}
	}
}

// block reads the next block. Every failure but one of the file system is a
// DamageError or io.EOF, and the next block is then the one behind it.
func (f *File) block() (head, []byte, error) {
	size, err := f.size()
	if err != nil {
		return head{}, nil, err
	}
	at := f.offset
	h, stored, err := load(f.file, at, size, f.stored)
	if cap(stored) > cap(f.stored) {
		f.stored = stored
	}
	if err == nil && h.index != f.index {
		f.damaged = true
		err := &DamageError{Path: f.path, Offset: at, What: fmt.Sprintf("block %d stands where block %d should", h.index, f.index)}
		f.index = h.index // then it is read
		return h, nil, err
	}
	var raw []byte
	if err == nil {
		raw, err = f.unpack.unpack(h, stored)
	}
	switch {
	case err == nil:
		f.offset += h.size()
		f.index++
		return h, raw, nil
	case errors.Is(err, errContent):
		f.offset += h.size()
		f.index = h.index + 1
		return h, nil, f.damage(at, &h, err.Error())
	case errors.Is(err, errTorn) && f.open:
		return h, nil, io.EOF
	case errors.Is(err, errTorn), errors.Is(err, errHead):
		return h, nil, f.search(at, size, err)
	}
	return h, nil, fmt.Errorf("%s: %w", f.path, err)
}

// search goes on with the next block that can be found.
func (f *File) search(at, size int64, why error) error {
	next, err := nextBlock(f.file, min(at+1, size), size)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.offset, f.damaged = next, true
	if next == size {
		f.ended = true
	} else {
		var b [blockHead]byte
		if _, err := f.file.ReadAt(b[:], next); err != nil {
			return fmt.Errorf("read %s: %w", f.path, err)
		}
		h, _ := parseHead(b[:])
		f.index = h.index
	}
	return &DamageError{Path: f.path, Offset: at, Length: next - at, What: why.Error()}
}

func (f *File) damage(at int64, h *head, what string) error {
	f.damaged = true
	e := &DamageError{Path: f.path, Offset: at, Length: h.size(), What: what}
	if h.kind == kindRecords {
		e.Incarnation, e.First, e.Count = h.incarnation, h.first, int(h.count)
	}
	return e
}

// finish checks that the end comes where it should.
func (f *File) finish(raw []byte) error {
	f.ended = true
	size, err := f.size()
	switch {
	case err != nil:
		return err
	case len(raw) != 8:
		return &DamageError{Path: f.path, Offset: f.offset, What: "its end cannot be read"}
	case f.offset < size:
		return &DamageError{Path: f.path, Offset: f.offset, Length: size - f.offset, What: "something stands after its end"}
	}
	if total := binary.LittleEndian.Uint64(raw); total != f.total && !f.damaged {
		return &DamageError{Path: f.path, Offset: f.offset, What: fmt.Sprintf("it should have %d records and has %d", total, f.total)}
	}
	return nil
}

func (f *File) size() (int64, error) {
	info, err := f.file.Stat()
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", f.path, err)
	}
	return info.Size(), nil
}

// Progress returns how many bytes were read, and how many there are.
func (f *File) Progress() (read, size int64) {
	size, err := f.size()
	if err != nil {
		return f.offset, f.offset
	}
	return f.offset, size
}

// Close implements [Source].
func (f *File) Close() error {
	f.unpack.close()
	return f.file.Close()
}
