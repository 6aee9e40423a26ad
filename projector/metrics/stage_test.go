package metrics_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/metrics"
	"github.com/conncord/conncord/projector/status"
)

// The projector and the arbiter are what is measured.
var (
	_ metrics.Source  = (*projector.Projector)(nil)
	_ metrics.Arbiter = (*arbiter.Arbiter)(nil)
)

// A source shows what a test says.
type source struct {
	status   *status.Status
	counts   projector.Counts
	caughtUp bool
}

func (s *source) Status() *status.Status   { return s.status }
func (s *source) Counts() projector.Counts { return s.counts }
func (s *source) CaughtUp() bool           { return s.caughtUp }

type node arbiter.State

func (n node) State() arbiter.State { return arbiter.State(n) }

// busy is a source of which every metric has a value: the fleet of the
// documentation on a bad day.
func busy(now time.Time) *source {
	unmet := now.Add(-90 * time.Second)
	s := &status.Status{
		Version: status.Version, Budget: "default", Plan: "free",
		MaxConnections: 60, Reserved: 6, External: 4, Available: 50, TotalAllocated: 40, Remaining: 10, UtilizationPct: 80,
		Services: map[string]*status.Service{
			"scraper": {
				Count: 3, TotalConnections: 30, Granted: 28, InUse: 20, Waiting: 7, Want: 40, Priority: 10, Minimum: 5, Maximum: 45, UnmetSince: &unmet,
				Containers: []status.Container{{State: status.Waiting}, {State: status.Recalling}, {State: status.Lost}},
			},
			"viewer": {
				Count: 2, TotalConnections: 10, Granted: 10, InUse: 3, Want: 10, Priority: 5, Minimum: 2,
				Containers: []status.Container{{State: status.Active}, {State: status.Silent}},
			},
		},
		Health: status.Warning,
		Alerts: []status.Alert{
			{Name: alert.ServiceMissing, Service: "api", Severity: status.Warning},
			{Name: alert.ServiceMissing, Service: "external", Severity: status.Warning},
			{Name: alert.Utilization, Severity: status.Warning},
			{Name: alert.UnmetDemand, Service: "scraper", Severity: status.Warning},
		},
		Leader: "a1", Incarnation: "00000000000000ab", Epoch: 7, Sequence: 1234, Lag: 3, Barrier: 2500, Rejected: 5, Degraded: true,
		Watched: true, Uncounted: 4, Unregistered: 1, UpdatedAt: now.Add(-250 * time.Millisecond),
	}
	var counts projector.Counts
	for k := events.Register; k <= events.Observe; k++ {
		counts.Kinds[k] = 100 + uint64(k)
	}
	for v := events.Noted; v <= events.Ended; v++ {
		counts.Verbs[v] = 200 + uint64(v)
	}
	counts.Refusals[events.Stale], counts.Refusals[events.TooMany], counts.Refusals[events.NoPolicy+1] = 2, 3, 4
	counts.Gaps = 1
	return &source{s, counts, true}
}

var leading = node{ID: "a1", Leading: true, CaughtUp: true, Leader: "a1", Incarnation: 0xab, Epoch: 7, Sequence: 1237, Charged: 40, Containers: 5}

// fleet is a status with so many containers, shared among so many services.
func fleet(containers, services int) *status.Status {
	s := &status.Status{Version: status.Version, Services: map[string]*status.Service{}, UpdatedAt: time.Now(), Watched: true}
	for i := range containers {
		name := fmt.Sprintf("service-%02d", i%services)
		service := s.Services[name]
		if service == nil {
			service = &status.Service{Maximum: 10}
			s.Services[name] = service
		}
		service.Containers = append(service.Containers, status.Container{ID: fmt.Sprintf("%s-%d", name, i), Host: fmt.Sprintf("host-%d", i), State: status.Active})
		service.Count++
	}
	return s
}

// scrape returns what /metrics says: the lines about Conncord.
func scrape(t *testing.T, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	var lines strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), "conncord_") {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
