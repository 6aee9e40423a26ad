package client

import (
	"context"
	"errors"
	"time"

	"github.com/conncord/conncord/client/internal/pool"
)

// beatRoom is the part of the time between two heartbeats that one may take
// before the next is tried: one that is stuck must not cost the one after it.
const beatRoom = 2

// minBeatGap is the least pause between two heartbeats, however many are asked
// for: while Redis is away none gets through.
const minBeatGap = 50 * time.Millisecond

// idleHeart is how often a container that need not beat asks whether it has to;
// a grant that changes it does not wait for that.
const idleHeart = time.Minute

// beat gives signs of life, as often as the arbiter wants them.
func (c *Coordinator) beat() {
	for c.ctx.Err() == nil {
		c.mu.Lock()
		every := c.machine.BeatEvery()
		c.mu.Unlock()
		began := time.Now()
		if every > 0 {
			c.beatOnce(every * beatRoom)
		} else {
			every = idleHeart
		}
		c.pause(nil, minBeatGap)
		c.mu.Lock()
		c.heartWakes = began.Add(every)
		c.mu.Unlock()
		c.pause(c.heartBell, time.Until(began.Add(every)))
	}
}

// beatOnce leaves one heartbeat, and takes what the look that follows it finds.
func (c *Coordinator) beatOnce(within time.Duration) {
	ctx, cancel := context.WithTimeout(c.ctx, within)
	defer cancel()
	c.mu.Lock()
	if c.machine.BeatEvery() == 0 { // it left meanwhile
		c.mu.Unlock()
		return
	}
	beat := c.machine.Beat()
	c.mu.Unlock()
	sent := time.Now()
	look, err := c.post.Beat(ctx, beat)
	if !errors.Is(err, context.DeadlineExceeded) { // a short one of its own says nothing about Redis
		c.noteRedis(sent, err)
	}
	if err != nil {
		return
	}
	c.learn(look)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.machine.Beaten(now, sent, look)
	c.enforceLocked(now)
}

// admitLocked makes the gate go by when connections may be opened.
func (c *Coordinator) admitLocked(now time.Time) {
	m := c.machine.Admission(now)
	a := pool.Admission{Until: m.Until, Grace: m.Grace, Floor: m.Floor, Alone: m.Alone}
	if a != c.admission {
		c.admission = a
		c.gate.SetAdmission(a)
	}
}
