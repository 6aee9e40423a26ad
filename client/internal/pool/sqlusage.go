package pool

import (
	"database/sql"
	"sync"
	"sync/atomic"
	"time"
)

// Usage implements [Pool].
func (p *sqlPool) Usage() Usage {
	before := p.efforts()
	stats, waiting := p.observe()
	after := p.efforts()
	dials := after.dials

	// These change meanwhile. Too little is put right at the next look; too much is remembered.
	live := min(before.live, after.live)
	ours := max(before.ours, after.ours)

	// database/sql counts a dial as in use, even one that has not begun; one that waits at the gate uses nothing.
	unbegun := max(0, stats.OpenConnections-occupied-live-dials)
	inUse := stats.InUse - occupied
	want := max(0, inUse+waiting-unbegun-ours)
	u := Usage{Idle: stats.Idle, Waits: stats.WaitCount}
	u.InUse = min(max(0, inUse-dials-unbegun), want)
	u.Waiting = want - u.InUse
	return u
}

// efforts are what goes on for the sake of those who wait in the DB's queue.
type efforts struct {
	dials int // waiting at the gate
	live  int // sockets
	ours  int // dials of the DB for its waiters, and our nudges: wanted by nobody besides the waiters
}

func (p *sqlPool) efforts() (e efforts) {
	e.ours = int(p.opens.opening.Load() + p.nudging.Load())
	e.dials, e.live = p.lane.sockets()
	return e
}

// observe returns the DB's statistics and the length of its queue.
func (p *sqlPool) observe() (sql.DBStats, int) {
	if p.queue != nil {
		return p.queue.look()
	}
	p.counted.mu.Lock()
	defer p.counted.mu.Unlock()
	begun := p.growths.Load()
	settled := begun == p.grown.Load()
	reused, opened := p.opens.reused.Load(), p.opens.opened.Load() // first: who is served has waited before
	stats := p.db.Stats()
	settled = settled && begun == p.growths.Load()
	return stats, p.counted.look(stats, reused, opened, settled, time.Now())
}

// checkouts counts what the driver sees of them.
type checkouts struct {
	counting bool         // whether reused is kept
	reused   atomic.Int64 // connections handed out again
	opened   atomic.Int64 // dials that have ended and were made for waiters, by the DB itself
	opening  atomic.Int64 // such dials under way
}

// waiterCount counts the callers in database/sql's queue where [sqlQueue] cannot look at it. Waits are counted by the
// library when they begin, and every connection handed out ends one while none is idle. So the count is exact as long as
// no wait is given up; the waiting time that has ended, which includes these, corrects it.
type waiterCount struct {
	mu      sync.Mutex
	at      time.Time
	begun   int64
	served  int64
	reused  int64
	ended   time.Duration
	waiting int
	quiet   bool // no wait ended before the latest look

	// The old fading away: the time, the waiting time that ended, the waits begun.
	memory, endedTime, beginnings float64
}

// waitMemory is, in seconds, over how long the average is taken that corrects the count.
const waitMemory = 0.1

// look takes a look. settled means that room in the pool is not just being made for the waiters.
func (c *waiterCount) look(stats sql.DBStats, reused, opened int64, settled bool, now time.Time) int {
	elapsed := 0.0
	if !c.at.IsZero() {
		elapsed = now.Sub(c.at).Seconds()
	}
	begun := int(stats.WaitCount - c.begun)
	served := int(reused + opened - c.served)
	handed := reused != c.reused
	ended := stats.WaitDuration - c.ended
	quiet := c.quiet
	c.at, c.begun, c.served, c.reused, c.ended = now, stats.WaitCount, reused+opened, reused, stats.WaitDuration
	c.quiet = ended == 0

	keep := 1 / (1 + elapsed/waitMemory)
	c.memory = (c.memory + elapsed) * keep
	c.endedTime = (c.endedTime + ended.Seconds()) * keep
	c.beginnings = (c.beginnings + float64(begun)) * keep

	if stats.Idle > 0 || settled && stats.OpenConnections < stats.MaxOpenConnections {
		c.waiting = 0 // nobody waits beside a free connection
		return 0
	}
	switch {
	case ended == 0 && handed && quiet:
		c.waiting = begun // these were idle connections, so nobody waited then, and no wait has ended since
	case ended == 0:
		c.waiting += begun
	default:
		c.waiting = max(0, c.waiting+begun-max(1, served))
	}
	// By Little's law the waiting time that ends per time is the number of waiters, on average over several waits.
	if average := c.endedTime / max(c.memory, 1e-9); c.beginnings > 3*average {
		c.waiting = min(c.waiting, int(1.5*average+3))
	}
	return c.waiting
}
