package servertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

// shared are the servers that the tests of one binary take turns with.
var shared struct {
	mu       sync.Mutex
	main     bool // Main is running, so somebody will stop them
	redis    *Redis
	postgres *Postgres
}

// Main runs a package's tests, stops the shared servers and exits. It is all
// that a TestMain needs:
//
//	func TestMain(m *testing.M) { servertest.Main(m) }
func Main(m interface{ Run() int }) {
	shared.mu.Lock()
	shared.main = true
	shared.mu.Unlock()
	code := m.Run()
	if err := stopShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// SharedRedis returns the test binary's own Redis server, emptied. It is
// started by the first test that asks for it and stopped by [Main], which the
// package's TestMain must call. Tests that use it cannot run in parallel with
// each other. It is a server without AppendOnly; a test may kill it, and
// the next one finds it running again.
func SharedRedis(tb TB) *Redis {
	tb.Helper()
	return sharedServer(tb, &shared.redis, func(ctx context.Context) (*Redis, error) {
		return StartRedis(ctx, RedisOptions{})
	})
}

// SharedPostgres returns the test binary's own PostgreSQL server with an empty
// database app, under the same rules as [SharedRedis].
func SharedPostgres(tb TB) *Postgres {
	tb.Helper()
	return sharedServer(tb, &shared.postgres, func(ctx context.Context) (*Postgres, error) {
		return StartPostgres(ctx, PostgresOptions{})
	})
}

func sharedServer[S interface {
	comparable
	Pid() int
	Restart(context.Context) error
	Reset(context.Context) error
}](tb TB, slot *S, start func(context.Context) (S, error)) S {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.main {
		tb.Fatalf("servertest: a shared server needs func TestMain(m *testing.M) { servertest.Main(m) }")
	}
	ctx := context.Background()
	var none S
	if *slot == none {
		s, err := start(ctx)
		if err != nil {
			tb.Fatalf("%v", err)
		}
		*slot = s
		return s
	}
	if (*slot).Pid() == 0 {
		if err := (*slot).Restart(ctx); err != nil {
			tb.Fatalf("%v", err)
		}
	}
	if err := (*slot).Reset(ctx); err != nil {
		tb.Fatalf("%v", err)
	}
	return *slot
}

func stopShared() error {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	var errs []error
	if shared.redis != nil {
		errs = append(errs, shared.redis.Stop())
	}
	if shared.postgres != nil {
		errs = append(errs, shared.postgres.Stop())
	}
	shared.redis, shared.postgres = nil, nil
	return errors.Join(errs...)
}
