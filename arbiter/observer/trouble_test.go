package observer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// inTime fails the test when a call took longer than it may. The machine gets its share of patience, too.
func inTime(t *testing.T, what string, limit time.Duration, call func()) {
	t.Helper()
	const slack = 5 * time.Second
	begun := time.Now()
	call()
	if took := time.Since(begun); took > limit+slack {
		t.Errorf("%s took %v, the limit is %v", what, took, limit)
	}
}

func TestRestart(t *testing.T) {
	s := newStageOn(t, servertest.NeedPostgres(t))
	o := s.observer("app")
	s.look(o)
	for range 2 {
		if err := s.server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Look(t.Context()); err == nil {
			t.Error("the connection has outlived its server")
		}
		s.lookUntil(o, "the restarted server is seen", anything)
	}
	s.server.Kill()
	for range 3 {
		inTime(t, "a look at nothing", DialTimeout+LookTimeout, func() {
			if _, err := o.Look(t.Context()); err == nil || errors.Is(err, ErrFull) {
				t.Error("a dead server is", err)
			}
		})
	}
	if err := s.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.lookUntil(o, "the server is back", anything)
}

// TestHang: neither a backend that is stopped nor a postmaster that is stopped holds a look for longer than its limit,
// and nothing is left running behind.
func TestHang(t *testing.T) {
	s := newStageOn(t, servertest.NeedPostgres(t))
	o := s.observer("app")
	s.look(o)
	before := goleak.IgnoreCurrent()
	mine := int(o.line.conn.PgConn().PID())
	signal := func(sig syscall.Signal, pids ...int) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
				t.Error(err)
			}
		}
	}
	signal(syscall.SIGSTOP, mine, s.server.Pid())
	t.Cleanup(func() { signal(syscall.SIGCONT, mine, s.server.Pid()) })

	inTime(t, "a look at a stopped backend", LookTimeout, func() {
		if _, err := o.Look(t.Context()); err == nil {
			t.Error("a stopped backend has answered")
		}
	})
	if err := goleak.Find(before); err != nil {
		t.Error("after a look that failed:", err)
	}
	eventually(t, "the pause is over", func() bool { return o.pacer.wait(time.Now()) <= 0 })
	inTime(t, "a look at a stopped server", DialTimeout, func() {
		if _, err := o.Look(t.Context()); err == nil {
			t.Error("a stopped server has answered")
		}
	})
	inTime(t, "a look soon after", 0, func() {
		if _, err := o.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "not trying again for") {
			t.Error("no pause is kept:", err)
		}
	})
	if err := goleak.Find(before); err != nil {
		t.Error("after an attempt that failed:", err)
	}

	signal(syscall.SIGCONT, mine, s.server.Pid())
	s.lookUntil(o, "the server goes on, and of us there is one connection", func(l Look) bool { return l.Platform == 1 })
}

// TestSlow: a query that waits for a lock is given up by the server.
func TestSlow(t *testing.T) {
	s := newStage(t)
	o := s.observer("app")
	s.look(o)
	tx, err := s.super.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), "lock pg_database in access exclusive mode"); err != nil {
		t.Fatal(err)
	}
	inTime(t, "a look that waits for a lock", LookTimeout, func() {
		if _, err := o.Look(t.Context()); err == nil {
			t.Error("the lock was passed by")
		}
	})
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.lookUntil(o, "the lock is gone", anything)
}

func TestFull(t *testing.T) {
	s := newStageOn(t, servertest.NeedPostgres(t, servertest.PostgresOptions{MaxConnections: 10}))
	s.role("watcher", "pg_monitor")
	o := s.observer("watcher")
	var all []*pgx.Conn
	for {
		conn, err := s.dial("app", "psql")
		if err != nil {
			break
		}
		defer conn.Close(context.Background())
		all = append(all, conn)
	}
	_, err := o.Look(t.Context())
	if !errors.Is(err, ErrFull) {
		t.Fatal("a full database is:", err)
	}
	t.Log(err)
	if _, err := o.Look(t.Context()); !errors.Is(err, ErrFull) { // in the pause
		t.Error("and then:", err)
	}
	all[0].Close(t.Context())
	look := s.lookUntil(o, "there is room", anything)
	// The administrator's counts with the others: what is kept for superusers is the last that is free.
	if look.Usable != 7 || look.External+look.Platform != look.Usable {
		t.Errorf("full to the last, but %+v", look)
	}

	s.exec("alter role watcher connection limit 0")
	o = s.observer("watcher")
	if _, err := o.Look(t.Context()); !errors.Is(err, ErrFull) {
		t.Error("a role without room is:", err)
	}
	s.exec("alter role watcher connection limit -1", "alter database app connection limit 0")
	o = s.observer("watcher")
	if _, err := o.Look(t.Context()); !errors.Is(err, ErrFull) {
		t.Error("a database without room is:", err)
	}
}

