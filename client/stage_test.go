package client_test

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A stage is a real Redis and a real PostgreSQL with 60 connections, of which 54
// are available.
type stage struct {
	*testing.T
	redis  *servertest.Redis
	pg     *servertest.Postgres
	policy events.Policy
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return &stage{
		T: t, redis: servertest.SharedRedis(t), pg: servertest.SharedPostgres(t),
		policy: events.Policy{
			Rule: events.RuleVersion, Plan: "free", Limit: 60, Reserve: 6, TTL: 4 * time.Second, Margin: 200 * time.Millisecond,
			Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
		},
	}
}

// arbiter runs an arbiter until the test ends or stop is called.
func (s *stage) arbiter(change ...func(*arbiter.Config)) (a *arbiter.Arbiter, stop func()) {
	s.Helper()
	log, err := events.OpenLog(s.redis.URL(), client.DefaultBudget)
	if err != nil {
		s.Fatal(err)
	}
	cfg := arbiter.Config{Log: log, Policy: s.policy, Fresh: true, Logger: quiet}
	for _, f := range change {
		f(&cfg)
	}
	if a, err = arbiter.New(cfg); err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			s.Error(err)
		}
		log.Close()
	})
	s.Cleanup(stop)
	return a, stop
}

// A journal is a container's log.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// count returns how many messages begin like this.
func (j *journal) count(message string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), `msg="`+message)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// container lets a container join.
func (s *stage) container(service string, change ...func(*client.Config)) *client.Coordinator {
	s.Helper()
	cfg := client.Config{Service: service, RedisURL: s.redis.URL(), DatabaseURL: s.pg.URL(), Logger: quiet}
	for _, f := range change {
		f(&cfg)
	}
	c, err := client.New(s.Context(), cfg)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = c.Close(ctx) // the test may have closed it, or taken Redis away
	})
	return c
}

func logTo(j *journal) func(*client.Config) {
	return func(c *client.Config) { c.Logger = slog.New(slog.NewTextHandler(j, nil)) }
}

// request asks for n and must get all of them.
func (s *stage) request(c *client.Coordinator, n int) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	if g, err := c.Request(ctx, n, client.AtLeast(n)); err != nil || g.Conns != n {
		s.Fatalf("request for %d: %+v, %v", n, g, err)
	}
}

// settles waits until the container may hold n connections.
func (s *stage) settles(c *client.Coordinator, n int) {
	s.Helper()
	s.until("the grant", func() bool { return c.Grant().Conns == n }, func() any { return c.Grant() })
}

// until waits for a condition, and shows the state when it does not come.
func (s *stage) until(what string, condition func() bool, state func() any) {
	s.Helper()
	for end := time.Now().Add(30 * time.Second); !condition(); {
		if time.Now().After(end) {
			s.Fatalf("waited in vain for %s: %+v", what, state())
		}
		time.Sleep(time.Millisecond)
	}
}

// take checks n connections out of the database and keeps them.
func (s *stage) take(db *sql.DB, n int) []*sql.Conn {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), 20*time.Second)
	defer cancel()
	conns := make([]*sql.Conn, n)
	for i := range conns {
		c, err := db.Conn(ctx)
		if err != nil {
			s.Fatalf("connection %d of %d: %v", i+1, n, err)
		}
		conns[i] = c
	}
	return conns
}

func giveBack(conns []*sql.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

func (s *stage) openDB(c *client.Coordinator) *sql.DB {
	s.Helper()
	db, err := c.OpenDB("")
	if err != nil {
		s.Fatal(err)
	}
	return db
}

// A watch counts the backends of the ordinary role every few milliseconds.
type watch struct {
	stop func()
	peak int
}

func (s *stage) watch() *watch {
	s.Helper()
	conn, err := pgx.Connect(s.Context(), s.pg.SuperURL())
	if err != nil {
		s.Fatal(err)
	}
	w := &watch{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			var n int
			if err := conn.QueryRow(context.Background(), `select count(*) from pg_stat_activity where usename = 'app' and backend_start < statement_timestamp() and application_name <> $1`,
				events.ObserverName(client.DefaultBudget)).Scan(&n); err != nil {
				s.Errorf("count backends: %v", err)
				return
			}
			w.peak = max(w.peak, n)
			wait, stop := context.WithTimeout(ctx, 5*time.Millisecond)
			<-wait.Done()
			stop()
		}
	}()
	w.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		_ = conn.Close(context.Background())
	})
	s.Cleanup(w.stop)
	return w
}

// most ends the watch and checks its peak.
func (w *watch) most(s *stage, limit int) {
	s.Helper()
	w.stop()
	s.Logf("peak of backends: %d of %d", w.peak, limit)
	if w.peak > limit {
		s.Errorf("%d backends at once, %d are allowed", w.peak, limit)
	}
}
