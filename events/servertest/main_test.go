package servertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// testTimeout bounds every wait of these tests. It is never reached when all
// is well.
const testTimeout = 30 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		actAsParent() // see TestServersDieWithTheirParent
	}
	Main(m)
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
