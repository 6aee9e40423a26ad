package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// strangers are connections of others.
type strangers struct {
	t     *testing.T
	conns []*pgconn.PgConn
}

// fill lets strangers take connections until the database refuses the application.
func (d *database) fill(t *testing.T) *strangers {
	t.Helper()
	s := &strangers{t: t}
	t.Cleanup(func() { s.leave(len(s.conns)) })
	for range 1000 {
		conn, err := pgconn.Connect(t.Context(), d.url)
		var refused *pgconn.PgError
		if errors.As(err, &refused) && refused.Code == tooManyConnections {
			return s
		}
		if err != nil {
			t.Fatal(err)
		}
		s.conns = append(s.conns, conn)
	}
	t.Fatal("the database is never full")
	return nil
}

// leave makes some of them go, and waits until they are gone.
func (s *strangers) leave(n int) {
	for _, conn := range s.conns[:n] {
		conn.Close(context.Background())
	}
	s.conns = s.conns[n:]
}

func tooMany(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == tooManyConnections
}

// While strangers fill the database, checkouts wait as if the lease were used up, and go on one by one as places come
// free.
func TestFullDatabase(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			var refusals atomic.Int64
			g := newGate(t, GateOptions{OnRefused: func(err error) {
				if !tooMany(err) {
					t.Errorf("refused with %v", err)
				}
				refusals.Add(1)
			}})
			tg := openTarget(t, kind, d, g, 8)
			g.SetLimit(8)
			tg.SetMax(8)
			others := d.fill(t)

			if kind == "pgxpool" { // which cannot keep the first refusal from the caller
				err := tg.exec(t.Context(), "select 1")
				if !tooMany(err) || !strings.Contains(err.Error(), fullExplained) {
					t.Errorf("the refusal is not explained: %v", err)
				}
			}
			const waiting = 5
			wait := together(waiting, func() error { return tg.exec(context.Background(), "select 1") })
			eventually(t, "they wait", func() bool { return tg.Usage().Waiting == waiting })
			before := refusals.Load()
			eventually(t, "there was another try", func() bool { return refusals.Load() > before+1 })
			if !tooMany(g.Refusal()) {
				t.Errorf("Refusal() = %v", g.Refusal())
			}
			eventually(t, "refused dials hold no place", func() bool { return g.Open() == 0 })

			others.leave(1)
			eventually(t, "one place serves one of them", func() bool { return tg.Usage().Waiting < waiting })
			others.leave(len(others.conns))
			if err := wait(); err != nil {
				t.Errorf("a checkout in a full database: %v", err)
			}
			if err := g.Refusal(); err != nil {
				t.Errorf("Refusal() = %v after dials went through", err)
			}
			tg.hold(t, 8)()
			eventually(t, "nobody waits", func() bool { return tg.Usage().Waiting == 0 })
		})
	}
}

// However many wait, one of them probes, and less and less often.
func TestFullDatabaseIsNotHammered(t *testing.T) {
	d := newDatabase(t)
	var refusals atomic.Int64
	g := newGate(t, GateOptions{OnRefused: func(error) { refusals.Add(1) }})
	tg := openTarget(t, "sql", d, g, 8)
	g.SetLimit(8)
	tg.SetMax(8)
	others := d.fill(t)
	wait := together(8, func() error { return tg.exec(context.Background(), "select 1") })
	scarcity := &tg.Pool.(*sqlPool).lane.scarcity
	eventually(t, "they wait for their turn", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return scarcity.paused > 0 && scarcity.pause == refusedPauseMax // the others may queue in the DB
	})
	if n := refusals.Load(); n > 8+6 { // each once, and then the pauses that double
		t.Errorf("%d tries until the pause was the longest", n)
	}
	others.leave(len(others.conns))
	if err := wait(); err != nil {
		t.Error(err)
	}
}

