package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// magic begins every file.
const magic = "CONNHIST"

// marker begins every block, so that reading can go on behind a block whose length
// cannot be believed.
const marker = "CHB\x01"

// blockHead is the size of a block's head in bytes.
const blockHead = 48

// The limits of a block. They bound what a reader allocates, whatever a file says.
const (
	// blockBytes is from how many bytes of records on a block is complete.
	blockBytes = 1 << 20

	// maxRaw bounds a block's content: a snapshot of the largest budget has 9 MB, and
	// one record, which may be the last of a block, 4 MB.
	maxRaw = 16 << 20

	// maxStored bounds the same compressed: what cannot be compressed grows a little.
	maxStored = maxRaw + maxRaw/64 + 1<<10
)

// The kinds of blocks.
const (
	kindHeader  = 'H'
	kindRecords = 'R'
	kindEnd     = 'E'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

type head struct {
	kind        byte
	index       uint32 // number of the block in its file, from 0
	first       uint64 // sequence of the first record
	incarnation uint64 // of the records
	count       uint32 // of records
	raw, stored uint32 // bytes, before and after compression
	sum         uint32 // CRC32C of what is stored
}

func (h *head) append(b []byte) []byte {
	at := len(b)
	b = append(b, marker...)
	b = append(b, h.kind, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, h.index)
	b = binary.LittleEndian.AppendUint32(b, h.count)
	b = binary.LittleEndian.AppendUint64(b, h.first)
	b = binary.LittleEndian.AppendUint64(b, h.incarnation)
	b = binary.LittleEndian.AppendUint32(b, h.raw)
	b = binary.LittleEndian.AppendUint32(b, h.stored)
	b = binary.LittleEndian.AppendUint32(b, h.sum)
	return binary.LittleEndian.AppendUint32(b, checksum(b[at:]))
}

// parseHead reads a head, and reports whether it is one.
func parseHead(b []byte) (h head, ok bool) {
	if len(b) < blockHead || string(b[:len(marker)]) != marker ||
		binary.LittleEndian.Uint32(b[blockHead-4:]) != checksum(b[:blockHead-4]) {
		return head{}, false
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }
	h = head{kind: b[4], index: u32(8), count: u32(12), first: u64(16), incarnation: u64(24), raw: u32(32), stored: u32(36), sum: u32(40)}
	known := h.kind == kindHeader || h.kind == kindRecords || h.kind == kindEnd
	return h, known && h.raw <= maxRaw && h.stored <= maxStored && h.count <= MaxRead
}

// size is how many bytes the block takes in its file.
func (h *head) size() int64 { return blockHead + int64(h.stored) }

var (
	// errTorn is returned when a file ends within a block.
	errTorn = errors.New("it ends within a block")
	// errHead is returned when no block begins here.
	errHead = errors.New("the head of a block cannot be read")
	// errContent is returned when a block's content is not what its head says.
	errContent = errors.New("a block's checksum or content is wrong")
)

// load reads the block at the offset of a file of the given size, into buf if that
// is large enough, without decompressing it.
func load(r io.ReaderAt, offset, size int64, buf []byte) (h head, stored []byte, err error) {
	if size-offset < blockHead {
		return h, nil, errTorn
	}
	var b [blockHead]byte
	if _, err := r.ReadAt(b[:], offset); err != nil {
		return h, nil, fmt.Errorf("read: %w", err)
	}
	h, ok := parseHead(b[:])
	if !ok {
		return h, nil, errHead
	}
	if size-offset < h.size() {
		return h, nil, errTorn
	}
	if cap(buf) < int(h.stored) {
		buf = make([]byte, h.stored)
	}
	stored = buf[:h.stored]
	if _, err := r.ReadAt(stored, offset+blockHead); err != nil {
		return h, nil, fmt.Errorf("read: %w", err)
	}
	if checksum(stored) != h.sum {
		return h, stored, errContent
	}
	return h, stored, nil
}

// scanBytes is how much of a file is looked through at once for a block.
const scanBytes = 64 << 10

// nextBlock returns the offset of the first head at or after the given one, or the
// size of the file when there is none.
func nextBlock(r io.ReaderAt, offset, size int64) (int64, error) {
	buf := make([]byte, scanBytes)
	for offset+blockHead <= size {
		b := buf[:min(int64(len(buf)), size-offset)]
		if _, err := r.ReadAt(b, offset); err != nil {
			return 0, fmt.Errorf("read: %w", err)
		}
		for at := 0; at+blockHead <= len(b); at++ {
			if b[at] != marker[0] {
				continue
			}
			if _, ok := parseHead(b[at:]); ok {
				return offset + int64(at), nil
			}
		}
		offset += int64(len(b)) - blockHead + 1
	}
	return size, nil
}
