package metrics_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumented compares docs/metrics.md with what /metrics has: every metric is
// there, with its type and labels, and no other.
func TestDocumented(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	type row struct{ Type, Labels string }
	documented, want := map[string]row{}, map[string]row{}
	quoted := regexp.MustCompile("`([^`]*)`")
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.HasPrefix(cells[1], " `conncord_") {
			continue
		}
		name := strings.Trim(cells[1], " `")
		var labels []string
		for _, m := range quoted.FindAllStringSubmatch(cells[3], -1) {
			labels = append(labels, m[1])
		}
		slices.Sort(labels)
		if _, twice := documented[name]; twice {
			t.Errorf("%s is documented twice", name)
		}
		documented[name] = row{strings.TrimSpace(cells[2]), strings.Join(labels, " ")}
	}
	exported := export(t)
	for name, metric := range exported {
		if strings.HasPrefix(name, "conncord_") {
			want[name] = row{metric.kind, strings.Join(metric.labels, " ")}
		}
	}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Errorf("docs/metrics.md (-exported +documented):\n%s", diff)
	}
	for _, name := range conncordName.FindAllString(string(data), -1) {
		if _, ok := exported[name]; !ok && name != "conncord_arbiter" {
			t.Errorf("docs/metrics.md names the metric %s, which is not exported", name)
		}
	}
	for name, r := range rules(t) {
		if !regexp.MustCompile("(?m)^\\| `" + name + "` \\| " + r.Labels["severity"] + " \\|").Match(data) {
			t.Errorf("docs/metrics.md does not list the rule %s with its severity %s", name, r.Labels["severity"])
		}
	}
}
