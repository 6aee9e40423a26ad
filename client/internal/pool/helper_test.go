package pool

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/conncord/conncord/events/servertest"
)

// patience is how long a test waits for what should happen at once, on a loaded machine with the race detector.
const patience = 20 * time.Second

// eventually waits for a condition that no signal tells of.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		<-tick.C
	}
}

// database is the server's own view of what the pools do.
type database struct {
	t     testing.TB
	url   string
	mu    sync.Mutex
	super *pgx.Conn
}

// newDatabase also checks, when the test ends, that no goroutine and no connection was left behind.
func newDatabase(t testing.TB) *database {
	t.Helper()
	server := servertest.SharedPostgres(t)
	before := goleak.IgnoreCurrent()
	super, err := pgx.Connect(t.Context(), server.SuperURL())
	if err != nil {
		t.Fatal(err)
	}
	d := &database{t: t, url: server.URL(), super: super}
	t.Cleanup(func() {
		if !t.Failed() {
			eventually(t, "no connection is left in the database", func() bool { return d.count() == 0 })
			if err := goleak.Find(before); err != nil {
				t.Error(err)
			}
		}
		super.Close(context.Background())
	})
	return d
}

func (d *database) scan(into any, query string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.super.QueryRow(context.Background(), query, args...).Scan(into); err != nil {
		d.t.Errorf("asking the database: %v", err)
	}
}

// count returns how many connections of the application the database has.
func (d *database) count() (n int) {
	d.scan(&n, `select count(*) from pg_stat_activity where usename = 'app' and backend_type = 'client backend'`)
	return n
}

// terminateOne ends one of the application's connections, as an administrator would.
func (d *database) terminateOne() {
	var n int
	d.scan(&n, `select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity
		where usename = 'app' order by random() limit 1) as one`)
}

// running returns how many of the application's connections are in a query that contains text.
func (d *database) running(text string) (n int) {
	d.scan(&n, `select count(*) from pg_stat_activity where usename = 'app' and state = 'active' and query like '%' || $1 || '%'`, text)
	return n
}

func newGate(t testing.TB, opts GateOptions) *Gate {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	g := NewGate(opts)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Close(ctx); err != nil {
			t.Error(err)
		}
		if n := g.Open(); n != 0 {
			t.Errorf("the closed gate has %d connections open", n)
		}
	})
	return g
}

// target is one pool of either kind, as an application sees it.
type target struct {
	Pool
	sql *sql.DB
	pgx *pgxpool.Pool
}

var kinds = []string{"sql", "pgxpool"}

func openTarget(t testing.TB, kind string, d *database, g *Gate, ceiling int, adapt ...func(*pgx.ConnConfig)) *target {
	t.Helper()
	opts := Options{Ceiling: ceiling, Name: func() string { return "conncord test" }}
	tg := new(target)
	switch kind {
	case "sql", "sql guessed":
		cfg, err := pgx.ParseConfig(d.url)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range adapt {
			f(cfg)
		}
		if tg.sql, tg.Pool, err = openSQL(g, cfg, opts, kind == "sql guessed"); err != nil {
			t.Fatal(err)
		}
	case "pgxpool":
		cfg, err := pgxpool.ParseConfig(d.url)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range adapt {
			f(cfg.ConnConfig)
		}
		if tg.pgx, tg.Pool, err = OpenPgx(t.Context(), g, cfg, opts); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { tg.close(t) })
	return tg
}

func (tg *target) close(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := tg.Close(ctx); err != nil {
		t.Error(err)
	}
}

func (tg *target) exec(ctx context.Context, query string) error {
	if tg.sql != nil {
		_, err := tg.sql.ExecContext(ctx, query)
		return err
	}
	_, err := tg.pgx.Exec(ctx, query)
	return err
}

// try checks one connection out.
func (tg *target) try(ctx context.Context) (release func(), err error) {
	if tg.sql != nil {
		conn, err := tg.sql.Conn(ctx)
		return func() { conn.Close() }, err
	}
	conn, err := tg.pgx.Acquire(ctx)
	return func() { conn.Release() }, err
}

// hold checks n connections out and returns what returns them.
func (tg *target) hold(t testing.TB, n int) (release func()) {
	t.Helper()
	var back []func()
	for range n {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		f, err := tg.try(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, f)
	}
	return func() {
		for _, f := range back {
			f()
		}
	}
}

// together runs f in n goroutines and returns what waits for their errors.
func together(n int, f func() error) (wait func() error) {
	errs := make(chan error, n)
	for range n {
		go func() { errs <- f() }()
	}
	return func() error {
		timeout := time.After(patience)
		for i := range n {
			select {
			case err := <-errs:
				if err != nil {
					return err
				}
			case <-timeout:
				return fmt.Errorf("%d of %d never came back", n-i, n)
			}
		}
		return nil
	}
}

func itoa(port uint16) string { return strconv.Itoa(int(port)) }

// syncBuffer collects a log that many goroutines write.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *syncBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }
