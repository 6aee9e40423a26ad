package client_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
)

// TestDemandFollowsUse: callers that wait make the lease grow.
func TestDemandFollowsUse(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("viewer")
	db := s.openDB(c)
	s.settles(c, 2) // its service's minimum
	giveBack(s.take(db, 2))
	start := time.Now()
	var wg sync.WaitGroup
	conns := make(chan func(), 20)
	for range 20 {
		wg.Go(func() {
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			conns <- func() { conn.Close() }
		})
	}
	wg.Wait()
	t.Logf("20 callers had their connections after %v", time.Since(start))
	// How many wait in database/sql's queue is an estimate, and often too high.
	g := c.Grant()
	t.Logf("it has asked for %d", g.Want)
	if g.Conns < 20 {
		t.Errorf("%+v", g)
	}
	close(conns)
	for back := range conns {
		back()
	}
}

// TestMinimumIsShared: containers of one service share its minimum, and none
// asks for less than one.
func TestMinimumIsShared(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	for i := range 7 { // the scraper's minimum is 5
		c := s.container("scraper")
		s.openDB(c)
		s.until("a connection", func() bool { return c.Grant().Conns >= 1 }, func() any { return fmt.Sprint(i, c.Grant()) })
	}
}

func TestRecall(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	viewer, scraper := s.container("viewer"), s.container("scraper")
	dbs := s.openDB(viewer)
	s.request(viewer, 54)
	pool, err := scraper.OpenPgxPool(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	w := s.watch()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	longest := time.Duration(0)
	load := func(n int, query func(context.Context) error) {
		for range n {
			wg.Go(func() {
				for ctx.Err() == nil {
					start := time.Now()
					if err := query(context.WithoutCancel(ctx)); err != nil {
						t.Errorf("a query was cut: %v", err)
						return
					}
					mu.Lock()
					longest = max(longest, time.Since(start))
					mu.Unlock()
				}
			})
		}
	}
	load(60, func(ctx context.Context) error { _, err := dbs.ExecContext(ctx, "select pg_sleep(0.01)"); return err })
	s.until("all connections in use", func() bool { return viewer.Open() >= 49 }, func() any { return viewer.Open() })
	start := time.Now()
	load(60, func(ctx context.Context) error { _, err := pool.Exec(ctx, "select pg_sleep(0.01)"); return err })
	s.until("the scraper's share", func() bool { return scraper.Grant().Conns == 36 && viewer.Open() <= 18 },
		func() any { return fmt.Sprintf("%+v %+v", scraper.Grant(), viewer.Grant()) })
	t.Logf("36 connections in use went to the scraper in %v", time.Since(start))
	s.until("its connections", func() bool { return scraper.Open() == 36 }, func() any { return scraper.Open() })
	cancel()
	wg.Wait()
	t.Logf("longest wait and query: %v", longest)
	w.most(s, 54)
}

// TestTwoPools: the pools of a container share its lease, and the busy one gets
// the connections.
func TestTwoPools(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("api")
	db := s.openDB(c)
	pool, err := c.OpenPgxPool(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.request(c, 10)
	w := s.watch()
	conns := s.take(db, 10) // one is busy, the other idle
	giveBack(conns)
	var held []interface{ Release() }
	for range 10 { // and the other way round
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	for _, conn := range held {
		conn.Release()
	}
	var wg sync.WaitGroup // and both at once
	for i := range 40 {
		wg.Go(func() {
			for range 20 {
				var err error
				if i%2 == 0 {
					_, err = db.ExecContext(t.Context(), "select 1")
				} else {
					_, err = pool.Exec(t.Context(), "select 1")
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	w.most(s, 10)
}

func TestConnectionsSayWhoTheyAre(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("a-service-with-a-rather-long-name-that-has-fifty-eight-bytes", func(cfg *client.Config) { cfg.Budget = client.DefaultBudget })
	s.request(c, 2)
	conn, err := c.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var name, interval string
	if err := conn.QueryRowContext(t.Context(), "select current_setting('application_name'), current_setting('client_connection_check_interval')").Scan(&name, &interval); err != nil {
		t.Fatal(err)
	}
	if want := events.ApplicationName("default", "a-service-with-a-rather-long-name-that-has-fifty-eight-bytes", c.ID()); name != want || len(name) > 63 {
		t.Errorf("application_name is %q, want %q", name, want)
	}
	if interval == "0" {
		t.Error("no client_connection_check_interval")
	}
}

// TestCheckoutAsksNobody: on a held lease, a checkout makes no round trip to
// Redis.
func TestCheckoutAsksNobody(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Hour
	s.arbiter()
	c := s.container("api")
	db := s.openDB(c)
	s.request(c, 5)
	giveBack(s.take(db, 5))
	opts, err := redis.ParseURL(s.redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(opts)
	defer rdb.Close()
	rdb.ConfigResetStat(t.Context())
	start := time.Now()
	const checkouts = 10_000
	for range checkouts {
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	took := time.Since(start)
	appends := rdb.InfoMap(t.Context(), "commandstats").Val()["Commandstats"]["cmdstat_xadd"]
	gets := rdb.InfoMap(t.Context(), "commandstats").Val()["Commandstats"]["cmdstat_get"]
	t.Logf("%d checkouts in %v; XADD %q, GET %q", checkouts, took, appends, gets)
	if appends != "" {
		t.Errorf("%d checkouts made the container append: %s", checkouts, appends)
	}
}

func TestSession(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	t.Setenv("SERVICE_NAME", "api")
	t.Setenv("REDIS_URL", s.redis.URL())
	t.Setenv("DATABASE_URL", s.pg.URL())
	t.Setenv("CONNECTION_RESERVE_TTL", "")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := client.Close(ctx); err != nil { // there is none
		t.Fatal(err)
	}
	for range 2 {
		conn, err := client.Session(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var one int
		if err := conn.QueryRowContext(ctx, "select 1").Scan(&one); err != nil || one != 1 {
			t.Fatal(err)
		}
		c, err := client.Default(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if c.Open() == 0 {
			t.Fatal("the session is not counted")
		}
		conn.Close()
		if err := client.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSessionWaits: whoever waits in vain is told why.
func TestSessionWaits(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("api")
	s.request(c, 1)
	conn, err := c.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Session(ctx); err == nil {
		t.Fatal("two sessions on one connection")
	} else {
		t.Log(err)
	}
}

// TestManyContainers: containers of one process share connections to Redis.
func TestManyContainers(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	opts, err := redis.ParseURL(s.redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewClient(opts)
	defer rdb.Close()
	clients := func() int {
		list, err := rdb.ClientList(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(list, "\n")
	}
	before := clients() // the arbiter's, which may open two more
	all := make([]*client.Coordinator, 60)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = s.container("viewer") })
	}
	wg.Wait()
	for _, c := range all {
		wg.Go(func() {
			if _, err := c.Request(t.Context(), 1); err != nil && c.Grant().Position == 0 {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	n := clients() - before
	t.Logf("60 containers use %d connections to Redis", n)
	if n > 20 {
		t.Errorf("%d connections to Redis", n)
	}
	for _, c := range all {
		wg.Go(func() { _ = c.Close(t.Context()) })
	}
	wg.Wait()
	s.until("Redis to notice", func() bool { return clients() <= before+2 }, func() any { return clients() })
}
