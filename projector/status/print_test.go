package status

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the recorded prints; read the difference before committing it")

var now = time.Date(2025, 10, 15, 10, 0, 0, 0, time.UTC)

// example is the deployment that the documentation shows.
func example() *Status {
	since := now.Add(-90 * time.Minute)
	s := &Status{
		Version: Version, Budget: "default", Plan: "free",
		MaxConnections: 60, Reserved: 6, Available: 54, TotalAllocated: 25, Remaining: 29, UtilizationPct: Percent(25, 54),
		Services: map[string]*Service{}, Health: Healthy,
		Leader: "arbiter-1", LeaderHost: "arbiter-1.internal", LeaderSince: &since, Epoch: 3, Incarnation: "c0ffee", Sequence: 812,
		UpdatedAt: now,
	}
	for i, one := range []struct {
		name, id, host                 string
		priority, minimum, connections int
	}{
		{"scraper", "abc123456789", "n8n-scraper-app", 10, 5, 15},
		{"viewer", "def987654321", "scraper-db-viewer", 5, 2, 3},
		{"api", "0a1b2c3d4e5f", "api-1", 8, 3, 5},
		{"monitoring", "99aabbccddee", "monitoring", 3, 1, 2},
	} {
		s.Services[one.name] = &Service{
			Containers: []Container{{
				ID: one.id, Host: one.host, State: Active, Connections: one.connections, Granted: one.connections,
				InUse: one.connections - 1, Held: one.connections, Want: one.connections,
				ReservedAt: now.Add(-15*time.Minute + time.Duration(30+2*i)*time.Second), HeardAt: now.Add(-time.Second),
			}},
			Count: 1, TotalConnections: one.connections, Pct: Percent(one.connections, 25),
			Priority: one.priority, Minimum: one.minimum, Listed: true,
			Granted: one.connections, InUse: one.connections - 1, Want: one.connections,
		}
	}
	return s
}

// troubled is the example on a bad day.
func troubled() *Status {
	s := example()
	s.TotalAllocated, s.Remaining, s.UtilizationPct, s.External, s.Available = 52, 0, Percent(52, 50), 4, 50
	s.Health, s.Leader, s.LeaderHost, s.LeaderSince = Critical, "", "", nil
	s.Lag, s.Barrier, s.Rejected, s.Uncounted, s.Degraded = 1234, 4200, 17, 2, true
	s.Notices = []string{"The history was trimmed before it could be read: the status begins with a snapshot."}
	s.Alerts = []Alert{
		{Name: "no_leader", Severity: Critical, Summary: "No arbiter leads: nothing is granted.", Since: now.Add(-3 * time.Minute)},
		{Name: "exhausted", Severity: Critical, Summary: "0 connections remain.", Since: now.Add(-time.Minute)},
		{Name: "unmet_demand", Service: "viewer", Severity: Warning, Summary: "viewer has had less than it wants for 2 minutes: 4 of 10.", Since: now.Add(-26 * time.Hour)},
	}
	viewer := s.Services["viewer"]
	viewer.Waiting, viewer.Want, viewer.TotalConnections, viewer.Granted = 6, 10, 4, 4
	c := &viewer.Containers[0]
	c.State, c.Connections, c.Granted, c.Want, c.Waiting, c.Position = Waiting, 4, 4, 10, 6, 1
	c.Reason = "others hold the connections; it grows when some come free"
	s.Services["scraper"].TotalConnections, s.Services["scraper"].Granted = 41, 36
	scraper := &s.Services["scraper"].Containers[0]
	scraper.State, scraper.Connections, scraper.Granted, scraper.Reason = Recalling, 41, 36, "services that are due more need the connections"
	for _, service := range s.Services {
		service.Pct = Percent(service.TotalConnections, s.TotalAllocated)
	}
	lost := &s.Services["api"].Containers[0]
	lost.State, lost.HeardAt, lost.Reason = Lost, now.Add(-6*time.Minute), "the container was not heard in time"
	return s
}

// fleet is one service with many containers.
func fleet(n int) *Status {
	s := example()
	many := &Service{Count: n, Priority: 9}
	for i := range n {
		many.Containers = append(many.Containers, Container{ID: fmt.Sprintf("worker-%05d", i), Host: fmt.Sprintf("node-%d", i%50), State: Active, Connections: 1, Granted: 1})
	}
	s.Services = map[string]*Service{"worker": many}
	return s
}

func printed(t *testing.T, s *Status, o PrintOptions) string {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = now
	}
	o.Location = time.UTC
	var b bytes.Buffer
	if err := s.Print(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status *Status
		o      PrintOptions
	}{
		{"example", example(), PrintOptions{}},
		{"example_ascii", example(), PrintOptions{ASCII: true}},
		{"example_color", example(), PrintOptions{Color: true}},
		{"troubled", troubled(), PrintOptions{}},
		{"troubled_132", troubled(), PrintOptions{Width: 132}},
		{"troubled_40", troubled(), PrintOptions{Width: 40}},
		{"viewer", troubled(), PrintOptions{Service: "view"}},
		{"nothing", &Status{Version: Version, Budget: "shop", Health: Healthy, UpdatedAt: now}, PrintOptions{}},
		{"stale", example(), PrintOptions{Now: now.Add(5 * time.Minute)}},
		{"partial", fleet(5000).Summary(), PrintOptions{}},
		{"fleet", fleet(10_000), PrintOptions{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := printed(t, c.status, c.o)
			golden := filepath.Join("testdata", "print", c.name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("printed (-want +got); to accept it run with -update:\n%s", diff)
			}
		})
	}
}