// The error of a checkout that gave up says what was the matter.
func TestFullDatabaseError(t *testing.T) {
	errExhausted := errors.New("exhausted")
	for _, end := range []string{"context", "close"} {
		t.Run(end, func(t *testing.T) {
			d := newDatabase(t)
			refused := make(chan struct{})
			once := sync.OnceFunc(func() { close(refused) })
			g := newGate(t, GateOptions{OnRefused: func(error) { once() }})
			cfg, err := pgx.ParseConfig(d.url)
			if err != nil {
				t.Fatal(err)
			}
			db, p, err := OpenSQL(g, cfg, Options{Ceiling: 2, Exhausted: func(err error) error { return fmt.Errorf("%w: %w", errExhausted, err) }})
			if err != nil {
				t.Fatal(err)
			}
			tg := &target{Pool: p, sql: db}
			defer tg.close(t)
			g.SetLimit(2)
			p.SetMax(2)
			d.fill(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			failed := make(chan error)
			go func() { failed <- db.PingContext(ctx) }()
			<-refused
			want := context.Canceled
			if end == "close" {
				want = errPoolClosed
				tg.close(t)
			} else {
				cancel()
			}
			err = <-failed
			for _, want := range []error{errExhausted, ErrDatabaseFull, want} {
				if !errors.Is(err, want) {
					t.Errorf("gave up with %q, want %q in it", err, want)
				}
			}
			if !tooMany(err) {
				t.Errorf("the server's error is not in %q", err)
			}
		})
	}
}

// Who waits for the lease does not hear that the database is full because it once was.
func TestWaitingForTheLeaseIsNotBlamedOnTheDatabase(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	tg := openTarget(t, "sql", d, g, 2)
	g.SetLimit(1)
	tg.SetMax(2)
	others := d.fill(t)
	served := make(chan func(), 1)
	wait := together(1, func() error {
		release, err := tg.try(context.Background())
		served <- release
		return err
	})
	eventually(t, "it is refused", func() bool { return tooMany(g.Refusal()) })
	others.leave(len(others.conns))
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait = together(1, func() error { return tg.exec(ctx, "select 1") })
	eventually(t, "another one waits", func() bool { return tg.Usage().Waiting == 1 })
	cancel()
	if err := wait(); !errors.Is(err, context.Canceled) || errors.Is(err, ErrDatabaseFull) {
		t.Errorf("gave up with %q", err)
	}
	(<-served)()
}

// The role's and the database's own limits refuse with the same code.
func TestFullRole(t *testing.T) {
	for _, object := range []string{"role", "database"} {
		t.Run(object, func(t *testing.T) {
			d := newDatabase(t)
			limit := func(n int) {
				if _, err := d.super.Exec(context.Background(), fmt.Sprintf("alter %s app connection limit %d", object, n)); err != nil {
					t.Fatal(err)
				}
			}
			room := 1
			if object == "database" {
				room++ // the test's own
			}
			limit(room)
			defer limit(-1)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, "sql", d, g, 2)
			g.SetLimit(2)
			tg.SetMax(2)
			release := tg.hold(t, 1)
			wait := together(1, func() error { return tg.exec(context.Background(), "select 1") })
			eventually(t, "it is refused", func() bool { return tooMany(g.Refusal()) })
			limit(room + 1)
			if err := wait(); err != nil {
				t.Error(err)
			}
			release()
		})
	}
}

// Acquisitions that are given up leave nothing behind that would keep the pool from closing.
func TestFullDatabaseGivenUp(t *testing.T) {
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	cfg, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		t.Fatal(err)
	}
	pool, p, err := OpenPgx(t.Context(), g, cfg, Options{Ceiling: 4})
	if err != nil {
		t.Fatal(err)
	}
	tg := &target{Pool: p, pgx: pool}
	defer tg.close(t)
	g.SetLimit(4)
	p.SetMax(4)
	d.fill(t)
	if err := tg.exec(t.Context(), "select 1"); !tooMany(err) {
		t.Fatalf("want a refusal, got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	wait := together(3, func() error {
		if err := tg.exec(ctx, "select 1"); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("gave up with %w", err)
		}
		return nil
	})
	eventually(t, "they wait", func() bool { return p.Usage().Waiting == 3 })
	cancel()
	if err := wait(); err != nil {
		t.Error(err)
	}
	tg.close(t)
}