// TestContext: a caller that goes away takes its question back, and the next one is answered.
func TestContext(t *testing.T) {
	s := newStage(t)
	o := s.observer("app")
	s.look(o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Look(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	s.lookUntil(o, "the next look works", anything)
}

// silent is a server that accepts and says nothing.
func silent(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// TestClose: it does not wait for a server, breaks off a look, and leaves nothing in the database.
func TestClose(t *testing.T) {
	s := newStage(t)
	o := s.observer("app")
	s.look(o)
	if err := o.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := o.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := o.Look(t.Context()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := o.End(t.Context(), []Backend{{PID: 1, Start: 1, Name: events.ApplicationName("default", "api", "one")}}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	eventually(t, "the connection is gone", func() bool {
		var n int
		err := s.super.QueryRow(t.Context(), "select count(*) from pg_stat_activity where application_name = $1", events.ObserverName("default")).Scan(&n)
		return err == nil && n == 0
	})

	o, err := New(Config{URL: "postgres://app@" + silent(t) + "/app", Budget: "default"})
	if err != nil {
		t.Fatal(err)
	}
	looked := make(chan error)
	go func() {
		_, err := o.Look(context.Background())
		looked <- err
	}()
	eventually(t, "the look is under way", func() bool {
		if o.mu.TryLock() {
			o.mu.Unlock()
			return false
		}
		return true
	})
	begun := time.Now()
	closed := make(chan error)
	go func() { closed <- o.Close(context.Background()) }()
	if err := <-looked; err == nil {
		t.Error("silence is an answer")
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took >= DialTimeout {
		t.Errorf("closing waited %v for the look", took)
	}
}

// TestPasswordIsNeverShown goes through the ways in which a configuration or a connection can fail.
func TestPasswordIsNeverShown(t *testing.T) {
	const secret = "s3cr3t/pa?ss:word@x"
	const encoded = "s3cr3t%2Fpa%3Fss%3Aword%40x"
	s := newStage(t)
	shown := func(err error) {
		t.Helper()
		if err == nil {
			t.Error("no error")
			return
		}
		for text := fmt.Sprintf("%v %+v %#v", err, err, err); err != nil; err = errors.Unwrap(err) {
			text += err.Error()
			if strings.Contains(text, "s3cr3t") || strings.Contains(text, "pa?ss") {
				t.Errorf("the password is shown: %s", text)
				return
			}
		}
	}
	for _, url := range []string{
		"postgres://app:" + secret + "@127.0.0.1:5432/app", // not encoded
		"postgres://app:" + encoded + "@127.0.0.1:port/app",
		"postgres://app:" + encoded + "@127.0.0.1:5432/app?sslmode=sometimes",
		"postgres://app:" + encoded + "@127.0.0.1:5432/app?sslmode=verify-full&sslrootcert=/" + encoded,
		"postgres://app@127.0.0.1:5432/app?sslmode=sometimes&password=" + encoded,
		"postgres://app:" + encoded + "@127.0.0.1:5432/app?connect_timeout=" + encoded,
		"postgres://app:" + encoded + "@[::1/app",
		"postgres:app:" + encoded + "@127.0.0.1:5432/app",
		"host=127.0.0.1 user=app password='" + secret,
		"host=127.0.0.1 user=app password=" + secret + " sslmode=sometimes",
		"app:" + secret,
		secret,
	} {
		_, err := New(Config{URL: url, Budget: "default"})
		shown(err)
		t.Log(err)
	}
	s.exec("drop role if exists locked", "create role locked login password 'another' connection limit 0")
	defer s.exec("drop role locked")
	port := s.super.Config().Port
	for _, url := range []string{
		fmt.Sprintf("postgres://locked:%s@127.0.0.1:%d/app", encoded, port),
		fmt.Sprintf("postgres://nobody:%s@127.0.0.1:%d/app?sslmode=disable", encoded, port),
		fmt.Sprintf("postgres://app:%s@127.0.0.1:%d/app?sslmode=require", encoded, port),
		fmt.Sprintf("postgres://app:%s@127.0.0.1:%d/nothing", encoded, port),
		fmt.Sprintf("postgres://app:%s@127.0.0.1:1/app", encoded),
		fmt.Sprintf("postgres://app:%s@no-such-host.invalid/app", encoded),
		fmt.Sprintf("postgres://app:%s@%s/app", encoded, silent(t)),
	} {
		o := s.observer("app", func(cfg *Config) { cfg.URL = url })
		_, err := o.Look(t.Context())
		shown(err)
		t.Log(err)
		_, err = o.Look(t.Context()) // in the pause
		shown(err)
	}
	o := s.observer("app", func(cfg *Config) { cfg.URL = fmt.Sprintf("postgres://app:%s@127.0.0.1:%d/app", encoded, port) })
	s.container("postgres", "api", "one")
	s.look(o) // logs what is hidden
	if log := s.log.String(); log == "" || strings.Contains(log, "s3cr3t") {
		t.Errorf("log: %q", log)
	}
}

func TestNew(t *testing.T) {
	for _, cfg := range []Config{{}, {Budget: "default"}, {URL: "postgres://app@127.0.0.1/app"}, {URL: "postgres://app@127.0.0.1/app", Budget: "a:b"}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is accepted", cfg)
		} else {
			t.Log(err)
		}
	}
	o, err := New(Config{URL: "postgres://app@127.0.0.1:1/app", Budget: "default"}) // connects to nothing
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPacer(t *testing.T) {
	var p pacer
	now := time.Now()
	if p.wait(now) > 0 {
		t.Error("a pause before the first failure")
	}
	cause := errors.New("down")
	for _, want := range []time.Duration{100, 200, 400, 800, 1600, 3000, 3000} {
		p.failed(now, cause)
		if got := p.wait(now); got != want*time.Millisecond || p.failure != cause {
			t.Errorf("pause %v, want %v", got, want*time.Millisecond)
		}
		now = p.next
	}
	p.succeeded()
	p.failed(now, cause)
	if got := p.wait(now); got != minPause {
		t.Errorf("the pause after a success is %v", got)
	}
}
