package pool

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

const (
	// maxNudges bounds the dials that one raise of the share makes at once. The rest is dialed by database/sql itself,
	// one after the other.
	maxNudges = 16

	// maxTrims bounds the tries to close idle connections while callers take and return them. What is left over is
	// closed by database/sql when it is returned.
	maxTrims = 10
)

// sqlPool makes a sql.DB follow its share. SetMax only leaves the number; one goroutine does the rest, because closing
// idle connections writes to the network.
type sqlPool struct {
	db      *sql.DB
	lane    *lane
	ceiling int

	kicks  chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	queue    *sqlQueue    // or else
	guess    waiterGuess  // with
	opening  atomic.Int64 // dials that the DB makes for its waiters
	nudging  atomic.Int64 // checkouts of our own, see grow
	trimming atomic.Int64 // idle connections that are being closed
	growths  atomic.Int64 // raises of the maximum that have begun, and
	grown    atomic.Int64 // those after which waiters were woken

	// Used by run alone.
	reach      int // what the pool tries to have
	size       int // what the DB's maximum stands for now: with dials that are stuck beyond that
	nudges     context.Context
	stopNudges context.CancelFunc
}

func (p *sqlPool) run() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.kicks:
		}
		reach, stuck := p.lane.reach()
		target := reach + stuck
		switch {
		case target < p.size:
			p.shrink(target)
		case reach > p.reach:
			p.grow(target)
		case target > p.size:
			p.resize(target)
		}
		p.reach, p.size = reach, target
	}
}

// resize sets the maximum to the share, and one for the checkout that occupies a place (see occupy). Idle connections
// of the share are kept: a checkout on a held lease must not dial.
func (p *sqlPool) resize(share int) {
	p.db.SetMaxOpenConns(share + occupied)
	p.db.SetMaxIdleConns(share)
}

// occupied is how many of the DB's connections do not exist, see occupy.
const occupied = 1

// occupy takes one place in the DB for as long as the pool lives: a checkout whose dial does not end. database/sql takes
// a maximum of 0 for "unlimited"; with a maximum of 1 and nothing to occupy it, a last connection would pass from waiter
// to waiter and outlive a share of 0. occupy returns when the place is taken, and runs before anybody knows the DB.
func (p *sqlPool) occupy() {
	dialing := make(chan struct{})
	ctx := withFruitless(context.Background(), func() error {
		close(dialing)
		<-p.ctx.Done()
		return errFruitless
	})
	p.wg.Go(func() { p.db.Conn(ctx) })
	<-dialing
}

var errFruitless = errors.New("pool: this dial opens nothing")

func withFruitless(ctx context.Context, dial fruitless) context.Context {
	return context.WithValue(ctx, fruitlessKey{}, dial)
}

// shrink lowers the maximum and closes idle connections down to it. Connections in use are closed by database/sql when
// they are returned, since more than the maximum are open then.
func (p *sqlPool) shrink(target int) {
	if p.stopNudges != nil {
		p.stopNudges()
		p.stopNudges = nil
	}
	p.db.SetMaxOpenConns(target + occupied)
	for range maxTrims {
		stats := p.db.Stats()
		if stats.OpenConnections <= target+occupied || stats.Idle == 0 {
			break
		}
		p.keepIdle(stats.Idle, target+occupied-stats.InUse)
	}
	p.keepIdle(p.db.Stats().Idle, target)
}

// keepIdle closes all of the idle connections but so many. database/sql has them in use while it closes them.
func (p *sqlPool) keepIdle(idle, keep int) {
	p.trimming.Store(int64(max(0, idle-max(0, keep))))
	p.db.SetMaxIdleConns(keep) // 0 and less: keep none
	p.trimming.Store(0)
}

// grow raises the maximum and wakes callers that wait in database/sql, which does not look for them when its maximum
// rises. Some connections are opened and returned at once, which hands them to waiters. Then one dial fails on purpose:
// after a failed dial database/sql does look, and opens what is still missing for exactly those who wait.
func (p *sqlPool) grow(target int) {
	before, waiting := p.observe()
	p.growths.Add(1)
	p.resize(target)
	if before.OpenConnections < before.MaxOpenConnections {
		p.grown.Add(1)
		return // there was room, so nobody waited
	}
	dials := min(target-p.size, maxNudges, waiting)
	if p.stopNudges == nil {
		p.nudges, p.stopNudges = context.WithCancel(p.ctx)
	}
	ctx := p.nudges
	p.wg.Go(func() {
		defer p.grown.Add(1)
		var wg sync.WaitGroup
		for range dials {
			wg.Go(func() { p.openAndReturn(ctx) })
		}
		wg.Wait()
		p.openAndReturn(withFruitless(ctx, func() error { return errFruitless }))
	})
}

func (p *sqlPool) openAndReturn(ctx context.Context) {
	if stats := p.db.Stats(); stats.Idle > 0 || stats.OpenConnections >= stats.MaxOpenConnections {
		return // nobody waits, or there is no room: a checkout of ours would only queue up as well
	}
	p.nudging.Add(1)
	defer p.nudging.Add(-1)
	if conn, err := p.db.Conn(ctx); err == nil {
		conn.Close()
	}
}
