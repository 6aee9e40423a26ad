package projector_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/status"
)

const (
	budget = "test"

	// patience bounds every wait. It is never reached when all is well.
	patience = 30 * time.Second

	// lease is the leader's: short, because tests wait for its end.
	lease = 200 * time.Millisecond
)

func policy() events.Policy {
	return events.Policy{
		Rule: events.RuleVersion, Plan: "free", Limit: 60, Reserve: 6, TTL: time.Minute, Margin: time.Second,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A lines collects a log for the case that the test fails.
type lines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func logger(t testing.TB) *slog.Logger {
	l := &lines{}
	t.Cleanup(func() {
		if t.Failed() {
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Logf("log:\n%s", l.text)
		}
	})
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// background runs something until the test ends, or stop is called.
func background(t testing.TB, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return stop
}

// lead runs an arbiter.
func lead(t testing.TB, url, id string) (stop func()) {
	t.Helper()
	log, err := events.OpenLog(url, budget)
	must(t, err)
	a, err := arbiter.New(arbiter.Config{
		Log: log, Policy: policy(), ID: id, Host: "host-of-" + id, Lease: lease, Fresh: true, Logger: logger(t),
	})
	must(t, err)
	return background(t, func(ctx context.Context) {
		defer log.Close()
		_ = a.Run(ctx)
	})
}

// project runs a projector.
func project(t testing.TB, url, id string, options ...func(*projector.Config)) (p *projector.Projector, stop func()) {
	t.Helper()
	log, err := events.OpenLog(url, budget)
	must(t, err)
	cfg := projector.Config{Log: log, Budget: budget, ID: id, Logger: logger(t)}
	for _, option := range options {
		option(&cfg)
	}
	p, err = projector.New(cfg)
	must(t, err)
	return p, background(t, func(ctx context.Context) {
		defer log.Close()
		_ = p.Run(ctx)
	})
}

// await returns the first status for which the condition holds.
func await(t testing.TB, p *projector.Projector, what string, holds func(*status.Status) bool) *status.Status {
	t.Helper()
	deadline := time.After(patience)
	for {
		changed := p.Changed()
		if s := p.Status(); s != nil && holds(s) {
			return s
		}
		select {
		case <-changed:
		case <-deadline:
			body := []byte("none")
			if s := p.Status(); s != nil {
				body, _ = s.Encode()
			}
			t.Fatalf("waited %v for: %s; the status is %s", patience, what, body)
		}
	}
}

// A member is a container that says what it is told to.
type member struct {
	t       testing.TB
	post    *events.Post
	id      string
	service string
	counter uint64
}

func join(t testing.TB, url, service, id string, want int) *member {
	t.Helper()
	post, err := events.OpenPost(url, budget, id)
	must(t, err)
	t.Cleanup(func() { _ = post.Close() })
	m := &member{t: t, post: post, id: id, service: service}
	m.say(&events.Intent{
		Kind: events.Register, Host: "host-of-" + id, Introduce: events.Introduce{Service: service}, Demand: events.Demand{Want: want},
	})
	return m
}

func (m *member) say(in *events.Intent) {
	m.t.Helper()
	m.counter++
	in.Container, in.Counter = m.id, m.counter
	must(m.t, m.post.Send(m.t.Context(), events.EncodeIntent(in)))
}

// want asks for another number of connections, holding what it was granted.
func (m *member) want(conns int, usage events.Demand) {
	m.t.Helper()
	look, err := m.post.Look(m.t.Context())
	must(m.t, err)
	usage.Want = conns
	if g := look.Grant; g != nil {
		usage.Ceiling, usage.Incarnation, usage.Seen = min(g.Units, conns), g.Incarnation, g.Sequence
	}
	m.say(&events.Intent{Kind: events.Request, Demand: usage})
}

// example is the fleet of the documentation: 25 of 54.
func example(t testing.TB, url string) {
	t.Helper()
	join(t, url, "scraper", "scraper-1", 15)
	join(t, url, "viewer", "viewer-1", 3)
	join(t, url, "api", "api-1", 5)
	join(t, url, "monitoring", "monitoring-1", 2)
}

func allocated(n int) func(*status.Status) bool {
	return func(s *status.Status) bool { return s.TotalAllocated == n && s.Lag == 0 }
}

func raised(name string) func(*status.Status) bool {
	return func(s *status.Status) bool {
		return slices.ContainsFunc(s.Alerts, func(a status.Alert) bool { return a.Name == name })
	}
}

func redis(t *testing.T) *servertest.Redis {
	t.Helper()
	return servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
}

// A herald notes what it is told.
type herald struct {
	mu    sync.Mutex
	heard []string
}

func (h *herald) Tell(m alert.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range m.Alerts {
		h.heard = append(h.heard, fmt.Sprintf("%s %s %s", a.Name, a.Service, a.Status))
	}
}

func (h *herald) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.heard)
}

// A gate lets pass, or not.
type gate struct {
	mu     sync.Mutex
	closed chan struct{} // nil: open; closed when it opens
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case shut && g.closed == nil:
		g.closed = make(chan struct{})
	case !shut && g.closed != nil:
		close(g.closed)
		g.closed = nil
	}
}

func (g *gate) shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed != nil
}

func (g *gate) wait(ctx context.Context) {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed != nil {
		select {
		case <-closed:
		case <-ctx.Done():
		}
	}
}
