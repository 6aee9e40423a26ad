package monitor

import (
	"context"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector"
)

// A source is where the status comes from. Tests have others than Redis.
type source interface {
	// Read returns the newest status as it was published, nil if there is none.
	Read(ctx context.Context) ([]byte, error)
	// Subscribe tells of every change, until the context ends. Then it closes
	// the channel.
	Subscribe(ctx context.Context) (<-chan update, error)
	Close() error
}

// An update is what is known at a moment.
type update = projector.Update

// published is what projectors publish in Redis.
type published struct {
	*events.Board
	from projector.SubscribeOptions
}

func openSource(o *options) (source, error) {
	b, err := events.OpenBoard(o.RedisURL, o.Budget)
	if err != nil {
		return nil, err
	}
	return published{b, projector.SubscribeOptions{RedisURL: o.RedisURL, Budget: o.Budget}}, nil
}

func (p published) Subscribe(ctx context.Context) (<-chan update, error) {
	return projector.Subscribe(ctx, p.from)
}
