package client

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/conncord/conncord/client/internal/pool"
	"github.com/conncord/conncord/client/lease"
)

// A member is one of the coordinator's pools.
type member struct {
	pool.Pool
	use           pool.Usage
	share, former int // what it may have, and might before
}

// keep makes the pools follow the limit as time passes: to the fallback before a
// lease ends, to local mode when no answer comes.
func (c *Coordinator) keep() {
	for c.ctx.Err() == nil {
		c.mu.Lock()
		now := time.Now()
		c.enforceLocked(now)
		c.keeperWakes = c.machine.Next(now)
		c.mu.Unlock()
		c.pause(c.keeperBell, time.Until(c.keeperWakes))
	}
}

// enforceLocked makes gate and pools go by the present limit, and wakes whoever
// has something to do about it.
func (c *Coordinator) enforceLocked(now time.Time) {
	c.applyLocked(now)
	c.prodLocked(now)
}

// applyLocked makes gate and pools go by the present limit, and makes it known
// when it changed.
func (c *Coordinator) applyLocked(now time.Time) {
	limit := c.machine.Limit(now)
	if limit != c.gate.Limit() {
		c.gate.SetLimit(limit)
	}
	c.admitLocked(now)
	c.shareLocked(min(limit, c.gate.Allowed()))
	if c.machine.Overdue(now) && c.gate.Open() > limit {
		c.gate.Kill(limit)
	}
	grant := c.grantLocked(now)
	if grant.Mode != c.told.Mode {
		c.logMode(grant)
		ring(c.courierBell) // who goes local has to say so
	}
	if grant.Mode != c.told.Mode || grant.Conns != c.told.Conns || grant.Lease != c.told.Lease || grant.Want != c.told.Want {
		c.told = grant
		c.wakeLocked()
		for ch := range c.watchers {
			select {
			case <-ch: // the receiver has not taken the one before
			default:
			}
			ch <- grant
		}
	}
}

func (c *Coordinator) logMode(g Grant) {
	switch g.Mode {
	case lease.Leased:
		c.note(slog.LevelInfo, "lease", "lease", g.Lease, "connections", g.Conns, "want", g.Want)
	case lease.Local:
		c.note(slog.LevelWarn, "going on in local mode, without coordination", "reason", g.Reason, "connections", g.Conns)
	case lease.Fallback:
		c.note(slog.LevelWarn, "going on with the fallback", "reason", g.Reason, "connections", g.Conns)
	}
}

// wakeLocked wakes those who wait for something to change.
func (c *Coordinator) wakeLocked() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// shareLocked shares the limit out among the pools: each gets what it uses, as
// evenly as the limit allows, and then an equal part of the rest.
func (c *Coordinator) shareLocked(limit int) {
	if len(c.pools) == 0 {
		return
	}
	for _, m := range c.pools {
		m.former, m.share = m.share, 0
	}
	for pass := range 2 {
		for gave := true; limit > 0 && gave; {
			gave = false
			for _, m := range c.pools {
				if limit > 0 && (pass == 1 || m.share < m.use.InUse+m.use.Waiting) {
					m.share++
					limit--
					gave = true
				}
			}
		}
	}
	for _, m := range c.pools {
		if m.share != m.former {
			m.SetMax(m.share)
		}
	}
}

// noteRefusalLocked says in the log when the database begins to refuse connections
// that the lease allows, and when it takes them again.
func (c *Coordinator) noteRefusalLocked() {
	refusal := c.gate.Refusal()
	if crowded := refusal != nil; crowded != c.crowded {
		c.crowded = crowded
		if crowded {
			c.note(slog.LevelWarn, "the database itself is full although the lease has room; callers wait", "error", refusal)
		} else {
			c.note(slog.LevelInfo, "the database takes connections again")
		}
	}
}

func (c *Coordinator) usageLocked() lease.Usage {
	u := lease.Usage{Held: c.gate.Open()}
	for _, m := range c.pools {
		u.InUse += m.use.InUse
		u.Waiting += m.use.Waiting
	}
	return u
}

// Close closes the pools, gives all connections back and leaves the budget. It
// waits for callers to return connections in use, and closes these by force when
// the context ends. It ends every goroutine of the coordinator. A second call
// returns [ErrClosed].
func (c *Coordinator) Close(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.closed = true
	c.demand.fixed = true
	c.machine.SetWant(time.Now(), 0)
	c.enforceLocked(time.Now())
	pools := c.pools
	for ch := range c.watchers {
		close(ch)
	}
	clear(c.watchers)
	c.wakeLocked()
	c.mu.Unlock()

	// The pools first, all at once, since one may wait for its callers. Meanwhile
	// the lease is kept, and what callers return is given back; should the lease
	// end before they do, its connections are cut as ever. Then the goroutines,
	// then the gate, which cuts what is left, and then the goodbye, which is true
	// only when the connections are gone.
	errs := make([]error, len(pools))
	var wg sync.WaitGroup
	for i, m := range pools {
		wg.Go(func() { errs[i] = m.Close(ctx) })
	}
	wg.Wait()
	errs = append(errs, c.drain(ctx))
	c.cancel()
	c.wg.Wait()
	errs = append(errs, c.gate.Close(ctx), c.leave(ctx), c.post.Close())
	return errors.Join(errs...)
}