// What the specification of the monitor shows must be there to the letter.
func TestPrintShowsTheExample(t *testing.T) {
	t.Parallel()
	got := printed(t, example(), PrintOptions{})
	for _, want := range []string{
		"  Plan:                  FREE\n",
		"  Max Connections:       60\n",
		"  Reserved for Supabase: 6 (10%)\n",
		"  Available for Apps:    54\n",
		"  Status:                🟢 HEALTHY\n",
		"  Total Allocated:       25/54\n",
		"  Remaining:             29\n",
		"  Utilization:           46.3%\n",
		"  [" + strings.Repeat("█", 23) + strings.Repeat("░", 27) + "] 46.3%\n",
		"  scraper         1            15              60.0% ",
		"  viewer          1            3               12.0% ",
		"  api             1            5               20.0% ",
		"  monitoring      1            2               8.0% ",
		"  SCRAPER:\n    • abc123456789 (n8n-scraper-app)\n      Connections: 15 | Reserved at: 09:45:30",
		"  🟢 HEALTHY:\n     • Connection usage is within safe limits\n     • No action needed\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func TestPrintWidth(t *testing.T) {
	t.Parallel()
	hostile := troubled()
	hostile.Budget = strings.Repeat("b", 300)
	hostile.Services[strings.Repeat("漢字", 40)] = &Service{Count: 1, TotalConnections: 123_456, Containers: []Container{{
		ID: strings.Repeat("i", 500), Host: strings.Repeat("🐳", 100), Reason: strings.Repeat("verylongword", 30), State: Waiting, Want: 3,
	}}}
	for _, width := range []int{1, 20, 40, 79, 80, 100, 132, 300} {
		for _, o := range []PrintOptions{{Width: width}, {Width: width, Color: true}, {Width: width, ASCII: true}} {
			for name, s := range map[string]*Status{"troubled": troubled(), "hostile": hostile, "fleet": fleet(12)} {
				for i, line := range strings.Split(printed(t, s, o), "\n") {
					if w := ansi.StringWidth(line); w > width {
						t.Errorf("%s at %d, line %d has %d columns: %q", name, width, i+1, w, line)
					}
				}
			}
		}
	}
}

// Everything in a status may have been written by another program.
func TestPrintCleans(t *testing.T) {
	t.Parallel()
	const evil = "\x1b[2J\x1b]0;owned\a\r\n\u009b31m\u202egnp\u2028\x80\xff\x00\u0301\u0301"
	s := troubled()
	s.Budget, s.Plan, s.Leader, s.LeaderHost, s.Health = evil, evil, evil, evil, Health(evil)
	s.Notices = append(s.Notices, evil)
	s.Alerts = append(s.Alerts, Alert{Name: evil, Service: evil, Severity: Health(evil), Summary: evil},
		Alert{Name: "service_missing", Service: evil}, Alert{Name: "unmet_demand", Service: evil})
	s.Services[evil] = &Service{Count: 1, Containers: []Container{{ID: evil, Host: evil, State: State(evil), Reason: evil, Lease: evil}}}
	for _, o := range []PrintOptions{{}, {ASCII: true}, {Color: true}, {Service: evil}} {
		got := printed(t, s, o)
		if o.Color {
			got = strings.NewReplacer(string(bold), "", string(faint), "", string(red), "", string(green), "",
				string(yellow), "", string(cyan), "", unstyled, "").Replace(got)
		}
		if !utf8.ValidString(got) {
			t.Errorf("%+v: not UTF-8", o)
		}
		for _, r := range got {
			if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2028' || r == '\u0301' || o.ASCII && r > '~') {
				t.Fatalf("%+v: %U gets through:\n%q", o, r, got)
			}
		}
		if strings.Count(got, "?[2J") == 0 {
			t.Errorf("%+v: the names are not shown at all", o)
		}
	}
}

func TestPrintBounds(t *testing.T) {
	t.Parallel()
	got := printed(t, fleet(10_000), PrintOptions{})
	if !strings.Contains(got, "    … and 9,990 more\n") {
		t.Errorf("it does not say how many are left out:\n%s", got)
	}
	if n := strings.Count(got, "\n"); n > 80 {
		t.Errorf("it prints %d lines", n)
	}
	if got := printed(t, fleet(12), PrintOptions{MaxContainers: 12}); strings.Contains(got, " more") || strings.Count(got, "•  worker-") > 0 {
		t.Errorf("12 of 12:\n%s", got)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1000: "-1,000", -999: "-999", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
