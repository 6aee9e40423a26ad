package client

import (
	"time"

	"github.com/conncord/conncord/events"
)

const (
	// memory is for how long a use is remembered before the demand falls below
	// it, and slots how finely.
	memory = time.Minute
	slots  = 12

	// sampleBusy and sampleIdle are how often the pools' use is looked at while
	// all connections are in use, and otherwise. A look costs about a
	// microsecond.
	sampleBusy = 5 * time.Millisecond
	sampleIdle = 25 * time.Millisecond

	// sampleNone is how often to look while there are no pools; the first look
	// at a new one does not wait for it.
	sampleNone = time.Second
)

// demand finds out how many connections the pools use.
type demand struct {
	fixed bool // the caller said how many
	peaks [slots]int
	slot  int64
}

// note takes a use at a moment, counted from any fixed one, and returns the
// greatest of the last minute.
func (d *demand) note(at time.Duration, use int) int {
	slot := int64(at / (memory / slots))
	for gap := min(slot-d.slot, slots); gap > 0; gap-- {
		d.peaks[(slot-gap+1)%slots] = 0
	}
	d.slot = slot
	d.peaks[slot%slots] = max(d.peaks[slot%slots], use)
	peak := 0
	for _, p := range d.peaks {
		peak = max(peak, p)
	}
	return peak
}

// sample makes the demand follow the use.
func (c *Coordinator) sample() {
	for c.ctx.Err() == nil {
		c.pause(c.samplerBell, c.sampleOnce())
	}
}

// sampleOnce returns when to look again.
func (c *Coordinator) sampleOnce() (again time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pools) == 0 || c.closed {
		return sampleNone
	}
	c.noteRefusalLocked()
	use := 0
	short := false // a pool lacks what another one may have
	for _, m := range c.pools {
		m.use = m.Usage()
		use += m.use.InUse + m.use.Waiting
		short = short || m.use.InUse+m.use.Waiting > m.share
	}
	if c.machine.Report(c.usageLocked()) {
		ring(c.courierBell)
	}
	now := time.Now()
	limit := c.machine.Limit(now)
	if short && len(c.pools) > 1 {
		c.shareLocked(min(limit, c.gate.Allowed()))
	}
	again = sampleIdle
	if use >= limit {
		again = sampleBusy
	}
	if c.demand.fixed {
		return again
	}
	peak := c.demand.note(now.Sub(c.born), use)
	want := min(max(peak, c.minimumLocked()), c.cfg.MaxConns)
	if want != c.machine.Want() {
		c.machine.SetWant(now, want)
		c.enforceLocked(now)
		ring(c.courierBell)
	}
	return again
}

// minimumLocked is the least that the container asks for while it has pools: its
// part of its service's minimum, so that the first callers need not wait.
func (c *Coordinator) minimumLocked() int {
	g := c.machine.Grant()
	if g == nil || g.Lease == "" {
		return max(1, c.cfg.LocalConns)
	}
	return max(1, min(g.Minimum, events.MaxUnits))
}
