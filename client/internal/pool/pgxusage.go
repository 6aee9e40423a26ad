package pool

import (
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Usage implements [Pool]. Waiting is exact: the acquisitions that have begun and not ended. Waits is derived, as
// pgxpool counts a wait only when it ends and counts a dial as one.
func (p *pgxPool) Usage() Usage {
	stat := p.pool.Stat()
	u := Usage{
		InUse:   max(0, int(stat.AcquiredConns())-int(p.ballasts.Load())),
		Idle:    int(stat.IdleConns()),
		Waiting: max(0, int(p.entering.Load())),
		Live:    p.lane.census().live,
	}
	u.Waits = p.waits.observe(p.endedWaits(stat), p.queueing(stat, u), p.dials.Load()+p.ballastEnds.Load())
	return u
}

// queueing returns how many acquisitions wait for a connection of the share, and not for a dial or for nothing.
func (p *pgxPool) queueing(stat *pgxpool.Stat, u Usage) int64 {
	constructing := int(stat.ConstructingConns())
	if u.Idle > 0 || u.InUse+constructing < p.lane.target() {
		return 0
	}
	return int64(max(0, u.Waiting-constructing))
}

// endedWaits returns how many acquisitions of the application have ended after a wait: served from the queue, or given
// up. Those that ended with a dial are left out, because the first use of a slot is no sign of want; so are the ones
// that queued and then dialed, which waitCount has seen while they queued.
func (p *pgxPool) endedWaits(stat *pgxpool.Stat) int64 {
	return stat.EmptyAcquireCount() + stat.CanceledAcquireCount() - p.ballastEnds.Load() - p.dials.Load()
}

// waitCount makes a count that only grows, from when a wait begins, of waits that ended and waits seen under way.
type waitCount struct {
	mu     sync.Mutex
	total  int64
	offset int64
	churn  int64
}

// observe takes the ended waits, those under way, and a number that changes when ended may have fallen for another
// reason than a miscount of the moment.
func (w *waitCount) observe(ended, underWay, churn int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := ended + underWay + w.offset
	if seen < w.total && churn != w.churn {
		w.offset += w.total - seen
	}
	w.churn = churn
	w.total = max(w.total, seen)
	return w.total
}
