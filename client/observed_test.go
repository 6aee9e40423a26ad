package client_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// TestKilledContainerIsSeen: with an eye on the database, what a killed container
// held goes to others within seconds, whatever its lease lasts.
func TestKilledContainerIsSeen(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = 5 * time.Minute
	log := &journal{}
	s.arbiter(s.observed(s.pg.URL(), log))
	p := s.hold("54")
	s.heartbeats(1)
	c := s.container("viewer")
	db := s.openDB(c)
	w := s.watch()
	p.signal(syscall.SIGKILL)
	start := time.Now()
	s.request(c, 54)
	took := time.Since(start)
	t.Logf("54 connections granted to another %v after kill -9, with leases of %v", took, s.policy.TTL)
	if took > 3*time.Second {
		t.Errorf("too late")
	}
	giveBack(s.take(db, 54))
	w.most(s, 54)
}

// TestStrangers: 20 connections past Conncord on a full budget. The grants shrink,
// both sides go on, nobody of ours is refused; when the strangers have gone, the
// grants grow back.
func TestStrangers(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Minute
	log := &journal{}
	s.arbiter(s.observed(s.pg.URL(), log))
	scraper, viewer := s.container("scraper"), s.container("viewer")
	loads := []*load{s.load(scraper, 40), s.load(viewer, 40)}
	all := 54
	s.until("a full budget", func() bool { return sum(scraper, viewer) == all && scraper.Open()+viewer.Open() == all },
		func() any { return []any{scraper.Grant(), viewer.Grant()} })

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var strangers []*pgconn.PgConn
	start := time.Now()
	for range 20 {
		conn, err := s.stranger(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		strangers = append(strangers, conn)
	}
	t.Logf("20 strangers have come after %v", time.Since(start))
	left := all - 20
	s.until("grants that leave room", func() bool { return sum(scraper, viewer) == left },
		func() any { return []any{scraper.Grant(), viewer.Grant()} })
	for _, c := range []*client.Coordinator{scraper, viewer} {
		if g := c.Grant(); !strings.Contains(g.Reason, "past Conncord") {
			t.Errorf("the reason is %q", g.Reason)
		}
	}
	before := []int64{loads[0].served.Load(), loads[1].served.Load()}
	for _, conn := range strangers {
		if _, err := conn.Exec(ctx, "select 1").ReadAll(); err != nil {
			t.Error(err)
		}
	}
	s.until("callers that are served", func() bool {
		return loads[0].served.Load() > before[0]+20 && loads[1].served.Load() > before[1]+20
	}, func() any { return before })

	for _, conn := range strangers {
		_ = conn.Close(ctx)
	}
	start = time.Now()
	s.until("grants that have grown back", func() bool { return sum(scraper, viewer) == all },
		func() any { return []any{scraper.Grant(), viewer.Grant()} })
	t.Logf("the grants have grown back after %v", time.Since(start))
	for _, l := range loads {
		l.stop()
		for _, err := range l.failures() {
			t.Errorf("a caller failed: %v", err)
		}
	}
}

// TestDatabaseFullOfStrangers: strangers have every connection that the database
// gives. Containers get a clear reason, and go on as soon as there is room.
func TestDatabaseFullOfStrangers(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Minute
	log := &journal{}
	a, _ := s.arbiter(s.observed(s.pg.URL(), log))
	said := &journal{}
	c := s.container("viewer", logTo(said))
	db := s.openDB(c)
	s.settles(c, 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg, err := pgconn.ParseConfig(s.pg.URL())
	if err != nil {
		t.Fatal(err)
	}
	var strangers []*pgconn.PgConn
	for err == nil { // faster than anybody can look
		var conn *pgconn.PgConn
		if conn, err = pgconn.ConnectConfig(ctx, cfg); err == nil {
			defer conn.Close(context.Background())
			strangers = append(strangers, conn)
		}
	}
	if !full(err) {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	_, err = db.ExecContext(short, "select 1")
	var exhausted *client.ExhaustedError
	if !errors.As(err, &exhausted) || !strings.Contains(err.Error(), "past Conncord") {
		t.Errorf("a caller met %v", err)
	}
	t.Log(err)
	if !a.State().Leading {
		t.Error("the arbiter leads no longer")
	}
	for _, conn := range strangers[:30] {
		_ = conn.Close(ctx)
	}
	if _, err := db.ExecContext(ctx, "select 1"); err != nil {
		t.Error(err)
	}
	s.until("a word in the log", func() bool {
		return said.count("the database itself is full") == 1 && said.count("the database takes connections again") == 1
	}, func() any { return said })
}

// TestStoppedContainer: one that stands still beyond its lease. Its connections
// stay charged until they go; with a fence, all but its fallback are ended.
func TestStoppedContainer(t *testing.T) {
	for _, fence := range []bool{false, true} {
		t.Run(fmt.Sprint("fence=", fence), func(t *testing.T) {
			s := newStage(t)
			s.policy.TTL = 4 * time.Second
			log := &journal{}
			s.arbiter(s.observed(s.pg.URL(), log), func(cfg *arbiter.Config) { cfg.Fence = fence })
			p := s.hold("30")
			s.heartbeats(1)
			c := s.container("viewer")
			load := s.load(c, 60)
			s.until("the rest", func() bool { return c.Open() == 24 }, func() any { return c.Grant() })
			w := s.watch()
			p.signal(syscall.SIGSTOP)
			defer p.signal(syscall.SIGKILL)
			if fence {
				s.until("what is ended", func() bool { return c.Grant().Conns >= 49 && c.Open() >= 49 }, func() any { return c.Grant() })
				if log.count("ended connections that expired leases had left") == 0 {
					t.Error("the log does not say that any were ended")
				}
			} else {
				s.history("lost", func(d *events.Decision) bool { return d.Verb == events.Lost && d.Charge == 30 })
				if n := c.Grant().Conns; n != 24 {
					t.Errorf("the other has %d, with 30 still open", n)
				}
				p.signal(syscall.SIGCONT)
				s.until("fair shares", func() bool { return c.Grant().Conns >= 18 && c.Open() == c.Grant().Conns }, func() any { return c.Grant() })
			}
			w.most(s, 54)
			load.stop()
			for _, err := range load.failures() {
				t.Errorf("a caller failed: %v", err)
			}
		})
	}
}

// history waits until a decision stands in the history.
func (s *stage) history(what string, found func(*events.Decision) bool) {
	s.Helper()
	log, err := events.OpenLog(s.redis.URL(), client.DefaultBudget)
	if err != nil {
		s.Fatal(err)
	}
	defer log.Close()
	after := uint64(0)
	s.until(what, func() bool {
		records, err := log.ReadRecords(s.Context(), after, 1000, 10*time.Millisecond)
		if err != nil {
			s.Fatal(err)
		}
		for _, data := range records {
			rec, err := events.DecodeRecord(data)
			if err != nil {
				s.Fatal(err)
			}
			after = rec.Sequence
			for i := range rec.Decisions {
				if found(&rec.Decisions[i]) {
					return true
				}
			}
		}
		return false
	}, func() any { return after })
}

// TestSlowIsNotDead: a container that stands still for a while with an open pool,
// and one that is idle without a connection, keep their leases.
func TestSlowIsNotDead(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Minute
	log := &journal{}
	s.arbiter(s.observed(s.pg.URL(), log))
	idle := s.container("monitoring")
	s.request(idle, 3)
	lease := idle.Grant().Lease
	p := s.hold("20")
	s.heartbeats(2)
	c := s.container("viewer")
	w := s.watch()
	p.signal(syscall.SIGSTOP)
	s.history("the silence", func(d *events.Decision) bool { return d.Reason == events.Silent })
	// What it has open is all that stays charged: it has 20 open and 20 granted.
	s.request(c, 54-20-3)
	p.signal(syscall.SIGCONT)
	s.history("its return", func(d *events.Decision) bool {
		return d.Verb == events.Renewed && d.Units == 20 && d.Reason != events.Silent
	})
	s.until("the idle one's lease", func() bool { return idle.Grant().Conns == 3 }, func() any { return idle.Grant() })
	if g := idle.Grant(); g.Lease != lease {
		t.Errorf("the idle one had %s and has %s", lease, g.Lease)
	}
	p.signal(syscall.SIGTERM)
	p.expect("closed")
	w.most(s, 54)
}

// TestCutMidQuery: a process is killed while its backend is in a query that goes
// on: the backend stays charged until the database has ended it.
func TestCutMidQuery(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = 5 * time.Minute
	log := &journal{}
	s.arbiter(s.observed(s.pg.URL(), log))
	p := run(t, "container", "HOLD=50", "QUERY=select pg_sleep(60)", "SERVICE_NAME=scraper", "REDIS_URL="+s.redis.URL(), "DATABASE_URL="+s.pg.URL(), "CONNECTION_RESERVE_TTL=")
	p.expect("holding")
	s.heartbeats(1)
	super := s.super()
	s.until("the queries", func() bool {
		var n int
		if err := super.QueryRow(t.Context(), "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(60)%' and usename = 'app'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 50
	}, func() any { return nil })
	c := s.container("viewer")
	db := s.openDB(c)
	w := s.watch()
	p.signal(syscall.SIGKILL)
	start := time.Now()
	s.request(c, 53) // the last is left to others: two superusers and the observer are more than usual
	t.Logf("53 connections granted %v after a kill in the middle of queries", time.Since(start))
	giveBack(s.take(db, 53))
	w.most(s, 54)
}

// TestPlainRole: an observer without pg_monitor says once what is missing, and
// everything else goes on.
func TestPlainRole(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Minute
	super := s.super()
	for _, sql := range []string{"drop role if exists plain", "create role plain login"} {
		if _, err := super.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	log := &journal{}
	s.arbiter(s.observed(strings.Replace(s.pg.URL(), "app@", "plain@", 1), log))
	c := s.container("viewer")
	load := s.load(c, 20)
	s.until("a lease", func() bool { return c.Open() == 20 }, func() any { return c.Grant() })
	s.until("a word in the log", func() bool { return log.count("the database hides containers' connections") == 1 }, func() any { return log })
	served := load.served.Load()
	s.until("callers that are served", func() bool { return load.served.Load() > served+1000 }, func() any { return served })
	if n := log.count("the database hides containers' connections"); n != 1 {
		t.Errorf("it is said %d times:\n%s", n, log)
	}
}

// TestLimitOfTheRole: a limit on the containers' role is followed while it
// changes, and never exceeded.
func TestLimitOfTheRole(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Minute
	super := s.super()
	limit := func(n int) {
		t.Helper()
		if _, err := super.Exec(context.Background(), fmt.Sprintf("alter role app connection limit %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	defer limit(-1)
	log := &journal{}
	s.arbiter(s.observed(s.pg.SuperURL(), log))
	c := s.container("scraper")
	load := s.load(c, 60)
	s.until("all", func() bool { return c.Open() == 54 }, func() any { return c.Grant() })
	limit(30)
	s.until("30", func() bool { return c.Grant().Conns == 30 && c.Open() == 30 }, func() any { return c.Grant() })
	limit(-1)
	s.until("all again", func() bool { return c.Open() == 54 }, func() any { return c.Grant() })
	load.stop()
	for _, err := range load.failures() {
		t.Errorf("a caller failed: %v", err)
	}
}

// TestFirstStartDoesNotWait: with a database to look at, an empty Redis does not
// hold anybody back for the length of a lease.
func TestFirstStartDoesNotWait(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = 5 * time.Minute
	log := &journal{}
	start := time.Now()
	s.arbiter(s.observed(s.pg.URL(), log), func(cfg *arbiter.Config) { cfg.Fresh = false })
	c := s.container("scraper")
	s.request(c, 54)
	took := time.Since(start)
	t.Logf("54 connections granted %v after the first start on an empty Redis", took)
	if took > 4*time.Second {
		t.Errorf("too late")
	}
}

// TestBarrierOpensWhenSeen: Redis has lost everything. As soon as the database
// shows nothing that nobody has claimed, others may gain again.
func TestBarrierOpensWhenSeen(t *testing.T) {
	s := newStage(t)
	s.redis = servertest.NeedRedis(t, servertest.RedisOptions{})
	s.policy.TTL = 5 * time.Minute
	log := &journal{}
	s.arbiter(s.observed(s.pg.URL(), log))
	first, second := s.container("scraper"), s.container("api")
	conns := append(s.take(s.openDB(first), 20), s.take(s.openDB(second), 10)...)
	defer giveBack(conns)
	w := s.watch()
	if err := s.redis.RestartEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	c := s.container("viewer", func(cfg *client.Config) { cfg.JoinWithin = 20 * time.Second }) // the arbiter has to find Redis first
	s.request(c, 20)
	took := time.Since(start)
	t.Logf("20 connections granted %v after Redis lost everything, with leases of %v", took, s.policy.TTL)
	if took > 10*time.Second {
		t.Error("too late")
	}
	if first.Grant().Conns < 20 || second.Grant().Conns < 10 {
		t.Errorf("the others have lost something: %+v %+v", first.Grant(), second.Grant())
	}
	giveBack(s.take(s.openDB(c), 20))
	w.most(s, 54)
}

// TestRedisAwayIsSurvived: while Redis stands still a container keeps what it has
// open, and goes on with it. What ends is not opened again, but up to the fallback;
// when Redis is back, so is all of it, and nobody was taken for dead.
func TestRedisAwayIsSurvived(t *testing.T) {
	s := newStage(t)
	s.redis = servertest.NeedRedis(t, servertest.RedisOptions{})
	s.policy.TTL = 5 * time.Minute
	log := &journal{}
	super, w := s.super(), s.watch()
	s.arbiter(s.observed(s.pg.URL(), log))
	c := s.container("scraper")
	load := s.load(c, 60)
	const all = 57 - 3 - headroom // two superusers and the observer
	s.until("all", func() bool { return c.Open() == all }, func() any { return c.Grant() })
	lease := c.Grant().Lease
	if err := s.redis.Pause(); err != nil {
		t.Fatal(err)
	}
	end := func(n int) {
		t.Helper()
		s.until("idle connections to end", func() bool {
			var some int
			if err := super.QueryRow(t.Context(), `select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity
				where usename = 'app' and state = 'idle' and application_name <> $1 order by backend_start limit $2) as victims`,
				events.ObserverName(client.DefaultBudget), n).Scan(&some); err != nil {
				t.Fatal(err)
			}
			n -= some
			return n == 0
		}, func() any { return c.Open() })
	}
	s.until("the end of the window", func() bool { end(1); return c.Open() < all-3 }, func() any { return c.Open() })
	end(20)
	s.until("fewer connections", func() bool { return c.Open() < all-20 }, func() any { return c.Open() })
	served := load.served.Load()
	s.until("callers that are served", func() bool { return load.served.Load() > served+100 }, func() any { return c.Open() })
	if err := s.redis.Resume(); err != nil {
		t.Fatal(err)
	}
	s.until("all again", func() bool { return c.Open() == all }, func() any { return c.Grant() })
	if g := c.Grant(); g.Lease != lease {
		t.Errorf("it had lease %s and has %s", lease, g.Lease)
	}
	w.most(s, all)
	load.stop()
	// An ended connection fails whoever takes it next; of several in a row, database/sql
	// gives up on the third.
	for _, err := range load.failures() {
		var pg *pgconn.PgError
		if !errors.Is(err, driver.ErrBadConn) && !(errors.As(err, &pg) && pg.Code == "57P01") {
			t.Errorf("a caller failed: %v", err)
		}
	}
}
