package pool

import (
	"database/sql"
	"math"
	"sync"
	"time"
)

// Usage implements [Pool].
func (p *sqlPool) Usage() Usage {
	stats, waiting := p.observe()
	dials := p.lane.dials()
	return Usage{
		// database/sql counts a dial as in use; one that waits at the gate uses nothing.
		InUse:   max(0, stats.InUse-occupied-dials),
		Idle:    stats.Idle,
		Waiting: dials + waiting,
		Waits:   stats.WaitCount,
	}
}

func (p *sqlPool) observe() (stats sql.DBStats, waiting int) {
	p.waiters.mu.Lock()
	defer p.waiters.mu.Unlock()
	begun := p.growths.Load()
	settled := begun == p.grown.Load()
	stats = p.db.Stats()
	settled = settled && begun == p.growths.Load()
	return stats, p.waiters.guess(stats, settled, time.Now())
}

// waiterEstimate derives how many callers wait in database/sql's queue. The library tells how many waits have begun, and
// how long all waits together took that have ended, but not how many those were.
//
// As long as at most one wait ends between two looks, counting is exact, and it is so for callers who wait long for a
// share that is too small. When many end, the number of waiters is, on average, the waiting time that ended per time that
// passed (Little's law): the count is kept near that.
//
// A waiter for whom database/sql itself dials is counted twice while that dial waits at the gate; it dials one at a time.
type waiterEstimate struct {
	mu      sync.Mutex
	at      time.Time
	begun   int64
	ended   time.Duration
	waiting float64
	since   float64 // waits that have begun since a connection was free

	// Seconds, over the latest estimateMemory waits or so.
	recentTime, recentEnded float64
}

// estimateMemory is how many waits the average is taken over: enough for one not to matter, few enough to follow.
const estimateMemory = 16

// guess takes a look. settled means that room in the pool is not just being made for the waiters.
func (e *waiterEstimate) guess(stats sql.DBStats, settled bool, now time.Time) int {
	elapsed := 0.0
	if !e.at.IsZero() {
		elapsed = now.Sub(e.at).Seconds()
	}
	begun := float64(stats.WaitCount - e.begun)
	ended := (stats.WaitDuration - e.ended).Seconds()
	e.at, e.begun, e.ended = now, stats.WaitCount, stats.WaitDuration

	if stats.Idle > 0 || settled && stats.OpenConnections < stats.MaxOpenConnections {
		e.waiting, e.since, e.recentTime, e.recentEnded = 0, 0, 0, 0 // nobody waits beside a free connection
		return 0
	}
	keep := math.Exp(-begun / estimateMemory)
	e.recentTime = e.recentTime*keep + elapsed
	e.recentEnded = e.recentEnded*keep + ended
	e.since += begun
	e.waiting += begun
	if ended > 0 && e.recentTime > 0 {
		e.waiting = max(0, e.waiting-1)
		average := e.recentEnded / e.recentTime
		switch {
		case begun > 2: // too many to count
			e.waiting = min(e.waiting, average+1)
		case e.since > 3*e.waiting: // the average knows enough to correct the count
			e.waiting = min(e.waiting, 1.25*average+1)
		}
	}
	return int(math.Round(e.waiting))
}
