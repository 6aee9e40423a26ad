package service

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/client"
)

// afterError is how long a caller pauses after an error, so that a database that
// is away is not stormed.
const afterError = 50 * time.Millisecond

// tooManyConnections is the code with which PostgreSQL refuses a connection that
// is one too many. It says so in several ways, also for the slots that are
// reserved for superusers; the code is always this.
const tooManyConnections = "53300"

// callers use the pool as the callers of a real service would.
type callers struct {
	kind kind
	pool pool
	bell chan struct{} // rings when a connection was refused

	ctx context.Context // of all; its end interrupts queries
	wg  sync.WaitGroup
	end []context.CancelFunc // one for each caller; only for resize

	hold                               atomic.Int64 // how long a caller keeps a connection, nanoseconds
	inUse, waiting                     atomic.Int64
	sessions, givenUp, refused, failed atomic.Int64
	lastError                          atomic.Pointer[string]

	mu       sync.Mutex
	failures map[Class]Failure
}

func newCallers(ctx context.Context, k kind, p pool) *callers {
	c := &callers{kind: k, pool: p, ctx: ctx, bell: make(chan struct{}, 1), failures: map[Class]Failure{}}
	c.keep(0)
	return c
}

// keep says how long callers keep a connection from now on; 0: as long as usual.
func (c *callers) keep(hold time.Duration) { c.hold.Store(int64(cmp.Or(hold, c.kind.hold))) }

// resize makes it so many callers. Those who are too many finish what they do,
// but wait for nothing.
func (c *callers) resize(n int) {
	for ; len(c.end) > n; c.end = c.end[:len(c.end)-1] {
		c.end[len(c.end)-1]()
	}
	for len(c.end) < n {
		ctx, end := context.WithCancel(c.ctx)
		c.end = append(c.end, end)
		c.wg.Go(func() { c.call(ctx) })
	}
}

// stop ends all callers and waits for them.
func (c *callers) stop() {
	c.resize(0)
	c.wg.Wait()
}

// call is one caller's life.
func (c *callers) call(ctx context.Context) {
	for n := 1; ctx.Err() == nil; n++ {
		if err := c.once(ctx, c.kind.giveUp > 0 && n%c.kind.giveUp == 0); err != nil {
			c.note(err)
			pause(ctx, afterError)
			continue
		}
		pause(ctx, c.kind.rest)
	}
}

// once gets a connection, uses it and returns it.
func (c *callers) once(ctx context.Context, giveUp bool) error {
	c.waiting.Add(1)
	s, err := c.pool(ctx)
	c.waiting.Add(-1)
	if err != nil {
		return err
	}
	defer s.done()
	c.inUse.Add(1)
	defer c.inUse.Add(-1)
	hold := time.Duration(c.hold.Load())
	if giveUp {
		impatient, cancel := context.WithTimeout(c.ctx, hold/2)
		defer cancel()
		if err := s.work(impatient, hold); impatient.Err() == nil {
			return err
		}
		c.givenUp.Add(1)
		return nil
	}
	if err := s.work(c.ctx, hold); err != nil {
		return err
	}
	c.sessions.Add(1)
	return nil
}

// note counts an error, unless it only says that the caller's time is over.
func (c *callers) note(err error) {
	switch {
	case wasRefused(err):
		c.refused.Add(1)
		select {
		case c.bell <- struct{}{}:
		default:
		}
	case errors.Is(err, context.Canceled), errors.Is(err, client.ErrClosed), c.ctx.Err() != nil:
		return
	default:
		c.failed.Add(1)
		c.mu.Lock()
		class := classOf(err)
		c.failures[class] = Failure{Count: c.failures[class].Count + 1, Last: err.Error()}
		c.mu.Unlock()
	}
	text := err.Error()
	c.lastError.Store(&text)
}

// wasRefused reports whether the database had no connection left.
func wasRefused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == tooManyConnections
}

// report adds the counters.
func (c *callers) report(r *Report) {
	r.InUse, r.Waiting = int(c.inUse.Load()), int(c.waiting.Load())
	r.Sessions, r.GivenUp = c.sessions.Load(), c.givenUp.Load()
	r.Refused, r.Failed = c.refused.Load(), c.failed.Load()
	if text := c.lastError.Load(); text != nil {
		r.LastError = *text
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Failures = maps.Clone(c.failures)
}

func pause(ctx context.Context, d time.Duration) {
	if d == 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
