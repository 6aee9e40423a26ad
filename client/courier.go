package client

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/conncord/conncord/events"
)

const (
	// lookEvery is how often a container looks into its mailbox although the bell
	// did not ring: it bounds how long a ring that was lost goes unnoticed. With a
	// short lease it looks looksPerTTL times within its duration.
	lookEvery   = 5 * time.Second
	looksPerTTL = 8

	// relisten is the pause before listening again after an error.
	relisten = 200 * time.Millisecond
)

// deliver sends what is due, whenever something may be.
func (c *Coordinator) deliver() {
	for c.ctx.Err() == nil {
		_ = c.flush(c.ctx)
		c.mu.Lock()
		c.courierWakes = c.machine.Next(time.Now())
		c.mu.Unlock()
		c.pause(c.courierBell, time.Until(c.courierWakes))
	}
}

// pause waits for the bell, but not longer than d.
func (c *Coordinator) pause(bell <-chan struct{}, d time.Duration) {
	t := time.NewTimer(max(d, time.Millisecond))
	defer t.Stop()
	select {
	case <-bell:
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// flush sends the intents that are due.
func (c *Coordinator) flush(ctx context.Context) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.sendDue(ctx)
}

// sendDue is flush for who holds c.sending.
func (c *Coordinator) sendDue(ctx context.Context) error {
	for {
		c.mu.Lock()
		now := time.Now()
		kind, due := c.machine.Due(now, c.gate.Open())
		if !due {
			c.mu.Unlock()
			return nil
		}
		c.applyLocked(now) // so that nothing is opened between the count and the promise
		in := c.machine.Send(now, kind, c.usageLocked())
		c.mu.Unlock()
		began := time.Now()
		err := c.post.Send(ctx, events.EncodeIntent(in))
		if ctx.Err() == nil { // a caller who gave up says nothing about Redis
			c.noteRedis(began, err)
		}
		if err != nil {
			return err
		}
	}
}

// listen takes in what comes into the mailbox.
func (c *Coordinator) listen() {
	for c.ctx.Err() == nil {
		began := time.Now()
		bell, err := c.post.Listen(c.ctx, c.accept)
		if err != nil { // success is no news: calls may still fail
			c.noteRedis(began, err)
			c.pause(nil, relisten+rand.N(relisten))
			continue
		}
		c.attend(bell)
	}
}

// attend stays with one bell, which delivers grants by itself, until it fails.
// That alone does not mean that Redis is unavailable: listening again will tell.
func (c *Coordinator) attend(bell *events.Bell) {
	defer func() { _ = bell.Close() }()
	c.look()
	for bell.Wait(c.ctx, c.patience()) == nil && c.ctx.Err() == nil {
		if bell.Ping(c.ctx) != nil {
			return
		}
		c.look()
	}
}

// patience returns how long to wait for the bell before looking.
func (c *Coordinator) patience() time.Duration {
	every := lookEvery
	c.mu.Lock()
	if g := c.machine.Grant(); g != nil {
		every = min(every, g.TTL/looksPerTTL)
	}
	c.mu.Unlock()
	return every/2 + rand.N(every/2)
}

// look reads the mailbox by itself.
func (c *Coordinator) look() {
	began := time.Now()
	look, err := c.post.Look(c.ctx)
	c.noteRedis(began, err)
	if err != nil {
		return
	}
	c.learn(look)
	ring(c.courierBell)
}

// learn takes what a look found.
func (c *Coordinator) learn(look events.Look) {
	c.mu.Lock()
	c.machine.Learn(look)
	c.mu.Unlock()
	if look.Grant != nil {
		c.accept(look.Grant)
	}
}

// accept makes the pools follow a grant.
func (c *Coordinator) accept(g *events.Grant) {
	c.mu.Lock()
	now := time.Now()
	if c.ctx.Err() == nil && c.machine.Accept(now, g) {
		c.refusal = events.NoReason
		if g.Reason == events.UnlistedRefused || g.Reason == events.TooMany || g.Reason == events.OtherService {
			c.refusal = g.Reason
		}
		c.enforceLocked(now)
		c.wakeLocked()
	}
	c.mu.Unlock()
}

// prodLocked wakes courier and keeper if there is something for them to do: not
// for every grant, because most change nothing but a deadline that moves away.
func (c *Coordinator) prodLocked(now time.Time) {
	next := c.machine.Next(now)
	if _, due := c.machine.Due(now, c.gate.Open()); due || next.Before(c.courierWakes) {
		ring(c.courierBell)
	}
	if next.Before(c.keeperWakes) {
		ring(c.keeperBell)
	}
	if every := c.machine.BeatEvery(); c.machine.BeatNow(now) || every > 0 && now.Add(every).Before(c.heartWakes) {
		ring(c.heartBell)
	}
}
