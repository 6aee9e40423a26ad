package projector

import (
	"context"
	"errors"
	"fmt"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// SubscribeOptions say what to subscribe to. RedisURL must be set; an empty Budget
// is the budget named default.
type SubscribeOptions struct {
	RedisURL string
	Budget   string
}

// An Update is what a subscriber gets.
type Update struct {
	// Status is the newest that is known; nil: none was ever published.
	Status *status.Status
	// Err is why nothing newer can be read; nil: it is the newest. A status that is
	// old all the same ([status.Status.Stale]) says that no projector runs.
	Err error
}

// Subscribe returns a channel that gets the status now, and whenever it or the
// ability to read it changes. A slow receiver gets the newest and misses those in
// between. The channel is closed when the context ends, and with it ends all that
// Subscribe started. An error is returned only when the options cannot be used: a
// Redis that is away is told by an update, and tried again for as long as it takes.
func Subscribe(ctx context.Context, o SubscribeOptions) (<-chan Update, error) {
	if o.Budget == "" {
		o.Budget = "default"
	}
	board, err := events.OpenBoard(o.RedisURL, o.Budget)
	if err != nil {
		return nil, fmt.Errorf("subscribe to the status: %w", err)
	}
	s := &subscription{board: board, updates: make(chan Update, 1)}
	go s.run(ctx)
	return s.updates, nil
}

// A subscription belongs to its one goroutine, which ends with the context.
type subscription struct {
	board   *events.Board
	updates chan Update
	last    Update
}

func (s *subscription) run(ctx context.Context) {
	defer close(s.updates)
	defer s.board.Close()
	pause := minPause
	for ctx.Err() == nil {
		err := s.board.Watch(ctx, func() error {
			pause = minPause
			return s.read(ctx)
		}, func(data []byte) error { return s.take(ctx, data) })
		if ctx.Err() != nil {
			return
		}
		s.tell(Update{s.last.Status, err})
		wait(ctx, pause)
		pause = min(2*pause, maxPause)
	}
}

// read takes what the key holds.
func (s *subscription) read(ctx context.Context) error {
	data, err := s.board.Read(ctx)
	if err != nil {
		return err
	}
	if data == nil {
		s.tell(Update{s.last.Status, nil})
		return nil
	}
	view, err := status.Decode(data)
	if err != nil {
		s.tell(Update{s.last.Status, err})
		return nil
	}
	s.tell(Update{view, nil})
	return nil
}

// take takes what the channel was told. What is no status is somebody else's
// mistake; a newer version is told.
func (s *subscription) take(ctx context.Context, data []byte) error {
	view, err := status.Decode(data)
	switch {
	case errors.Is(err, status.ErrVersion):
		s.tell(Update{s.last.Status, err})
	case err != nil:
	case view.Partial:
		return s.read(ctx)
	default:
		s.tell(Update{view, nil})
	}
	return nil
}

// tell replaces what the receiver has not taken yet.
func (s *subscription) tell(u Update) {
	s.last = u
	select {
	case <-s.updates:
	default:
	}
	s.updates <- u // there is room: nobody else sends
}
