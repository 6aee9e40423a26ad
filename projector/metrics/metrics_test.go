package metrics_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/metrics"
	"github.com/conncord/conncord/projector/status"
)

// Names of metrics are stable, since people's rules and dashboards go by them: look
// at the difference before you have it written.
var rewrite = flag.Bool("rewrite", false, "write testdata/busy.txt anew")

func TestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := metrics.Handler(metrics.Config{Budget: "default", Source: busy(time.Now()), Arbiter: leading, Version: "v1.2.3"})
		got := regexp.MustCompile(`goversion="[^"]*"`).ReplaceAllString(scrape(t, h), `goversion="go"`)
		const golden = "testdata/busy.txt"
		if *rewrite {
			must(t, os.WriteFile(golden, []byte(got), 0o644))
		}
		want, err := os.ReadFile(golden)
		must(t, err)
		if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("what /metrics says (-want +got); go test -rewrite writes %s anew:\n%s", golden, diff)
		}
	})
}

func TestUnknownIsAbsent(t *testing.T) {
	t.Parallel()
	unwatched := busy(time.Now())
	unwatched.status.Watched = false
	partial := busy(time.Now())
	partial.status = partial.status.Summary()
	all := "conncord_limit_connections conncord_uncounted_connections conncord_unregistered_connections conncord_service_containers conncord_arbiter_is_leader conncord_arbiter_epoch"
	for name, test := range map[string]struct {
		source  *source
		arbiter metrics.Arbiter
		absent  string // of all
	}{
		"all is known":         {busy(time.Now()), leading, ""},
		"no status":            {&source{}, leading, "conncord_limit_connections conncord_uncounted_connections conncord_unregistered_connections conncord_service_containers"},
		"nobody looks":         {unwatched, leading, "conncord_uncounted_connections conncord_unregistered_connections"},
		"no containers":        {partial, leading, "conncord_service_containers"},
		"no arbiter":           {busy(time.Now()), nil, "conncord_arbiter_is_leader conncord_arbiter_epoch"},
		"arbiter has not read": {busy(time.Now()), node{ID: "a1"}, "conncord_arbiter_epoch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := metrics.New("default", test.source, test.arbiter)
			for _, name := range strings.Fields(all) {
				present := testutil.CollectAndCount(c, name) > 0
				if want := !strings.Contains(test.absent, name); present != want {
					t.Errorf("%s present: %v, want %v", name, present, want)
				}
			}
			for _, name := range []string{"conncord_caught_up", "conncord_health", "conncord_history_gaps_total"} {
				if testutil.CollectAndCount(c, name) != 1 {
					t.Errorf("%s is always known and is not there", name)
				}
			}
		})
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	at := func(h status.Health, age time.Duration) *status.Status {
		return &status.Status{Health: h, UpdatedAt: time.Now().Add(-age)}
	}
	for name, test := range map[string]struct {
		status *status.Status
		want   int
	}{
		"healthy":   {at(status.Healthy, 0), 0},
		"warning":   {at(status.Warning, 0), 1},
		"critical":  {at(status.Critical, 0), 2},
		"stale":     {at(status.Healthy, status.StaleAfter+time.Second), 3},
		"no status": {nil, 3},
	} {
		want := fmt.Sprintf("# HELP conncord_health The sum of all alerts: 0 healthy, 1 warning, 2 critical, 3 unknown, because there is no status or it is too old.\n"+
			"# TYPE conncord_health gauge\nconncord_health{budget=\"b\"} %d\n", test.want)
		if err := testutil.CollectAndCompare(metrics.New("b", &source{status: test.status}, nil), strings.NewReader(want), "conncord_health"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUtilization(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		allocated, available int
		want                 string
	}{{0, 54, "0"}, {27, 54, "0.5"}, {60, 50, "1.2"}, {0, 0, "0"}, {5, 0, "1"}} {
		s := &status.Status{TotalAllocated: test.allocated, Available: test.available}
		want := `conncord_utilization_ratio{budget="b"} ` + test.want + "\n"
		if got := scrape(t, metrics.Handler(metrics.Config{Budget: "b", Source: &source{status: s}})); !strings.Contains(got, want) {
			t.Errorf("%d of %d: want %q in\n%s", test.allocated, test.available, want, got)
		}
	}
}

// TestNames has Prometheus' own linter judge names, units and help texts.
func TestNames(t *testing.T) {
	t.Parallel()
	problems, err := testutil.CollectAndLint(metrics.New("default", busy(time.Now()), leading))
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestNoSeriesPerContainer compares the largest fleet with one that has a
// container for each service.
func TestNoSeriesPerContainer(t *testing.T) {
	t.Parallel()
	few := &source{status: fleet(events.MaxServices, events.MaxServices)}
	many := &source{status: fleet(10_000, events.MaxServices)}
	count := func(s metrics.Source) int { return testutil.CollectAndCount(metrics.New("default", s, leading)) }
	if n, m := count(few), count(many); n != m || m > 1200 {
		t.Errorf("%d series with %d containers and %d with 10,000: want the same, and at most 1200", n, events.MaxServices, m)
	}
	labels := map[string]bool{
		"budget": true, "service": true, "state": true, "kind": true, "verb": true, "reason": true, "alert": true, "severity": true,
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.New("default", many, leading))
	families, err := registry.Gather()
	must(t, err)
	for _, f := range families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if !labels[l.GetName()] || strings.HasPrefix(l.GetValue(), "host-") {
					t.Fatalf("%s has the label %s=%q", f.GetName(), l.GetName(), l.GetValue())
				}
			}
		}
	}
}

