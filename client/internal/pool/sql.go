package pool

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// OpenSQL opens a *sql.DB over pgx's stdlib that follows its share. It starts with the share 0 and dials nothing.
//
// The share is the DB's MaxOpenConns and MaxIdleConns; whoever sets these on the DB is overruled at the next SetMax,
// and can at no time get past the gate. ConnMaxIdleTime and ConnMaxLifetime are the caller's. The DB's own Stats show
// one connection in use, and as the maximum, more than there is (see [sqlPool.occupy]); [Pool.Usage] does not.
//
// Closing the DB closes the Pool, and the other way round.
//
// database/sql does not tell how many callers wait. Usage.Waiting is read from its private fields (see [sqlQueue]), or,
// with a version of Go that has other ones, guessed (see [waiterGuess]).
func OpenSQL(gate *Gate, cfg *pgx.ConnConfig, opts Options) (*sql.DB, Pool, error) {
	return openSQL(gate, cfg, opts, newSQLQueue(new(sql.DB)) == nil)
}

// openSQL opens a pool that guesses its waiters, or one that looks at the queue.
func openSQL(gate *Gate, cfg *pgx.ConnConfig, opts Options, guess bool) (*sql.DB, Pool, error) {
	if err := opts.validate(); err != nil {
		return nil, nil, err
	}
	p := &sqlPool{ceiling: opts.Ceiling, kicks: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.lane = newLane(gate)
	p.lane.reached = p.kick
	p.db = sql.OpenDB(&connector{
		cfg:       *cfg.Copy(),
		dialer:    dialer{lane: p.lane, name: opts.Name},
		exhausted: opts.Exhausted,
		alive:     p.ctx,
		closed:    p.cancel,
		opening:   &p.opening,
	})
	if !guess {
		p.queue = newSQLQueue(p.db)
	}
	p.resize(0)
	p.occupy()
	p.wg.Go(p.run)
	return p.db, p, nil
}

// connector makes connections for a sql.DB. They are stdlib's own, so that everything stdlib offers works.
type connector struct {
	cfg       pgx.ConnConfig
	dialer    dialer
	exhausted func(error) error
	alive     context.Context // ends when the pool is closed
	closed    func()
	opening   *atomic.Int64 // dials that the DB makes for its waiters
}

// fruitless, as a value of a checkout's context, is a dial that ends in an error and opens nothing.
type fruitless func() error

type fruitlessKey struct{}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if dial, ok := ctx.Value(fruitlessKey{}).(fruitless); ok {
		return nil, dial()
	}
	if calledFrom("database/sql.(*DB).openNewConnection") {
		c.opening.Add(1)
		defer c.opening.Add(-1)
	}
	// sql.DB.Close does not end the dials of callers, and one at the gate might wait for ever.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.alive, func() { cancel(errPoolClosed) })()

	for {
		probing, done, err := c.dialer.lane.awaitTurn(ctx)
		if err != nil {
			return nil, c.exhaust(c.dialer.lane.fullError(err))
		}
		conn, again, err := c.try(ctx, probing)
		done()
		if !again {
			return conn, err
		}
	}
}

// try makes one attempt. again means that the caller need not hear of the error: the next attempt waits until there is
// something to be had.
func (c *connector) try(ctx context.Context, probing bool) (conn driver.Conn, again bool, err error) {
	cfg := c.cfg
	attempt := c.dialer.instrument(&cfg)
	conn, err = stdlib.GetConnector(cfg, stdlib.OptionResetSession(c.resetSession)).Connect(ctx)
	refused := attempt.refused.Load()
	switch ended := context.Cause(ctx); {
	case err == nil:
		return conn, false, nil
	case ended != nil && (probing || refused):
		return nil, false, c.exhaust(c.dialer.lane.fullError(ended))
	case ended == errPoolClosed:
		return nil, false, ended
	case ended == nil && (refused || attempt.outOfTouch()):
		return nil, true, nil
	case ended == nil:
		c.dialer.lane.noteFailure()
	}
	if attempt.gaveUp.Load() {
		return nil, false, c.exhaust(err)
	}
	return nil, false, err
}

func (c *connector) exhaust(err error) error {
	if c.exhausted == nil {
		return err
	}
	return c.exhausted(err)
}

var errPoolClosed = errors.New("pool: the database/sql pool is closed")

// resetSession runs on every checkout of a used connection, so it may cost one load of a number and no more.
func (c *connector) resetSession(_ context.Context, conn *pgx.Conn) error {
	if c.dialer.lane.orphans.Load() > 0 && c.dialer.lane.dead(socketFrom(conn)) {
		return driver.ErrBadConn
	}
	return nil
}

func (c *connector) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// Close is called by sql.DB.Close.
func (c *connector) Close() error {
	c.closed()
	return nil
}

func (p *sqlPool) Close(ctx context.Context) error {
	p.lane.setShare(0)
	p.cancel()
	err := p.db.Close()
	select {
	case <-after(p.wg.Wait):
		return err
	case <-ctx.Done():
		return fmt.Errorf("closing a database/sql pool: %w", ctx.Err())
	}
}

func (p *sqlPool) SetMax(n int) {
	n = min(max(n, 0), p.ceiling)
	p.lane.setShare(n)
	p.kick()
}

func (p *sqlPool) kick() {
	select {
	case p.kicks <- struct{}{}:
	default:
	}
}
