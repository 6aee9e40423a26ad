package history

import (
	"context"

	"github.com/conncord/conncord/events"
)

// A Source is a history, or a part of one, to be read once from its beginning. It
// is not safe for concurrent use.
type Source interface {
	// Snapshot returns the state before the first record that Read returns; nil
	// when that record begins an incarnation, or what was before it is not known,
	// and once Read was called.
	Snapshot() *events.Snapshot

	// Read returns the next records, as they are encoded in the history, at most
	// MaxRead of them and at least one. The error is io.EOF at the end of what
	// there is; of a live history Read can then be called again, for what has come
	// since. What is returned may be kept.
	Read(ctx context.Context) ([][]byte, error)

	// Close gives up what the source holds.
	Close() error
}

// MaxRead is how many records a source returns at once.
const MaxRead = 1000