// TestFixedSets sees to it that a kind, verb or reason that is added is counted.
func TestFixedSets(t *testing.T) {
	t.Parallel()
	for number := range 256 {
		kind, verb, reason := events.Kind(number), events.Verb(number), events.Reason(number)
		if known := !strings.HasPrefix(kind.String(), "kind "); known != (kind >= events.Register && kind <= events.Observe) {
			t.Errorf("kind %v: metrics take it for unknown", kind)
		}
		if known := !strings.HasPrefix(verb.String(), "verb "); known != (verb >= events.Noted && verb <= events.Ended) {
			t.Errorf("verb %v: metrics take it for unknown", verb)
		}
		if known := !strings.HasPrefix(reason.Code(), "reason_"); reason.Refusal() && known != (reason <= events.NoPolicy) {
			t.Errorf("reason %v: metrics take it for unknown", reason.Code())
		}
	}
}

// TestSeverities has a board raise every alert, and compares the severities.
func TestSeverities(t *testing.T) {
	t.Parallel()
	now, unmet := time.Now(), time.Now().Add(-time.Hour)
	s := &status.Status{
		Available: 10, TotalAllocated: 10, UtilizationPct: 100, Barrier: 1, Degraded: true, Uncounted: 1, Unregistered: 1,
		Services: map[string]*status.Service{"api": {UnmetSince: &unmet}},
	}
	board := alert.NewBoard([]string{"viewer"})
	board.Evaluate(now, s, 0)
	s.Alerts = board.Evaluate(now.Add(2*time.Minute), s, 1)
	got := scrape(t, metrics.Handler(metrics.Config{Budget: "b", Source: &source{status: s}}))
	raised := map[string]bool{}
	for _, a := range s.Alerts {
		raised[a.Name] = true
		if want := fmt.Sprintf("conncord_alert_firing{alert=%q,budget=\"b\",severity=%q} 1\n", a.Name, a.Severity); !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	for _, name := range alert.Names() {
		if !raised[name] {
			t.Errorf("this test did not raise %s: have it do so", name)
		}
	}
}

// TestConcurrentScrapes scrapes while the status changes, with half as many as are
// allowed at once: one is counted until a moment after its answer.
func TestConcurrentScrapes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(metrics.Handler(metrics.Config{Budget: "default", Source: &moving{}, Arbiter: leading, Logger: quiet()}))
	defer server.Close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				resp, err := server.Client().Get(server.URL)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "conncord_limit_connections") || !strings.Contains(string(body), "go_goroutines{budget=") {
					t.Errorf("scrape: %v %s\n%.300s", err, resp.Status, body)
				}
			}
		})
	}
	wg.Wait()
}

// A moving source has another status each time, as a projector has.
type moving struct{ source }

func (*moving) Status() *status.Status { return fleet(500, 10) }

// BenchmarkScrape is one of the largest fleet.
func BenchmarkScrape(b *testing.B) {
	h := metrics.Handler(metrics.Config{Budget: "default", Source: &source{status: fleet(10_000, events.MaxServices)}, Arbiter: leading})
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
