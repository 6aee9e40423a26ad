package servertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// testTimeout bounds every wait of these tests. It is never reached when all
// is well.
const testTimeout = 30 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		actAsParent() // see TestServersDieWithTheirParent
	}
	Main(alone{m})
}

// alone runs the tests, stops the shared servers, and checks that nothing goes
// on after that: what other packages overlook, the goroutines that wait for a
// server, this one must not leave.
type alone struct{ m *testing.M }

func (a alone) Run() int {
	code := a.m.Run()
	if err := errors.Join(stopShared(), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	return code
}

// eventually polls a condition that nothing signals.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(testTimeout)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", testTimeout, what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// wantGone fails when the path exists.
func wantGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", filepath.Base(path), err)
	}
}
