package client_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// BenchmarkFleet registers 10,000 containers with a real arbiter process and
// measures what each costs in Redis, apart from the history and the connections
// themselves, and the arbiter's resident memory. Goals: 2 KB each, 100 MB.
func BenchmarkFleet(b *testing.B) {
	const containers = 10_000
	server := servertest.NeedRedis(b)
	pid := runArbiter(b, server.URL())
	rdb, err := events.OpenRedis(server.URL(), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer rdb.Close()
	keys := events.NewKeys(client.DefaultBudget)
	waitFor(b, "a leader", func() bool { return rdb.Exists(b.Context(), keys.Leader).Val() == 1 })

	for b.Loop() {
		before := usedMemory(b, rdb, keys)
		posts := make([]*events.Post, containers)
		for i := range posts {
			id := fmt.Sprintf("container-%06d-%08x", i, b.N)
			if posts[i], err = events.OpenPost(server.URL(), client.DefaultBudget, id); err != nil {
				b.Fatal(err)
			}
			defer posts[i].Close()
			if err := posts[i].Send(b.Context(), events.EncodeIntent(&events.Intent{
				Kind: events.Register, Container: id, Counter: 1,
				Introduce: events.Introduce{Service: "api"}, Demand: events.Demand{Want: 3}, Host: "host-of-" + id,
			})); err != nil {
				b.Fatal(err)
			}
		}
		for _, p := range posts {
			waitFor(b, "a grant", func() bool {
				look, err := p.Look(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				return look.Grant != nil
			})
		}
		b.ReportMetric(float64(usedMemory(b, rdb, keys)-before)/containers, "redis-B/container")
		b.ReportMetric(float64(residentKB(b, pid))/1024, "arbiter-MB")
	}
}

// runArbiter runs cmd/arbiter as a process until the benchmark ends.
func runArbiter(b *testing.B, redisURL string) (pid int) {
	b.Helper()
	program := filepath.Join(b.TempDir(), "arbiter")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/arbiter").CombinedOutput(); err != nil {
		b.Fatalf("build the arbiter: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "--fresh")
	cmd.Env = append(os.Environ(), "REDIS_URL="+redisURL, "SUPABASE_MAX_CONNECTIONS=1000", "SUPABASE_PLAN=enterprise")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			b.Errorf("arbiter: %v", err)
		}
	})
	return cmd.Process.Pid
}

// usedMemory returns what Redis uses for the budget's keys but the history, and
// for everything else but clients.
func usedMemory(b *testing.B, rdb *redis.Client, keys events.Keys) int64 {
	b.Helper()
	info, err := rdb.Info(b.Context(), "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	field := func(name string) (n int64) {
		_, rest, _ := strings.Cut(info, "\n"+name+":")
		text, _, _ := strings.Cut(rest, "\r")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			b.Fatalf("INFO memory: %s: %v", name, err)
		}
		return n
	}
	history := rdb.MemoryUsage(b.Context(), keys.Grants, 0).Val()
	return field("used_memory") - field("mem_clients_normal") - history
}

func residentKB(b *testing.B, pid int) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skipf("the resident memory of a process is read from /proc, which is not here: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Fatalf("read the resident memory: %v", err)
	}
	return kb
}

// waitFor returns when the condition holds, and fails after a minute.
func waitFor(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			tb.Fatalf("waited for a minute in vain for %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}
