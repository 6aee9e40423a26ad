package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A dashboard is what the tests look at of deploy/grafana/dashboard.json.
type dashboard struct {
	UID        string `json:"uid"`
	Templating struct {
		List []struct {
			Name       string `json:"name"`
			Definition string `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []struct {
			Name string `json:"name"`
			Expr string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID      int    `json:"id"`
	Type    string `json:"type"`
	Title   string `json:"title"`
	GridPos struct{ X, Y, W, H int }
	Panels  []panel `json:"panels"` // of a row that is folded
	Targets []struct {
		Expr string `json:"expr"`
	} `json:"targets"`
}

func readDashboard(t *testing.T) (d dashboard, text string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(deploy, "grafana", "dashboard.json"))
	must(t, err)
	must(t, json.Unmarshal(data, &d))
	return d, string(data)
}

// What Grafana puts in before it asks Prometheus.
var (
	variables  = strings.NewReplacer("$budget", "default", "$instance", ".*", "$__rate_interval", "1m")
	labelQuery = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
)

// queries returns what the dashboard asks Prometheus, by where it stands.
func (d *dashboard) queries(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	var walk func(panels []panel)
	walk = func(panels []panel) {
		for _, p := range panels {
			for i, target := range p.Targets {
				all[fmt.Sprintf("panel %d %q, query %d", p.ID, p.Title, i+1)] = target.Expr
			}
			walk(p.Panels)
		}
	}
	walk(d.Panels)
	for _, a := range d.Annotations.List {
		if a.Expr != "" {
			all[fmt.Sprintf("annotation %q", a.Name)] = a.Expr
		}
	}
	for _, v := range d.Templating.List {
		if v.Definition == "" {
			continue
		}
		m := labelQuery.FindStringSubmatch(v.Definition)
		if m == nil {
			t.Errorf("variable %q: %q is no query that this test knows", v.Name, v.Definition)
			continue
		}
		all[fmt.Sprintf("variable %q", v.Name)] = fmt.Sprintf("group by (%s) (%s)", m[2], m[1])
	}
	for where, query := range all {
		all[where] = variables.Replace(query)
	}
	return all
}

func TestDashboardNamesMetrics(t *testing.T) {
	t.Parallel()
	d, text := readDashboard(t)
	exported := export(t)
	queries := d.queries(t)
	// All of them must have been found.
	if n := strings.Count(text, `"expr":`) + strings.Count(text, `"definition":`); n != len(queries) || n < 40 {
		t.Errorf("%d queries found of %d in the file", len(queries), n)
	}
	asked := map[string]bool{}
	for where, query := range queries {
		checkQuery(t, where, query, exported)
		for _, name := range conncordName.FindAllString(query, -1) {
			asked[name] = true
		}
	}
	for name := range exported {
		if strings.HasPrefix(name, "conncord_") && !asked[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// TestDashboardQueriesParse has promtool read each query as a recording rule.
func TestDashboardQueriesParse(t *testing.T) {
	t.Parallel()
	type recording struct {
		Record string            `yaml:"record"`
		Expr   string            `yaml:"expr"`
		Labels map[string]string `yaml:"labels"`
	}
	var all []recording
	d, _ := readDashboard(t)
	for where, query := range d.queries(t) {
		all = append(all, recording{"query", query, map[string]string{"where": where}})
	}
	file, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": all}}})
	must(t, err)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "queries.yml"), file, 0o600))
	promtool(t, dir, "check", "rules", "queries.yml")
}

// TestDashboardLayout looks for panels that lie over each other, as they do after
// a careless edit: Grafana then moves them about.
func TestDashboardLayout(t *testing.T) {
	t.Parallel()
	d, _ := readDashboard(t)
	if d.UID != "conncord" {
		t.Errorf("uid %q: links to the dashboard go by conncord", d.UID)
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q: it needs an id of its own and a title", p.ID, p.Title)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.X < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
			t.Errorf("panel %q lies outside of the 24 columns: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("panel %q lies over %q", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}
