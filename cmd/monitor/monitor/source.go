package monitor

import (
	"context"

	"github.com/conncord/conncord/projector/status"
)

// A source is where the status comes from.
type source interface {
	// Read returns the newest status as it was published, nil if there is none.
	Read(ctx context.Context) ([]byte, error)
	// Subscribe tells of every change, until the context ends. Then it closes
	// the channel.
	Subscribe(ctx context.Context) (<-chan update, error)
	Close() error
}

// An update is what is known at a moment.
type update struct {
	Status *status.Status // the newest that is known; nil: there is none yet
	Err    error          // why nothing newer can be read; nil: it can
}
