package monitor

import (
	"context"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

type board struct{ *events.Board }

func openSource(o *options) (source, error) {
	b, err := events.OpenBoard(o.RedisURL, o.Budget)
	if err != nil {
		return nil, err
	}
	return board{b}, nil
}

func (b board) Subscribe(ctx context.Context) (<-chan update, error) {
	ch := make(chan update)
	go func() {
		defer close(ch)
		var last *status.Status
		for ctx.Err() == nil {
			data, err := b.Read(ctx)
			if err == nil && data != nil {
				last, err = status.Decode(data)
			}
			select {
			case ch <- update{last, err}:
			case <-ctx.Done():
			}
			time.Sleep(300 * time.Millisecond)
		}
	}()
	return ch, nil
}
