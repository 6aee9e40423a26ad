package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/projector"
)

// budget is the name of the budget on the real Redis.
const budget = "test"

// testRealHistory goes the whole way: what containers say, through Redis, an
// arbiter and a projector, onto the page, and measures how long that takes.
func testRealHistory(t *testing.T, browser context.Context) {
	redis := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
	quiet := slog.New(slog.DiscardHandler)
	run(t, func(ctx context.Context, log *events.Log) error {
		a, err := arbiter.New(arbiter.Config{
			Log: log, ID: "a1", Host: "node-a", Lease: time.Second, Fresh: true, Logger: quiet,
			Policy: events.Policy{
				Rule: events.RuleVersion, Plan: "free", Limit: 60, Reserve: 6, TTL: time.Minute, Margin: time.Second,
				Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
			},
		})
		if err != nil {
			return err
		}
		return a.Run(ctx)
	}, redis.URL())
	log, err := events.OpenLog(redis.URL(), budget)
	if err != nil {
		t.Fatal(err)
	}
	p, err := projector.New(projector.Config{Log: log, Budget: budget, ID: "p1", Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
		_ = log.Close()
	})

	x := open(t, browser, serve(t, p).url(), desk)
	var lags []time.Duration
	total := 0
	x.until(`document.querySelector('[data-value="leader"]').textContent === "a1 on node-a"`)
	ask[bool](x, `(() => {
		const total = document.querySelector('[data-value="total_allocated"]');
		new MutationObserver(() => tellTest("total " + total.textContent)).observe(total, { childList: true });
		return true;
	})()`)
	for i, m := range []struct {
		service string
		want    int
	}{{"scraper", 15}, {"viewer", 3}, {"api", 5}, {"monitoring", 2}} {
		total += m.want
		began := say(t, redis.URL(), fmt.Sprintf("%s-%d", m.service, i), m.service, m.want)
		lags = append(lags, x.told(fmt.Sprintf("total %d", total)).Sub(began))
	}
	t.Logf("from what a container says to the page: %v", lags)
	x.until(`document.querySelectorAll("[data-container]").length === 4 && document.querySelector("#leaders li") !== null`)
	got := ask[map[string]string](x, collect)
	for name, want := range map[string]string{
		"total_allocated": "25", "available": "54", "remaining": "29", "utilization_pct": "46.3%", "health": "healthy",
		"#services scraper pct": "60.0%", "#services viewer pct": "12.0%", "#services api pct": "20.0%", "#services monitoring pct": "8.0%",
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +page):\n%s", name, diff)
		}
	}
	x.picture("real-1280")
}

// run runs something on a log of its own until the test ends.
func run(t *testing.T, do func(context.Context, *events.Log) error, url string) {
	t.Helper()
	log, err := events.OpenLog(url, budget)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- do(ctx, log) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			t.Errorf("it ended: %v", err)
		}
		_ = log.Close()
	})
}

// say registers a container that wants some connections, and returns when it said
// so.
func say(t *testing.T, url, id, service string, want int) time.Time {
	t.Helper()
	post, err := events.OpenPost(url, budget, id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = post.Close() })
	intent := &events.Intent{
		Container: id, Counter: 1, Kind: events.Register, Host: "host-of-" + service,
		Introduce: events.Introduce{Service: service}, Demand: events.Demand{Want: want},
	}
	began := time.Now()
	if err := post.Send(t.Context(), events.EncodeIntent(intent)); err != nil {
		t.Fatal(err)
	}
	return began
}
