package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/conncord/conncord/projector/metrics"
)

// An exported metric is one that /metrics has.
type exported struct {
	kind   string   // counter, gauge …
	labels []string // but for budget, sorted
}

var (
	typeLine = regexp.MustCompile(`^# TYPE (\S+) (\S+)`)
	label    = regexp.MustCompile(`(\w+)="`)
	series   = regexp.MustCompile(`^(\w+)\{(.*)\} `)
)

// export returns all that /metrics has when everything is known, by name.
func export(t *testing.T) map[string]exported {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler(metrics.Config{Budget: "default", Source: busy(time.Now()), Arbiter: leading}).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	all := map[string]exported{}
	for line := range strings.Lines(w.Body.String()) {
		if m := typeLine.FindStringSubmatch(line); m != nil {
			all[m[1]] = exported{kind: m[2]}
		}
		m := series.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if e, ok := all[m[1]]; ok && e.labels == nil {
			e.labels = []string{}
			for _, l := range label.FindAllStringSubmatch(m[2], -1) {
				if l[1] != "budget" {
					e.labels = append(e.labels, l[1])
				}
			}
			slices.Sort(e.labels)
			all[m[1]] = e
		}
	}
	if len(all["conncord_limit_connections"].kind) == 0 || len(all["go_goroutines"].kind) == 0 {
		t.Fatalf("this is not what /metrics says: %v", all)
	}
	return all
}

// prometheusOwn are metrics that Prometheus makes itself.
var prometheusOwn = map[string]bool{"up": true}

// checkQuery reports whether every metric of a query is exported, with the labels
// that it is selected by.
func checkQuery(t *testing.T, where, query string, all map[string]exported) {
	t.Helper()
	expr, err := metricsql.Parse(query)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	found := 0
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		m, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		for _, filters := range m.LabelFilterss {
			var name string
			for _, f := range filters {
				if f.Label == "__name__" && !f.IsRegexp && !f.IsNegative {
					name = f.Value
				}
			}
			found++
			metric, ok := all[name]
			if !ok && !prometheusOwn[name] {
				t.Errorf("%s names the metric %q, which is not exported: %s", where, name, query)
				continue
			}
			for _, f := range filters {
				known := slices.Concat(metric.labels, []string{"__name__", "budget", "instance", "job"})
				if !slices.Contains(known, f.Label) {
					t.Errorf("%s selects %s by the label %q, which it does not have: %s", where, name, f.Label, query)
				}
			}
		}
	})
	if found == 0 {
		t.Errorf("%s names no metric: %s", where, query)
	}
}
