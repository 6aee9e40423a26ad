package client_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
)

// headroom is how many connections the observed stages keep free for others.
const headroom = 1

// observed has the arbiter look at the database, as the role of the URL. The
// tests' own superuser is the platform's.
func (s *stage) observed(url string, log *journal) func(*arbiter.Config) {
	s.Helper()
	logger := slog.New(slog.NewTextHandler(log, nil))
	o, err := observer.New(observer.Config{URL: url, Budget: client.DefaultBudget, Platform: []string{"postgres"}, Logger: logger})
	if err != nil {
		s.Fatal(err)
	}
	lookout := observer.NewLookout(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- lookout.Run(ctx) }()
	s.Cleanup(func() {
		cancel()
		<-done
		if s.Failed() {
			s.Log(log)
		}
	})
	return func(cfg *arbiter.Config) {
		cfg.Lookout, cfg.Headroom, cfg.Logger, cfg.Hold = lookout, headroom, logger, 2*time.Second
	}
}

// stranger opens a connection past Conncord. While the database has none left it
// tries again, as psql in the hands of a patient person.
func (s *stage) stranger(ctx context.Context) (*pgconn.PgConn, error) {
	cfg, err := pgconn.ParseConfig(s.pg.URL())
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["application_name"] = "psql"
	for {
		conn, err := pgconn.ConnectConfig(ctx, cfg)
		if !full(err) || ctx.Err() != nil {
			return conn, err
		}
	}
}

// super returns the superuser's connection.
func (s *stage) super() *pgx.Conn {
	s.Helper()
	conn, err := pgx.Connect(s.Context(), s.pg.SuperURL())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// full reports whether an error is PostgreSQL's that it has no room.
func full(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53300"
}

// heartbeats waits until so many containers have given a sign of life: only those can
// be seen to stop.
func (s *stage) heartbeats(n int) {
	s.Helper()
	rdb, err := events.OpenRedis(s.redis.URL(), 1)
	if err != nil {
		s.Fatal(err)
	}
	defer rdb.Close()
	s.until("heartbeats", func() bool {
		keys, err := rdb.Keys(s.Context(), events.NewKeys(client.DefaultBudget).Beat("*")).Result()
		if err != nil {
			s.Fatal(err)
		}
		return len(keys) >= n
	}, func() any { return n })
}

// A load is callers that use connections without a pause, and what they met.
type load struct {
	served atomic.Int64
	mu     sync.Mutex
	errs   []error
	stop   func()
}

// load has so many callers use the container's connections.
func (s *stage) load(c *client.Coordinator, callers int) *load {
	s.Helper()
	db := s.openDB(c)
	l := &load{}
	ctx, cancel := context.WithCancel(s.Context())
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, err := db.ExecContext(ctx, "select pg_sleep(0.02)")
				if err == nil {
					l.served.Add(1)
				} else if ctx.Err() == nil {
					l.mu.Lock()
					l.errs = append(l.errs, err)
					l.mu.Unlock()
				}
			}
		})
	}
	l.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	s.Cleanup(l.stop)
	return l
}

func (l *load) failures() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errs
}

func sum(containers ...*client.Coordinator) (conns int) {
	for _, c := range containers {
		conns += c.Grant().Conns
	}
	return conns
}
