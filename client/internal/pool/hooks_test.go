package pool

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// countingTracer is a user's tracer.
type countingTracer struct {
	queries, connects, acquires, acquired, releases atomic.Int64
}

func (c *countingTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.queries.Add(1)
	return ctx
}
func (c *countingTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *countingTracer) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	c.connects.Add(1)
	return ctx
}
func (c *countingTracer) TraceConnectEnd(context.Context, pgx.TraceConnectEndData) {}
func (c *countingTracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	c.acquires.Add(1)
	return ctx
}
func (c *countingTracer) TraceAcquireEnd(context.Context, *pgxpool.Pool, pgxpool.TraceAcquireEndData) {
	c.acquired.Add(1)
}
func (c *countingTracer) TraceRelease(*pgxpool.Pool, pgxpool.TraceReleaseData) { c.releases.Add(1) }

// A user's hooks and tracer see the real connections, each once, and never ballast.
func TestPgxHooks(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	cfg, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		t.Fatal(err)
	}
	tracer := new(countingTracer)
	var before, after, netConnect, prepare, release, closed atomic.Int64
	cfg.ConnConfig.Tracer = tracer
	cfg.ConnConfig.AfterConnect = func(context.Context, *pgconn.PgConn) error { netConnect.Add(1); return nil }
	cfg.BeforeConnect = func(context.Context, *pgx.ConnConfig) error { before.Add(1); return nil }
	cfg.AfterConnect = func(context.Context, *pgx.Conn) error { after.Add(1); return nil }
	cfg.PrepareConn = func(context.Context, *pgx.Conn) (bool, error) { prepare.Add(1); return true, nil }
	cfg.AfterRelease = func(*pgx.Conn) bool { release.Add(1); return true }
	cfg.BeforeClose = func(conn *pgx.Conn) {
		if conn.IsClosed() {
			t.Error("BeforeClose of a connection that is closed")
		}
		closed.Add(1)
	}
	pool, p, err := OpenPgx(t.Context(), g, cfg, Options{Ceiling: 10})
	if err != nil {
		t.Fatal(err)
	}
	tg := &target{Pool: p, pgx: pool}
	defer tg.close(t)

	g.SetLimit(10)
	p.SetMax(4)
	tg.hold(t, 4)()
	eventually(t, "all are idle", func() bool { return p.Usage().Idle == 4 })
	if err := tg.exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
	p.SetMax(1)
	eventually(t, "the surplus is gone", func() bool { return g.Open() == 1 })
	p.SetMax(8) // nothing dials, and ballast is put to no connection's place
	p.SetMax(1)
	p.SetMax(4)
	if err := tg.exec(t.Context(), "select 1"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the release has run", func() bool { return release.Load() == 6 })
	p.SetMax(0)
	eventually(t, "all are closed", func() bool { return g.Open() == 0 })

	for name, n := range map[string][2]int64{
		"BeforeConnect": {before.Load(), 4}, "pgconn AfterConnect": {netConnect.Load(), 4}, "AfterConnect": {after.Load(), 4},
		"PrepareConn": {prepare.Load(), 6}, "AfterRelease": {release.Load(), 6}, "BeforeClose": {closed.Load(), 4},
		"queries": {tracer.queries.Load(), 2}, "connects": {tracer.connects.Load(), 4},
		"acquires": {tracer.acquires.Load(), 6}, "acquired": {tracer.acquired.Load(), 6}, "releases": {tracer.releases.Load(), 6},
	} {
		if n[0] != n[1] {
			t.Errorf("%s ran %d times, want %d", name, n[0], n[1])
		}
	}
}

func TestSession(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 3, func(cfg *pgx.ConnConfig) {
				cfg.RuntimeParams["client_connection_check_interval"] = "7s"
			})
			g.SetLimit(3)
			tg.SetMax(3)
			release := tg.hold(t, 1)
			var name string
			d.scan(&name, "select application_name from pg_stat_activity where usename = 'app'")
			if name != "conncord test" {
				t.Errorf("application_name %q", name)
			}
			release()
			const query = `select current_setting('client_connection_check_interval') || ' ' || current_setting('tcp_keepalives_idle')`
			var got string
			if tg.sql != nil {
				err := tg.sql.QueryRow(query).Scan(&got)
				if err != nil {
					t.Fatal(err)
				}
			} else if err := tg.pgx.QueryRow(t.Context(), query).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if got != "7s 10" {
				t.Errorf("settings %q: want the user's and ours", got)
			}
		})
	}
}

// database/sql users reach pgx through Raw.
func TestSQLRaw(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	tg := openTarget(t, "sql", d, g, 3)
	g.SetLimit(3)
	tg.SetMax(3)
	conn, err := tg.sql.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = conn.Raw(func(c any) error {
		return c.(*stdlib.Conn).Conn().Ping(t.Context())
	})
	if err != nil {
		t.Error(err)
	}
}

func TestExhausted(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	cfg, err := pgx.ParseConfig(d.url)
	if err != nil {
		t.Fatal(err)
	}
	errExhausted := errors.New("the lease is used up")
	db, p, err := OpenSQL(g, cfg, Options{Ceiling: 2, Exhausted: func(err error) error { return errors.Join(errExhausted, err) }})
	if err != nil {
		t.Fatal(err)
	}
	tg := &target{Pool: p, sql: db}
	defer tg.close(t)
	p.SetMax(2) // the gate admits none
	eventually(t, "the pool has grown", func() bool { return db.Stats().MaxOpenConnections == 3 })
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() { failed <- db.PingContext(ctx) }()
	eventually(t, "it waits", func() bool { return g.Waiting() == 1 })
	cancel()
	if err := <-failed; !errors.Is(err, errExhausted) || !errors.Is(err, context.Canceled) {
		t.Errorf("gave up with %v", err)
	}
}

func TestCeiling(t *testing.T) {
	g := newGate(t, GateOptions{})
	for _, ceiling := range []int{0, -1, MaxCeiling + 1} {
		if _, _, err := OpenSQL(g, new(pgx.ConnConfig), Options{Ceiling: ceiling}); !errors.Is(err, ErrCeiling) {
			t.Errorf("a ceiling of %d: %v", ceiling, err)
		}
	}
}
