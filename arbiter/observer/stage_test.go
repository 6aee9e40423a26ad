package observer

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// patience is how long a test waits for what should happen at once, on a loaded machine with the race detector.
const patience = 30 * time.Second

// eventually waits for a condition that no signal tells of.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
		<-tick.C
	}
}

// stage is a PostgreSQL, an administrator's connection to it, and what the observer logged.
type stage struct {
	testing.TB
	server *servertest.Postgres
	super  *pgx.Conn
	log    *logBuffer
}

// newStage uses the shared server, which a test must leave running and with its roles as they were.
func newStage(t testing.TB) *stage { return newStageOn(t, servertest.SharedPostgres(t)) }

func newStageOn(t testing.TB, server *servertest.Postgres) *stage {
	t.Helper()
	s := &stage{TB: t, server: server, log: new(logBuffer)}
	s.super = s.connect("postgres", "administrator")
	return s
}

// exec has the administrator run statements.
func (s *stage) exec(statements ...string) {
	s.Helper()
	for _, statement := range statements {
		if _, err := s.super.Exec(context.Background(), statement); err != nil {
			s.Fatalf("%s: %v", statement, err)
		}
	}
}

// role makes a role that can log in, for the length of the test.
func (s *stage) role(name string, granted ...string) {
	s.Helper()
	s.exec("drop role if exists "+name, "create role "+name+" login")
	for _, g := range granted {
		s.exec("grant " + g + " to " + name)
	}
	s.Cleanup(func() {
		if s.super.IsClosed() {
			return
		}
		if _, err := s.super.Exec(context.Background(), "drop role "+name); err != nil {
			s.Error(err)
		}
	})
}

// url returns the URL for a role.
func (s *stage) url(role string) string {
	u, err := url.Parse(s.server.URL())
	if err != nil {
		s.Fatal(err)
	}
	u.User = url.User(role)
	return u.String()
}

// dial connects as a role, under an application_name.
func (s *stage) dial(role, name string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(s.url(role))
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["application_name"] = name
	return pgx.ConnectConfig(s.Context(), cfg)
}

// connect is dial for the length of the test.
func (s *stage) connect(role, name string) *pgx.Conn {
	s.Helper()
	conn, err := s.dial(role, name)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// container connects as a container of the budget "default" does.
func (s *stage) container(role, service, id string) *pgx.Conn {
	s.Helper()
	return s.connect(role, events.ApplicationName("default", service, id))
}

// observer returns one that looks as a role.
func (s *stage) observer(role string, adapt ...func(*Config)) *Observer {
	s.Helper()
	cfg := Config{URL: s.url(role), Budget: "default", Logger: slog.New(slog.NewTextHandler(s.log, nil))}
	for _, f := range adapt {
		f(&cfg)
	}
	o, err := New(cfg)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		if err := o.Close(context.Background()); err != nil {
			s.Error(err)
		}
	})
	return o
}

func (s *stage) look(o *Observer) Look {
	s.Helper()
	look, err := o.Look(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return look
}

// lookUntil looks until what is seen is as expected. Failed looks count as not yet.
func (s *stage) lookUntil(o *Observer, what string, ok func(Look) bool) (look Look) {
	s.Helper()
	eventually(s, what, func() bool {
		var err error
		look, err = o.Look(s.Context())
		return err == nil && ok(look)
	})
	return look
}

func anything(Look) bool { return true }

// backend is what a look should show of a container's connection; its start is not known beforehand.
func backend(conn *pgx.Conn, service, id string) Backend {
	return Backend{PID: int32(conn.PgConn().PID()), Name: events.ApplicationName("default", service, id), Service: service, Tag: events.Tag(id)}
}

// logBuffer collects a log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// count returns how often text is in the log.
func (b *logBuffer) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.buf.String(), text)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
