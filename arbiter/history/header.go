package history

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/conncord/conncord/events"
)

// headerVersion is the version of the format that this program writes.
const headerVersion = 1

// The flags of a header.
const (
	flagAnonymized = 1 << iota
	flagSnapshot
)

// A Header says what a file is.
type Header struct {
	Budget     string    // of which it is the history
	Exported   time.Time // when it was begun, to the millisecond
	Anonymized bool      // names are replaced: see [Anonymize]
	// Snapshot is the state before the first record; nil when that record begins
	// an incarnation, or what was before it is not known.
	Snapshot *events.Snapshot
}

func (h *Header) check() error {
	if err := events.CheckBudget(h.Budget); err != nil {
		return err
	}
	if h.Exported.UnixMilli() < 0 {
		return fmt.Errorf("the time of the export, %v, is before 1970", h.Exported)
	}
	return nil
}

// encode returns the content of the first block: version, flags, the time in Unix
// milliseconds, the budget with its length before it, and the snapshot.
func (h *Header) encode() []byte {
	flags := byte(0)
	if h.Anonymized {
		flags |= flagAnonymized
	}
	if h.Snapshot != nil {
		flags |= flagSnapshot
	}
	b := []byte{headerVersion, flags}
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Exported.UnixMilli()))
	b = append(b, byte(len(h.Budget)))
	b = append(b, h.Budget...)
	if h.Snapshot != nil {
		b = append(b, events.EncodeSnapshot(h.Snapshot)...)
	}
	return b
}

// headerFixed is how long a header is without budget and snapshot.
const headerFixed = 1 + 1 + 8 + 1

func decodeHeader(b []byte) (h Header, err error) {
	if len(b) < headerFixed || len(b) < headerFixed+int(b[headerFixed-1]) {
		return h, errContent
	}
	if b[0] != headerVersion {
		return h, fmt.Errorf("it has version %d of the format, and this program knows only version %d: use a newer one", b[0], headerVersion)
	}
	rest := b[headerFixed+int(b[headerFixed-1]):]
	h = Header{
		Budget:     string(b[headerFixed : len(b)-len(rest)]),
		Exported:   time.UnixMilli(int64(binary.LittleEndian.Uint64(b[2:]))).UTC(),
		Anonymized: b[1]&flagAnonymized != 0,
	}
	if err := h.check(); err != nil {
		return Header{}, err
	}
	if b[1]&flagSnapshot != 0 {
		if h.Snapshot, err = events.DecodeSnapshot(rest); err != nil {
			return Header{}, err
		}
	} else if len(rest) > 0 {
		return Header{}, errContent
	}
	return h, nil
}
