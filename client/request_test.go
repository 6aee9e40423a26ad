package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/client/lease"
)

func TestRequest(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("scraper")
	ctx := t.Context()

	g, err := c.Request(ctx, 10)
	if err != nil || g.Conns != 10 || g.Want != 10 || g.Mode != lease.Leased || g.Lease == "" || time.Until(g.Until) > s.policy.TTL {
		t.Fatalf("%+v, %v", g, err)
	}
	for _, n := range []int{0, -1} {
		if same, err := c.Request(ctx, n); !errors.Is(err, client.ErrInvalid) || same.Conns != 10 || same.Want != 10 {
			t.Errorf("a request for %d: %+v, %v", n, same, err)
		}
	}
	if _, err := c.Request(ctx, 5, client.AtLeast(6)); !errors.Is(err, client.ErrInvalid) {
		t.Errorf("at least 6 of 5: %v", err)
	}
	g, err = c.Request(ctx, 1000)
	if err != nil || g.Conns != 54 || !strings.Contains(g.Reason, "more than the database allows") {
		t.Errorf("a request for 1000: %+v, %v", g, err)
	}
}

func TestResizeGivesBackAtOnce(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	first, second := s.container("viewer"), s.container("external")
	db := s.openDB(first)
	s.request(first, 54)
	giveBack(s.take(db, 54))
	w := s.watch()
	start := time.Now()
	if _, err := first.Resize(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	s.request(second, 50)
	t.Logf("50 connections went from one container to another in %v", time.Since(start))
	giveBack(s.take(s.openDB(second), 50))
	w.most(s, 54)
}

func TestAtLeastWaits(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	holder, waiter := s.container("scraper"), s.container("viewer")
	s.request(holder, 54)
	done := make(chan error)
	go func() {
		_, err := waiter.Request(t.Context(), 30, client.AtLeast(30))
		done <- err
	}()
	// The viewer's share comes at once; for the rest the scraper has to leave.
	s.until("the viewer's share", func() bool { return waiter.Grant().Conns >= 18 }, func() any { return waiter.Grant() })
	select {
	case err := <-done:
		t.Fatalf("returned with %+v, %v", waiter.Grant(), err)
	default:
	}
	if err := holder.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || waiter.Grant().Conns != 30 {
		t.Fatal(err)
	}
	if g := holder.Grant(); g.Conns != 0 || g.Mode != lease.Released {
		t.Fatalf("after the release: %+v", g)
	}
	s.request(holder, 20)
}

func TestExhausted(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	first, second := s.container("scraper"), s.container("viewer")
	s.request(first, 54)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	g, err := second.Request(ctx, 40, client.AtLeast(40))
	var e *client.ExhaustedError
	if !errors.As(err, &e) || !errors.Is(err, client.ErrExhausted) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	if e.Units != g.Conns || e.Want != 40 || e.Position == 0 || len(e.Holders) != 2 || e.Holders[0].Service != "scraper" {
		t.Fatalf("%+v", e)
	}
	t.Log(err)
	for _, part := range []string{"connections are exhausted: viewer has 18 of 40: others hold the connections", "; held by scraper 36 (priority 10), viewer 18 (priority 5); place 2 in the queue: context deadline exceeded"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

func TestChanges(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("api")
	changes, stop := c.Changes()
	defer stop()
	s.request(c, 7)
	for g := range changes {
		if g.Conns == 7 {
			break
		}
	}
	_, err := c.Resize(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	s.settles(c, 3)
	if g := <-changes; g.Conns != 3 { // the newest alone
		t.Fatalf("%+v", g)
	}
	other, stopOther := c.Changes()
	stopOther()
	stopOther()
	if _, open := <-other; open {
		t.Fatal("still open after stop")
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range changes { // ends
	}
	late, _ := c.Changes()
	if _, open := <-late; open {
		t.Fatal("open after Close")
	}
}

func TestClosed(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("api")
	db := s.openDB(c)
	pgx, err := c.OpenPgxPool(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.request(c, 4)
	giveBack(s.take(db, 2))
	if err := pgx.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.Open() != 0 {
		t.Fatalf("%d connections are open", c.Open())
	}
	_, request := c.Request(t.Context(), 1)
	_, session := c.Session(t.Context())
	_, open := c.OpenDB("")
	_, openPgx := c.OpenPgxPool(t.Context(), "")
	for i, err := range []error{c.Close(t.Context()), request, session, open, openPgx, c.Release(t.Context())} {
		if !errors.Is(err, client.ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if err := db.Ping(); err == nil {
		t.Error("the pool still works")
	}
}

// TestCloseWaits: callers in the middle of something may finish, however long it
// takes: the lease is kept meanwhile. What others return goes to who wants it.
func TestCloseWaits(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Second
	s.policy.Margin = 100 * time.Millisecond
	s.arbiter()
	c, other := s.container("api"), s.container("scraper")
	db := s.openDB(c)
	s.request(c, 54)
	conns := s.take(db, 54)
	done := make(chan error)
	go func() { done <- c.Close(t.Context()) }()
	s.until("the close to begin", func() bool { return c.Grant().Conns == 0 }, func() any { return c.Grant() })
	giveBack(conns[1:])
	s.request(other, 53)
	if _, err := other.Request(t.Context(), 54); err != nil {
		t.Fatal(err)
	}
	if _, err := conns[0].ExecContext(t.Context(), "select pg_sleep(3)"); err != nil {
		t.Fatalf("cut while in use, although the lease of %v can be renewed: %v", s.policy.TTL, err)
	}
	if got := other.Grant(); got.Conns != 53 {
		t.Fatalf("the connection in use was granted to another: %+v", got)
	}
	giveBack(conns[:1])
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.settles(other, 54)
}
