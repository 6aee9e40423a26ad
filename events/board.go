package events

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Board is the reader's side of a budget's status in Redis. Its methods may be
// called concurrently; each call has a deadline.
type Board struct {
	keys Keys
	rdb  *redis.Client
}

// OpenBoard returns the board of the budget at the Redis URL. It does not connect
// yet.
func OpenBoard(url, budget string) (*Board, error) {
	if err := CheckBudget(budget); err != nil {
		return nil, err
	}
	rdb, err := OpenRedis(url, 2) // one for calls, one that listens
	if err != nil {
		return nil, err
	}
	return &Board{keys: NewKeys(budget), rdb: rdb}, nil
}

// Close closes the board's connections.
func (b *Board) Close() error { return b.rdb.Close() }

// Read returns the newest status as it was published, nil if there is none.
func (b *Board) Read(ctx context.Context) ([]byte, error) {
	return readStatus(ctx, b.rdb, b.keys)
}

func readStatus(ctx context.Context, rdb *redis.Client, keys Keys) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	data, err := rdb.Get(ctx, keys.Status).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the status: %w", err)
	}
	return data, nil
}

// ReadStatus returns the newest status of the post's budget as it was published,
// nil if there is none.
func (p *Post) ReadStatus(ctx context.Context) ([]byte, error) {
	return readStatus(ctx, p.line.rdb, p.keys)
}

// quietFor is after how long without a word the board asks whether the
// connection still lives. A status comes every five seconds at least.
const quietFor = 3 * time.Second

// errQuiet is returned when the connection does not answer.
var errQuiet = errors.New("the connection does not answer")

// Watch calls listening once the subscription holds, and then deliver with what
// the channel is told, one at a time, until the connection fails or the context
// ends, and returns why.
func (b *Board) Watch(ctx context.Context, listening func() error, deliver func([]byte) error) error {
	sub := b.rdb.Subscribe(ctx, b.keys.Status)
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() }) // a read does not heed its context
	defer stop()
	defer sub.Close()
	asked := false
	for {
		got, err := sub.ReceiveTimeout(ctx, quietFor)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() && !asked {
			asked, err = true, sub.Ping(ctx)
		} else if err == nil {
			asked = false
		} else if asked {
			err = errQuiet
		}
		if err != nil {
			return fmt.Errorf("watch the status: %w", err)
		}
		switch m := got.(type) {
		case *redis.Subscription:
			err = listening()
		case *redis.Message:
			err = deliver([]byte(m.Payload))
		}
		if err != nil {
			return err
		}
	}
}
