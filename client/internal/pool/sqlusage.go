package pool

import (
	"database/sql"
	"sync"
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
	u := Usage{Idle: stats.Idle, Waits: stats.WaitCount, Live: after.live}
	u.InUse = min(max(0, inUse-dials-unbegun), want)
	u.Waiting = want - u.InUse
	return u
}

// efforts are what goes on in the DB without being a caller's.
type efforts struct {
	census
	ours int // in use for nobody: dials of the DB for its waiters, our nudges, idle connections being closed
}

func (p *sqlPool) efforts() (e efforts) {
	e.ours = int(p.opening.Load() + p.nudging.Load() + p.trimming.Load())
	e.census = p.lane.census()
	return e
}

// observe returns the DB's statistics and the length of its queue.
func (p *sqlPool) observe() (sql.DBStats, int) {
	if p.queue != nil {
		return p.queue.look()
	}
	p.guess.mu.Lock()
	defer p.guess.mu.Unlock()
	begun := p.growths.Load()
	settled := begun == p.grown.Load()
	stats := p.db.Stats()
	settled = settled && begun == p.growths.Load()
	return stats, p.guess.look(stats, settled, time.Now())
}

// waiterGuess guesses how many callers wait in database/sql's queue, where [sqlQueue] cannot look at it. The library
// tells how many waits have begun, and how long all those took that have ended, but not how many those were. As long as
// at most one ends between two looks, counting is exact. When many do, the count is kept below the waiting time that ends
// per time, which is the number of waiters on average (Little's law).
type waiterGuess struct {
	mu      sync.Mutex
	at      time.Time
	begun   int64
	ended   time.Duration
	waiting int

	// Sums, the old fading away: the time, the waiting time that ended, the waits begun.
	memory, endedTime, beginnings float64
}

// waitMemory is, in seconds, over how long the average is taken.
const waitMemory = 0.2

// look takes a look. settled means that room in the pool is not just being made for the waiters.
func (c *waiterGuess) look(stats sql.DBStats, settled bool, now time.Time) int {
	elapsed := 0.0
	if !c.at.IsZero() {
		elapsed = now.Sub(c.at).Seconds()
	}
	begun := int(stats.WaitCount - c.begun)
	ended := stats.WaitDuration - c.ended
	c.at, c.begun, c.ended = now, stats.WaitCount, stats.WaitDuration

	keep := 1 / (1 + elapsed/waitMemory)
	c.memory = (c.memory + elapsed) * keep
	c.endedTime = (c.endedTime + ended.Seconds()) * keep
	c.beginnings = (c.beginnings + float64(begun)) * keep

	if stats.Idle > 0 || settled && stats.OpenConnections < stats.MaxOpenConnections {
		c.waiting = 0 // nobody waits beside a free connection
		return 0
	}
	c.waiting += begun
	if ended > 0 && c.memory > 0 {
		c.waiting = max(0, c.waiting-1)
		if average := c.endedTime / c.memory; c.beginnings > average {
			c.waiting = min(c.waiting, int(average+1))
		}
	}
	return c.waiting
}
