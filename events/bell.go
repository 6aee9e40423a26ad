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
	deliver func(*Grant)
	ready   chan struct{} // closed when the subscription holds
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
		switch m := got.(type) {
		case *redis.Subscription:
			x.heard(m.Channel, m.Kind == "subscribe")
		case *redis.Message:
			if b := x.heard(m.Channel, false); b != nil {
				b.ring([]byte(m.Payload))
			}
		default:
			x.heard("", false)
		}
	}
}

// heard notes a sign of life and returns the bell of the channel, nil if there
// is none. With holds, the subscription holds from here on.
func (x *exchange) heard(channel string, holds bool) *Bell {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.pinged = time.Time{}
	b := x.bells[channel]
	if b != nil && holds {
		b.hold()
	}
	return b
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
func (x *exchange) add(ctx context.Context, channel string, deliver func(*Grant)) (*Bell, error) {
	b := &Bell{x: x, channel: channel, deliver: deliver, ready: make(chan struct{}), over: make(chan struct{})}
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

// hold and end are called with the exchange's lock held.

func (b *Bell) hold() {
	select {
	case <-b.ready:
	default:
		close(b.ready)
	}
}

func (b *Bell) end(err error) {
	select {
	case <-b.over:
	default:
		b.err = err
		close(b.over)
	}
}

// ring delivers a grant, unless the bell is over. One that cannot be read ends
// the bell: its owner then looks into the mailbox, and is told what is wrong.
func (b *Bell) ring(data []byte) {
	g, err := DecodeGrant(data)
	if err != nil {
		b.x.mu.Lock()
		defer b.x.mu.Unlock()
		b.end(err)
		return
	}
	select {
	case <-b.over:
	default:
		b.deliver(g)
	}
}

// Wait returns nil when the patience or the context is over, and an error as
// soon as no more grants will come.
func (b *Bell) Wait(ctx context.Context, patience time.Duration) error {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-b.over:
		return fmt.Errorf("wait for grants: %w", b.err)
	case <-ctx.Done():
	case <-t.C:
	}
	return nil
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
