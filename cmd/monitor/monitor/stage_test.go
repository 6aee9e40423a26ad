package monitor

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
	"github.com/conncord/conncord/projector/status"
)

func TestMain(m *testing.M) { servertest.Main(leakcheck.Wrap(m)) }

// noon is when the tests of the screen take place.
var noon = time.Date(2025, 10, 15, 12, 0, 0, 0, time.UTC)

// example is the deployment that the documentation shows, published at a moment.
func example(at time.Time) *status.Status {
	s := &status.Status{
		Version: status.Version, Budget: "default", Plan: "free",
		MaxConnections: 60, Reserved: 6, Available: 54, TotalAllocated: 25, Remaining: 29, UtilizationPct: 46.3,
		Services: map[string]*status.Service{}, Health: status.Healthy, Leader: "arbiter-1", Epoch: 3, UpdatedAt: at,
	}
	for i, one := range []struct {
		name                  string
		priority, connections int
	}{{"scraper", 10, 15}, {"viewer", 5, 3}, {"api", 8, 5}, {"monitoring", 3, 2}} {
		s.Services[one.name] = &status.Service{
			Count: 1, TotalConnections: one.connections, Pct: status.Percent(one.connections, 25), Priority: one.priority,
			Granted: one.connections, Want: one.connections,
			Containers: []status.Container{{
				ID: one.name + "-1", Host: "host-" + one.name, State: status.Active, Connections: one.connections, Granted: one.connections,
				Want: one.connections, ReservedAt: at.Add(-time.Hour + time.Duration(i)*time.Minute), HeardAt: at, Lease: "c0ff1",
			}},
		}
	}
	return s
}

// changed is the example after a change.
func changed(at time.Time, change func(s *status.Status)) *status.Status {
	s := example(at)
	change(s)
	return s
}

// fleet is the example with as many containers of the service worker.
func fleet(n int) *status.Status {
	return changed(noon, func(s *status.Status) {
		many := &status.Service{Count: n, TotalConnections: n, Priority: 9}
		for i := range n {
			many.Containers = append(many.Containers, status.Container{
				ID: fmt.Sprintf("worker-%05d", i), Host: fmt.Sprintf("node-%d", i%50), State: status.Active, Connections: 1, Granted: 1, Want: 1, ReservedAt: noon,
			})
		}
		s.Services["worker"] = many
	})
}

// A fake is a source within the test.
type fake struct {
	data    []byte // what is published; nil: nothing
	err     error
	updates chan update
}

func (f *fake) Read(context.Context) ([]byte, error) { return f.data, f.err }

func (f *fake) Subscribe(context.Context) (<-chan update, error) { return f.updates, nil }

func (f *fake) Close() error { return nil }

func publishing(t *testing.T, s *status.Status) *fake {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &fake{data: data}
}

// runFake runs the program on a source, without a terminal.
func runFake(t *testing.T, src source, env func(string) (string, bool), args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = runOn(t.Context(), args, env, strings.NewReader(""), &out, &errs, func(*options) (source, error) { return src, nil })
	return exit, out.String(), errs.String()
}

// until polls a condition that nothing signals.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 30s: %s", what)
		}
	}
}
