package history

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// A packer compresses the contents of blocks.
type packer struct{ enc *zstd.Encoder }

func newPacker() (packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return packer{}, fmt.Errorf("compress: %w", err)
	}
	return packer{enc}, nil
}

func (p packer) pack(raw []byte) []byte { return p.enc.EncodeAll(raw, nil) }

// An unpacker takes contents of blocks apart.
type unpacker struct{ dec *zstd.Decoder }

func newUnpacker() (unpacker, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxRaw), zstd.WithDecoderLowmem(true))
	if err != nil {
		return unpacker{}, fmt.Errorf("decompress: %w", err)
	}
	return unpacker{dec}, nil
}

// unpack decompresses a block's content into memory of its own.
func (u unpacker) unpack(h head, stored []byte) ([]byte, error) {
	raw, err := u.dec.DecodeAll(stored, make([]byte, 0, h.raw))
	if err != nil || len(raw) != int(h.raw) {
		return nil, errContent
	}
	return raw, nil
}

func (u unpacker) close() { u.dec.Close() }

// appendRecord adds a record to a block's content: its length and itself.
func appendRecord(raw, record []byte) []byte {
	return append(binary.AppendUvarint(raw, uint64(len(record))), record...)
}

// splitRecords takes a block's content apart into its records.
func splitRecords(raw []byte, count int) ([][]byte, error) {
	records := make([][]byte, count)
	for i := range records {
		n, width := binary.Uvarint(raw)
		if width <= 0 || n > uint64(len(raw)-width) {
			return nil, errContent
		}
		end := width + int(n)
		records[i] = raw[width:end:end]
		raw = raw[end:]
	}
	if len(raw) > 0 || count == 0 {
		return nil, errContent
	}
	return records, nil
}
