package daemon

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) { servertest.Main(leakcheck.Wrap(m)) }

// environ is an environment of a test.
func environ(pairs ...string) func(string) (string, bool) {
	return programtest.Environ(append([]string{"HTTP_ADDR=127.0.0.1:0"}, pairs...)...)
}

// output collects what a program writes.
type output struct{ programtest.Transcript }

func (o *output) has(part string) bool { return strings.Contains(o.String(), part) }

// A running program, within the test.
type running struct {
	stdout, stderr output
	stop           context.CancelFunc // as SIGTERM does
	status         chan int
}

func runProgram(t *testing.T, env func(string) (string, bool), args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{stop: cancel, status: make(chan int, 1)}
	go func() { r.status <- Run(ctx, args, env, &r.stdout, &r.stderr) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Logf("standard error:\n%s", &r.stderr)
		}
	})
	return r
}

// until polls a condition that nothing signals.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 30s: %s", what)
		}
	}
}

// wantStatus waits for the program's end.
func (r *running) wantStatus(t *testing.T, want int) {
	t.Helper()
	select {
	case got := <-r.status:
		if got != want {
			t.Errorf("exit status %d, want %d", got, want)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the program does not end")
	}
}
