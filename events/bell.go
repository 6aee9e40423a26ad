package events

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// An exchange receives the grants for all containers of a process on one
// connection. It lives until the connection fails; then each bell says so, and
// whoever listens again opens another.
type exchange struct {
	sub  *redis.PubSub
	done chan struct{} // closed when the receiver has ended

	mu     sync.Mutex
	bells  map[string]*Bell
	err    error     // why it is over; nil: it is not
	pinged time.Time // since when a ping is not answered; zero: none is
}

// A Bell rings when the container's mailbox changes.
type Bell struct {
	x       *exchange
	channel string
	ready   chan struct{} // closed when the subscription holds
	grants  chan []byte   // holds the newest that was not taken
	over    chan struct{} // closed when no more will come
	err     error         // why; set before over is closed
}

var (
	errBellClosed = errors.New("the bell is closed")
	errNoPong     = errors.New("the connection for grants does not answer")
)

// openExchange starts the receiver, which ends when the connection fails or is
// closed.
func openExchange(rdb *redis.Client) *exchange {
	x := &exchange{sub: rdb.Subscribe(context.Background()), done: make(chan struct{}), bells: map[string]*Bell{}}
	go x.receive()
	return x
}

// receive hands out what arrives.
func (x *exchange) receive() {
	defer close(x.done)
	for {
		got, err := x.sub.Receive(context.Background())
		if err != nil {
			x.fail(err)
			return
		}
		x.mu.Lock()
		x.pinged = time.Time{}
		switch m := got.(type) {
		case *redis.Subscription:
			if b := x.bells[m.Channel]; b != nil && m.Kind == "subscribe" {
				b.hold()
			}
		case *redis.Message:
			if b := x.bells[m.Channel]; b != nil {
				b.ring([]byte(m.Payload))
			}
		}
		x.mu.Unlock()
	}
}

// fail ends the exchange and all its bells.
func (x *exchange) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return
	}
	x.err = err
	for _, b := range x.bells {
		b.end(err)
	}
	_ = x.sub.Close()
}

// failed reports whether the exchange is over.
func (x *exchange) failed() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.err != nil
}

// add subscribes to one more channel.
func (x *exchange) add(ctx context.Context, channel string) (*Bell, error) {
	b := &Bell{x: x, channel: channel, ready: make(chan struct{}), grants: make(chan []byte, 1), over: make(chan struct{})}
	x.mu.Lock()
	if err := x.err; err != nil {
		x.mu.Unlock()
		return nil, err
	}
	if old := x.bells[channel]; old != nil {
		old.end(errBellClosed)
	}
	x.bells[channel] = b
	x.mu.Unlock()
	if err := x.sub.Subscribe(ctx, channel); err != nil {
		x.fail(err)
		return nil, err
	}
	select {
	case <-b.ready:
		return b, nil
	case <-b.over:
		return nil, b.err
	case <-ctx.Done():
		x.fail(errNoPong) // a connection that does not answer is of no use to anybody
		return nil, context.Cause(ctx)
	}
}

// hold, ring and end are called with the exchange's lock held.

func (b *Bell) hold() {
	select {
	case <-b.ready:
	default:
		close(b.ready)
	}
}

func (b *Bell) ring(grant []byte) {
	select {
	case <-b.grants: // the one before was not taken: the newest counts
	default:
	}
	b.grants <- grant
}

func (b *Bell) end(err error) {
	select {
	case <-b.over:
	default:
		b.err = err
		close(b.over)
	}
}

// Wait returns the next grant that arrives, nil if none does within the
// patience. If several arrived since the last Wait it is the newest. Only one
// goroutine may wait at a time.
func (b *Bell) Wait(ctx context.Context, patience time.Duration) (*Grant, error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case data := <-b.grants:
		return DecodeGrant(data)
	case <-b.over:
		return nil, fmt.Errorf("wait for a grant: %w", b.err)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-t.C:
		return nil, nil
	}
}

// Ping asks the server for a sign of life. If the last one was not answered in
// time, it ends the bell.
func (b *Bell) Ping(ctx context.Context) error {
	b.x.mu.Lock()
	since := b.x.pinged
	if since.IsZero() {
		b.x.pinged = time.Now()
	}
	b.x.mu.Unlock()
	if !since.IsZero() && time.Since(since) > CallTimeout {
		b.x.fail(errNoPong)
		return errNoPong
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	return b.x.sub.Ping(ctx)
}

// Close ends the subscription; a Wait under way returns with an error.
func (b *Bell) Close() error {
	b.x.mu.Lock()
	b.end(errBellClosed)
	mine := b.x.bells[b.channel] == b
	if mine {
		delete(b.x.bells, b.channel)
	}
	dead := b.x.err != nil
	b.x.mu.Unlock()
	if !mine || dead {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), CallTimeout)
	defer cancel()
	return b.x.sub.Unsubscribe(ctx, b.channel)
}
