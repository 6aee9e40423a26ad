package pool

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// OpenPgx opens a *pgxpool.Pool that follows its share. It starts with the share 0 and dials nothing. ctx bounds the
// opening, which talks to no server.
//
// MaxConns is the ceiling, whatever cfg says, and MinConns and MinIdleConns are 0: keeping a minimum would dial without
// anybody asking. The slots beyond the share are held by ballast (see ballast.go), which pgxpool's own Stat counts as
// acquired connections; [Pool.Usage] does not. Hooks and tracers in cfg run for real connections and never for ballast.
//
// While the database is full, acquisitions wait (see refusal.go). But pgxpool hands the error of a dial to whoever it was
// made for, so the ones whose dials find out, or are overtaken by others, fail. Their error is the server's own, with an
// explanation added to its message.
//
// Closing the pgxpool.Pool closes the Pool, and the other way round.
func OpenPgx(ctx context.Context, gate *Gate, cfg *pgxpool.Config, opts Options) (*pgxpool.Pool, Pool, error) {
	if err := opts.validate(); err != nil {
		return nil, nil, err
	}
	full := make(chan struct{})
	p := &pgxPool{
		ceiling: opts.Ceiling,
		kicks:   make(chan struct{}, 1),
		pending: make(map[*ballast]struct{}),
		full:    full,
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.lane = newLane(gate)
	p.lane.orphaned = p.kick

	cfg = cfg.Copy()
	cfg.MaxConns = int32(opts.Ceiling)
	cfg.MinConns, cfg.MinIdleConns = 0, 0
	p.instrument(cfg, dialer{lane: p.lane, name: opts.Name, explain: true})

	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), cfg)
	if err != nil {
		p.cancel()
		return nil, nil, err
	}
	p.pool = pool
	p.wg.Go(p.run)
	p.kick()
	select {
	case <-full:
		return pool, p, nil
	case <-ctx.Done():
		p.Close(context.WithoutCancel(ctx)) // nobody has a connection of this pool, so it does not wait for any
		return nil, nil, fmt.Errorf("opening a pgx pool: %w", ctx.Err())
	}
}

// instrument puts the controller between the pool and the hooks of the user.
func (p *pgxPool) instrument(cfg *pgxpool.Config, d dialer) {
	users := *cfg
	usersTracer := cfg.ConnConfig.Tracer
	p.usersBeforeClose = users.BeforeClose

	cfg.BeforeConnect = func(ctx context.Context, cc *pgx.ConnConfig) error {
		p.watch.Do(func() { context.AfterFunc(ctx, p.cancel) }) // pgxpool ends this context when it is closed
		if b := ballastFrom(ctx); b != nil {
			return b.connect(cc)
		}
		cc.Tracer = usersTracer
		if users.BeforeConnect != nil {
			if err := users.BeforeConnect(ctx, cc); err != nil {
				return err
			}
		}
		if err := d.awaitRoom(ctx, cc); err != nil {
			return err
		}
		d.instrument(cc)
		return nil
	}
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if isBallast(conn) {
			return nil
		}
		p.dials.Add(1)
		if users.AfterConnect != nil {
			return users.AfterConnect(ctx, conn)
		}
		return nil
	}
	cfg.BeforeClose = func(conn *pgx.Conn) {
		if isBallast(conn) {
			p.ballasts.Add(-1)
			return
		}
		if users.BeforeClose != nil {
			users.BeforeClose(conn)
		}
	}
	prepare := users.PrepareConn
	//lint:ignore SA1019 it is deprecated, and users have it
	if before := users.BeforeAcquire; prepare == nil && before != nil {
		prepare = func(ctx context.Context, conn *pgx.Conn) (bool, error) { return before(ctx, conn), nil }
	}
	if prepare != nil { // else none, as it would cost something on every checkout
		cfg.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			if _, ok := ctx.(*ballast); ok {
				return true, nil
			}
			return prepare(ctx, conn)
		}
	}
	if users.AfterRelease != nil {
		cfg.AfterRelease = func(conn *pgx.Conn) bool {
			if isAside(conn) {
				delete(conn.PgConn().CustomData(), asideMark)
				return true
			}
			return users.AfterRelease(conn)
		}
	}
	p.installTracer(cfg, usersTracer)
}

// SetMax implements [Pool].
func (p *pgxPool) SetMax(n int) {
	p.lane.setShare(min(max(n, 0), p.ceiling))
	p.kick()
}

func (p *pgxPool) kick() {
	select {
	case p.kicks <- struct{}{}:
	default:
	}
}

// Close implements [Pool]. It waits for connections in use, as pgxpool's own Close does.
func (p *pgxPool) Close(ctx context.Context) error {
	p.lane.setShare(0)
	p.cancel()
	closed := after(func() {
		p.wg.Wait() // ballast goes first, pgxpool would wait for it
		p.pool.Close()
	})
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("closing a pgx pool: %w", ctx.Err())
	}
}
