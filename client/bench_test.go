package client_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// The yardstick for grants: a semaphore in Redis as people write it by hand, one
// script that forgets expired holders, counts and adds. One acquire is one round
// trip. It knows no priorities, keeps no history and nobody is told when a place
// comes free.
var semaphore = redis.NewScript(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[4]) or redis.call('ZSCORE', KEYS[1], ARGV[3]) then
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
  redis.call('PEXPIRE', KEYS[1], 300000)
  return 1
end
return 0`)

func acquire(ctx context.Context, rdb *redis.Client, holder string) error {
	now := time.Now().UnixMilli()
	got, err := semaphore.Run(ctx, rdb, []string{"semaphore"}, now, now+300_000, holder, 1000).Int()
	if err == nil && got != 1 {
		err = fmt.Errorf("semaphore is full")
	}
	return err
}

func benchPolicy(limit int) events.Policy {
	return events.Policy{
		Rule: events.RuleVersion, Plan: "enterprise", Limit: limit, Reserve: limit / 10,
		TTL: 300 * time.Second, Margin: 6 * time.Second,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// startArbiter runs an arbiter until the benchmark ends.
func startArbiter(tb testing.TB, redisURL string, policy events.Policy) *arbiter.Arbiter {
	tb.Helper()
	log, err := events.OpenLog(redisURL, client.DefaultBudget)
	if err != nil {
		tb.Fatal(err)
	}
	a, err := arbiter.New(arbiter.Config{Log: log, Policy: policy, Fresh: true, Logger: quiet})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
		log.Close()
	})
	return a
}

func join(tb testing.TB, redisURL, service string) *client.Coordinator {
	tb.Helper()
	c, err := client.New(tb.Context(), client.Config{Service: service, RedisURL: redisURL, Logger: quiet})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// BenchmarkRoundTrip measures one request until its grant is in force, and one
// acquire of the semaphore, in turn. Goal: p50 at most 3 times the semaphore's.
func BenchmarkRoundTrip(b *testing.B) {
	server := servertest.NeedRedis(b)
	startArbiter(b, server.URL(), benchPolicy(1000))
	c := join(b, server.URL(), "api")
	rdb, err := events.OpenRedis(server.URL(), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer rdb.Close()
	ctx := b.Context()
	var grants, acquires []time.Duration
	n := 10
	for b.Loop() {
		n = 21 - n // 10 and 11 in turn
		start := time.Now()
		if _, err := c.Request(ctx, n); err != nil {
			b.Fatal(err)
		}
		grants = append(grants, time.Since(start))
		start = time.Now()
		if err := acquire(ctx, rdb, "api"); err != nil {
			b.Fatal(err)
		}
		acquires = append(acquires, time.Since(start))
	}
	g50, s50 := percentile(grants, 50), percentile(acquires, 50)
	b.ReportMetric(float64(g50.Microseconds()), "grant-p50-µs")
	b.ReportMetric(float64(percentile(grants, 99).Microseconds()), "grant-p99-µs")
	b.ReportMetric(float64(s50.Microseconds()), "semaphore-p50-µs")
	b.ReportMetric(float64(percentile(acquires, 99).Microseconds()), "semaphore-p99-µs")
	b.ReportMetric(float64(g50)/float64(s50), "p50-ratio")
}

func percentile(d []time.Duration, p int) time.Duration {
	slices.Sort(d)
	return d[(len(d)-1)*p/100]
}

// BenchmarkSustained measures requests and acquires by 64 clients, in slices of
// time in turn. Goal: at least 0.75 times the semaphore's rate.
func BenchmarkSustained(b *testing.B) {
	const clients = 64
	const slice = 250 * time.Millisecond
	server := servertest.NeedRedis(b)
	startArbiter(b, server.URL(), benchPolicy(1000))
	containers := make([]*client.Coordinator, clients)
	for i := range containers {
		containers[i] = join(b, server.URL(), "api")
	}
	rdb, err := events.OpenRedis(server.URL(), clients)
	if err != nil {
		b.Fatal(err)
	}
	defer rdb.Close()
	ctx := b.Context()

	// during runs one call after the other in each of the clients, for a slice.
	during := func(call func(client, i int) error) (calls int64) {
		var total atomic.Int64
		var wg sync.WaitGroup
		end := time.Now().Add(slice)
		for k := range clients {
			wg.Go(func() {
				for i := 0; time.Now().Before(end); i++ {
					if err := call(k, i); err != nil {
						b.Error(err)
						return
					}
					total.Add(1)
				}
			})
		}
		wg.Wait()
		return total.Load()
	}
	var grants, acquires int64
	var slices int
	for b.Loop() {
		grants += during(func(k, i int) error {
			_, err := containers[k].Request(ctx, 5+i%2)
			return err
		})
		acquires += during(func(k, i int) error { return acquire(ctx, rdb, fmt.Sprint(k)) })
		slices++
	}
	seconds := float64(slices) * slice.Seconds()
	b.ReportMetric(float64(grants)/seconds, "grants/s")
	b.ReportMetric(float64(acquires)/seconds, "acquires/s")
	b.ReportMetric(float64(grants)/float64(acquires), "rate-ratio")
}
