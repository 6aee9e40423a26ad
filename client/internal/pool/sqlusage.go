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
// What is known besides is how long the present waiters have waited together: the time that has passed, once for each,
// less what has ended. database/sql serves its waiters in random order, so those who leave have waited the average time,
// and the time that ended tells their number.
//
// Many short waits between two looks leave that number too high. Then the time that ended, per time that passed, is the
// average number of those who waited, and the estimate does not exceed twice of it.
type waiterEstimate struct {
	mu      sync.Mutex
	at      time.Time
	begun   int64
	ended   time.Duration
	waiting float64 // callers
	waited  float64 // seconds, all of them together
}

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
		e.waiting, e.waited = 0, 0 // nobody waits beside a free connection
		return 0
	}
	e.waited += (e.waiting + begun/2) * elapsed
	e.waiting += begun
	if ended > 0 && elapsed > 0 {
		average := ended / elapsed
		if left := ended / e.waited; left < 1 {
			e.waiting = min(e.waiting*(1-left), 2*average)
			e.waited -= ended
		} else { // more has ended than was known to wait
			e.waiting = min(e.waiting, average)
			e.waited = e.waiting * elapsed / 2
		}
	}
	return int(math.Round(e.waiting))
}
