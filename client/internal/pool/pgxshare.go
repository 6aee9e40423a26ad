package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// closeConnTimeout bounds the writing of pgx's Terminate when a connection is given up.
	closeConnTimeout = 5 * time.Second

	// borrowTimeout bounds how long ballast keeps idle connections aside while it looks for an empty slot. They are the
	// application's, so it is short; what was not found is tried again.
	borrowTimeout = 50 * time.Millisecond

	// unqueued is what an acquisition takes that finds an idle connection at once, with room to spare.
	unqueued = 100 * time.Microsecond

	// purgeInterval is the pause between looks for killed connections, while the application still holds some that it
	// may return.
	purgeInterval = 20 * time.Millisecond

	// retryDelay is the pause after ballast that could not be acquired although it was wanted.
	retryDelay = 10 * time.Millisecond
)

// pgxPool makes a pgxpool.Pool follow its share by holding ballast. SetMax only leaves the number; one goroutine brings
// the ballast held and under way to what the number asks for, and each acquisition has its own goroutine, because it
// queues behind the application's.
type pgxPool struct {
	pool    *pgxpool.Pool
	lane    *lane
	ceiling int

	usersBeforeClose func(*pgx.Conn)

	kicks  chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	watch sync.Once // learns from the first connection attempt when the user closes the pool

	mu      sync.Mutex
	wanted  int // slots that should be ballast
	held    []*pgxpool.Conn
	pending map[*ballast]struct{}
	full    chan struct{} // closed when all slots are ballast for the first time

	// For Usage.
	ballasts atomic.Int64 // acquired slots that are ballast
	entering atomic.Int64 // acquisitions of the application under way
	dials    atomic.Int64 // connections made for the application
	waits    waitCount

	ballastEnds atomic.Int64 // what ballast adds to pgxpool's counts of ended waits
}

func (p *pgxPool) run() {
	for {
		select {
		case <-p.kicks:
			p.purge()
			p.adjust(p.ceiling - p.lane.target())
		case <-p.ctx.Done():
			p.adjust(0)
			return
		}
	}
}

// adjust brings ballast to the wanted number. Growing the pool comes first: whoever still queues to shrink it gives up.
func (p *pgxPool) adjust(wanted int) {
	p.mu.Lock()
	p.wanted = wanted
	for b := range p.pending {
		if len(p.held)+len(p.pending) <= wanted {
			break
		}
		if b.cancel() {
			delete(p.pending, b)
		}
	}
	var surplus []*pgxpool.Conn
	if len(p.held) > wanted {
		surplus = append(surplus, p.held[wanted:]...)
		clear(p.held[wanted:])
		p.held = p.held[:wanted]
	}
	for len(p.held)+len(p.pending) < wanted {
		b := newBallast()
		p.pending[b] = struct{}{}
		p.wg.Go(func() { p.load(b) })
	}
	p.mu.Unlock()
	for _, conn := range surplus {
		conn.Release() // it is closed, so pgxpool gives the slot to the next in its queue
	}
}

// load acquires one piece of ballast and keeps it if it is still wanted then.
func (p *pgxPool) load(b *ballast) {
	conn, err := p.take(b)
	b.cancelFunc()

	p.mu.Lock()
	_, expected := p.pending[b]
	delete(p.pending, b)
	keep := conn != nil && len(p.held) < p.wanted
	if keep {
		p.held = append(p.held, conn)
		if len(p.held) == p.ceiling && p.full != nil {
			close(p.full)
			p.full = nil
		}
	}
	p.mu.Unlock()

	if conn != nil && !keep {
		conn.Release()
	}
	if err != nil && expected {
		time.AfterFunc(retryDelay, p.kick)
	}
}

// take acquires a slot and makes sure that no physical connection is behind it. pgxpool prefers to hand out an idle
// connection; while the pool has no more of them than its share, these are put aside until an empty slot comes.
func (p *pgxPool) take(b *ballast) (*pgxpool.Conn, error) {
	var aside []*pgxpool.Conn
	defer func() {
		for _, conn := range aside {
			p.putBack(conn)
		}
	}()
	for {
		conn, err := p.acquire(b)
		if err != nil {
			return nil, err
		}
		s := socketFrom(conn.Conn())
		if isBallast(conn.Conn()) || s == nil || p.lane.condemn(s) {
			p.empty(conn.Conn())
			return conn, nil
		}
		if p.lane.census().dials > 0 {
			p.putBack(conn)
			return nil, errNoRoom // the empty slots are taken by dials; there may be one when they are through
		}
		if len(aside) == 0 {
			defer time.AfterFunc(borrowTimeout, func() { b.cancel() }).Stop()
		}
		aside = append(aside, conn)
	}
}

// purge takes killed connections out of the idle ones, where pgx has not noticed their end. To look at each connection
// on its checkout would be surer, and would cost every checkout something for the sake of the last resort.
func (p *pgxPool) purge() {
	if p.lane.orphans.Load() == 0 {
		return
	}
	for _, conn := range p.pool.AcquireAllIdle(newBallast()) {
		p.ballasts.Add(1)
		if p.lane.dead(socketFrom(conn.Conn())) {
			p.empty(conn.Conn())
			conn.Release()
		} else {
			p.putBack(conn)
		}
	}
	if p.lane.orphans.Load() > 0 {
		time.AfterFunc(purgeInterval, p.kick)
	}
}

var errNoRoom = errors.New("pool: no empty slot for ballast")

// putBack returns a connection that ballast was handed, as if nothing had happened.
func (p *pgxPool) putBack(conn *pgxpool.Conn) {
	p.ballasts.Add(-1)
	conn.Conn().PgConn().CustomData()[asideMark] = true
	conn.Release()
}

// empty closes the connection of a slot that is held from now on.
func (p *pgxPool) empty(conn *pgx.Conn) {
	if !isBallast(conn) {
		if p.usersBeforeClose != nil {
			p.usersBeforeClose(conn)
		}
		markBallast(conn.PgConn())
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeConnTimeout)
	defer cancel()
	conn.Close(ctx)
}

// acquire takes a slot, and keeps the books of what pgxpool's statistics make of it.
func (p *pgxPool) acquire(b *ballast) (*pgxpool.Conn, error) {
	begun := time.Now()
	conn, err := p.pool.Acquire(b)
	switch {
	case err == nil && (isBallast(conn.Conn()) || time.Since(begun) > unqueued):
		p.ballastEnds.Add(1)
	case errors.Is(err, context.Canceled):
		p.ballastEnds.Add(1)
	}
	return conn, err
}
