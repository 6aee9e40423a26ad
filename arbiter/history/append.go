package history

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/conncord/conncord/events"
)

// An appender makes blocks of records and writes them to the end of a file.
type appender struct {
	to   io.Writer
	pack packer

	index  uint32 // of the next block
	offset int64  // end of what was written
	total  uint64 // records in the blocks written

	// The block under way, and the place of its last record.
	raw                []byte
	count              uint32
	first              uint64
	incarnation, newer uint64
}

// begin writes what stands before the first block of records.
func (a *appender) begin(h *Header) error {
	if _, err := io.WriteString(a.to, magic); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	a.offset += int64(len(magic))
	return a.write(head{kind: kindHeader}, h.encode())
}

// add adds a record, and writes the block under way when it is complete, or the
// record does not continue it.
func (a *appender) add(record []byte) error {
	incarnation, sequence, err := events.PlaceRecord(record)
	if err != nil { // no record of ours, but it stood in the history
		incarnation, sequence = a.incarnation, a.newer+1
	}
	room := len(a.raw)+len(record)+binary.MaxVarintLen64 <= maxRaw
	if a.count > 0 && (incarnation != a.incarnation || sequence != a.newer+1 || !room) {
		if err := a.flush(); err != nil {
			return err
		}
	}
	if len(record)+binary.MaxVarintLen64 > maxRaw {
		return fmt.Errorf("record %d has %d bytes: no record can be so large", sequence, len(record))
	}
	if a.count == 0 {
		a.first = sequence
	}
	a.raw = appendRecord(a.raw, record)
	a.incarnation, a.newer = incarnation, sequence
	a.count++
	if a.count == MaxRead || len(a.raw) >= blockBytes {
		return a.flush()
	}
	return nil
}

// flush writes the block under way, if there is one.
func (a *appender) flush() error {
	if a.count == 0 {
		return nil
	}
	h := head{kind: kindRecords, first: a.first, incarnation: a.incarnation, count: a.count}
	if err := a.write(h, a.raw); err != nil {
		return err
	}
	a.total += uint64(a.count)
	a.raw, a.count = a.raw[:0], 0
	return nil
}

// end writes the block that stands at the end of a complete file: how many records
// there are.
func (a *appender) end() error {
	if err := a.flush(); err != nil {
		return err
	}
	return a.write(head{kind: kindEnd}, binary.LittleEndian.AppendUint64(nil, a.total))
}

// write writes one block.
func (a *appender) write(h head, raw []byte) error {
	stored := a.pack.pack(raw)
	h.index, h.raw, h.stored, h.sum = a.index, uint32(len(raw)), uint32(len(stored)), checksum(stored)
	n, err := a.to.Write(append(h.append(make([]byte, 0, h.size())), stored...))
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	a.index++
	a.offset += int64(n)
	return nil
}
