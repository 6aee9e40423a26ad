package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

// A RequestOption changes one call of [Coordinator.Request] or
// [Coordinator.Resize].
type RequestOption func(*requestOptions)

type requestOptions struct{ atLeast int }

// AtLeast makes the call wait until at least so many connections are granted.
func AtLeast(conns int) RequestOption {
	return func(o *requestOptions) { o.atLeast = conns }
}

// Request asks for n connections and returns what is granted as soon as the
// arbiter has answered. It may be less, and grows by itself when connections
// come free; with [AtLeast] the call waits for that. From here on the demand is
// n, whatever the pools use; see [Coordinator.Follow].
//
// More than the database allows is asked for as that; the grant's Reason says
// so.
//
// The error is [ErrInvalid] when n is not positive, an [*ExhaustedError] when
// nothing is granted or the wait ended before enough was, and [ErrLocalMode] when
// the container goes on without an arbiter. The grant returned with it is what the
// container may hold. After the last two the demand stays.
//
// While a lease lasts, the call waits for an arbiter that does not answer: bound
// it with the context.
func (c *Coordinator) Request(ctx context.Context, n int, options ...RequestOption) (Grant, error) {
	var o requestOptions
	for _, set := range options {
		set(&o)
	}
	switch {
	case n < 1:
		return c.Grant(), fmt.Errorf("%w: a request for %d connections: ask for at least 1, or call Release", ErrInvalid, n)
	case o.atLeast < 0 || o.atLeast > n:
		return c.Grant(), fmt.Errorf("%w: at least %d of %d connections can never be granted", ErrInvalid, o.atLeast, n)
	}
	counter, err := c.ask(ctx, n)
	if err != nil {
		return Grant{}, err
	}
	return c.answer(ctx, counter, max(o.atLeast, 1), o.atLeast > 0)
}

// Resize is [Coordinator.Request] for a container that has connections already:
// with a greater n it asks for more, with a smaller one it gives connections
// back, and keeps those in use until their callers return them.
func (c *Coordinator) Resize(ctx context.Context, n int, options ...RequestOption) (Grant, error) {
	return c.Request(ctx, n, options...)
}

// Follow lets the demand follow the use of the pools (again), as it does until
// the first Request.
func (c *Coordinator) Follow() {
	c.mu.Lock()
	c.demand.fixed = false
	c.mu.Unlock()
}

// ask fixes the demand and returns the counter of the intent that says so. It
// sends the intent itself, if it can at once, so that nobody has to be woken for it.
func (c *Coordinator) ask(ctx context.Context, n int) (counter uint64, err error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return 0, ErrClosed
	}
	now := time.Now()
	c.demand.fixed = true
	c.machine.SetWant(now, min(n, events.MaxUnits))
	counter = c.machine.Saying()
	off := c.redis.off
	c.mu.Unlock()
	if !off && c.sending.TryLock() {
		_ = c.sendDue(ctx) // an error is met by the courier, who tries again
		c.sending.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enforceLocked(time.Now())
	return counter, nil
}

// answer waits for the answer to the intent, and when patient also until the
// lease is large enough.
func (c *Coordinator) answer(ctx context.Context, counter uint64, atLeast int, patient bool) (grant Grant, err error) {
	err = c.await(ctx, func(now time.Time) (bool, error) {
		grant = c.grantLocked(now)
		lost := c.machine.Grant() != nil && c.machine.Grant().Gone()
		switch {
		case c.refusal != events.NoReason:
			return false, fmt.Errorf("%w: %v", ErrRefused, c.refusal)
		case grant.Mode == lease.Local, grant.Mode == lease.Fallback && !lost:
			return false, ErrLocalMode
		case lost, !c.machine.Answered(counter):
			return false, nil // the courier registers again, or has said it
		case grant.Conns >= atLeast:
			return true, nil
		case patient:
			return false, nil
		}
		return false, c.exhaustedLocked(nil)
	})
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrClosed) {
		c.mu.Lock()
		grant, err = c.grantLocked(time.Now()), c.exhaustedLocked(context.Cause(ctx))
		c.mu.Unlock()
	}
	return grant, err
}

// Release gives all connections back and leaves the budget. It waits for callers
// to return those in use, and closes them by force when the context ends. A later
// Request joins again; until then the pools have no connections.
func (c *Coordinator) Release(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.demand.fixed = true
	c.machine.SetWant(time.Now(), 0)
	c.enforceLocked(time.Now())
	c.mu.Unlock()
	return c.leave(ctx)
}

// leave waits until no connection is left and says goodbye.
func (c *Coordinator) leave(ctx context.Context) error {
	drained := c.drain(ctx)
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	now := time.Now()
	c.gate.SetLimit(0) // somebody may have requested some again: not before the goodbye
	in := c.machine.Send(now, events.Release, c.usageLocked())
	c.applyLocked(now)
	c.mu.Unlock()
	defer ring(c.courierBell)
	send, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if err := c.post.Send(send, events.EncodeIntent(in)); err != nil {
		err = fmt.Errorf("release: the arbiter could not be told, and counts the connections until the lease ends: %w", err)
		return errors.Join(drained, err)
	}
	return drained
}

// goodbye bounds the sending of the last intent, which is tried even when the
// caller's context is over.
const goodbye = time.Second

// drain waits until no physical connection is left; when the context ends it
// closes those that are.
func (c *Coordinator) drain(ctx context.Context) error {
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	killed := time.Time{}
	for c.gate.Open() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			if killed.IsZero() {
				killed = time.Now()
				c.gate.Kill(0)
			}
			<-tick.C
		}
		if !killed.IsZero() && time.Since(killed) > afterKill {
			return fmt.Errorf("release: %d connections are still open at the database: %w", c.gate.Open(), context.Cause(ctx))
		}
	}
	return nil
}

const (
	// drainEvery is how often drain looks.
	drainEvery = 2 * time.Millisecond
	// afterKill is how long drain waits for the database to notice that
	// connections were closed by force.
	afterKill = 2 * time.Second
)
