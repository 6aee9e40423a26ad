package alert

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
)

var start = time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)

// healthy returns a status without anything to say about it.
func healthy() *status.Status {
	return &status.Status{
		Leader: "a1", Available: 54, TotalAllocated: 20, Remaining: 34, UtilizationPct: status.Percent(20, 54),
		Services: map[string]*status.Service{"api": {Count: 1, Granted: 20, Want: 20, Containers: []status.Container{{ID: "api-1", State: status.Active, Connections: 20}}}},
	}
}

// using returns a status in which so many of 54 are allocated.
func using(n int) func(*status.Status) {
	return func(s *status.Status) {
		s.TotalAllocated, s.Remaining, s.UtilizationPct = n, 54-n, status.Percent(n, 54)
	}
}

func unmet(s *status.Status) {
	since := start
	s.Services["api"].UnmetSince, s.Services["api"].Want = &since, 30
}

func lost(s *status.Status) { s.Services["api"].Containers[0].State = status.Lost }

// A moment is what the status says from a second on, until the next.
type moment struct {
	second int
	says   func(*status.Status)
	faulty uint64
}

// TestAlerts plays each alert, a second a step, and notes in which seconds it is
// raised and cleared.
func TestAlerts(t *testing.T) {
	none := func(*status.Status) {}
	for name, c := range map[string]struct {
		moments []moment
		want    string
	}{
		"nothing":                    {[]moment{{0, none, 7}}, ""},
		"utilization":                {[]moment{{5, using(41), 0}, {20, using(20), 0}}, "8+utilization 50-utilization"},
		"just 75 %":                  {[]moment{{5, func(s *status.Status) { s.UtilizationPct = 75 }, 0}}, ""},
		"utilization between":        {[]moment{{5, using(41), 0}, {20, using(39), 0}}, "8+utilization"},
		"a peak of two seconds":      {[]moment{{5, using(41), 0}, {7, using(20), 0}}, ""},
		"a dip of twenty":            {[]moment{{5, using(41), 0}, {20, using(20), 0}, {40, using(41), 0}}, "8+utilization"},
		"exhausted":                  {[]moment{{5, using(50), 0}, {20, using(20), 0}}, "8+exhausted 8+utilization 50-exhausted 50-utilization"},
		"five remain":                {[]moment{{5, func(s *status.Status) { s.Remaining = 5 }, 0}}, ""},
		"two of eleven remain":       {[]moment{{5, func(s *status.Status) { s.Available, s.Remaining = 11, 2 }, 0}}, ""},
		"none of eleven remains":     {[]moment{{5, func(s *status.Status) { s.Available, s.Remaining = 11, 0 }, 0}}, "8+exhausted"},
		"no leader":                  {[]moment{{5, func(s *status.Status) { s.Leader = "" }, 0}, {20, none, 0}}, "8+no_leader 23-no_leader"},
		"a takeover":                 {[]moment{{5, func(s *status.Status) { s.Leader = "" }, 0}, {7, none, 0}}, ""},
		"service missing":            {[]moment{{5, func(s *status.Status) { delete(s.Services, "api") }, 0}, {30, none, 0}}, "15+service_missing/api 33-service_missing/api"},
		"a restart":                  {[]moment{{5, func(s *status.Status) { delete(s.Services, "api") }, 0}, {12, none, 0}}, ""},
		"barrier":                    {[]moment{{5, func(s *status.Status) { s.Barrier = 1 }, 0}, {20, none, 0}}, "5+barrier 20-barrier"},
		"drift":                      {[]moment{{5, func(s *status.Status) { s.Uncounted = 2 }, 0}, {30, none, 0}}, "15+drift 40-drift"},
		"expired leases":             {[]moment{{5, lost, 0}, {20, none, 0}}, "8+local_mode 30-local_mode"},
		"an expired lease of none":   {[]moment{{5, func(s *status.Status) { lost(s); s.Services["api"].Containers[0].Connections = 0 }, 0}}, ""},
		"unregistered containers":    {[]moment{{5, func(s *status.Status) { s.Unregistered, s.Uncounted = 2, 2 }, 0}, {20, none, 0}}, "8+local_mode 15+drift 30-drift 30-local_mode"},
		"rejected":                   {[]moment{{5, none, 1}}, "5+rejected 65-rejected"},
		"rejected again":             {[]moment{{5, none, 1}, {50, none, 2}}, "5+rejected 110-rejected"},
		"unmet":                      {[]moment{{5, unmet, 0}, {100, none, 0}}, "65+unmet_demand/api 103-unmet_demand/api"},
		"unmet for less":             {[]moment{{5, unmet, 0}, {64, none, 0}}, ""},
		"degraded":                   {[]moment{{5, func(s *status.Status) { s.Degraded = true }, 0}, {20, none, 0}}, "8+degraded 23-degraded"},
		"all of them, never cleared": {[]moment{{0, func(s *status.Status) { s.Leader = ""; s.Barrier = 9; using(54)(s) }, 0}}, "0+barrier 3+exhausted 3+no_leader 3+utilization"},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBoard([]string{"api"})
			var log []string
			var before []status.Alert
			for second := range 120 {
				s, faulty := healthy(), uint64(0)
				if name == "nothing" {
					faulty = 7 // from before the projector began
				}
				for _, m := range c.moments {
					if second >= m.second {
						s = healthy()
						m.says(s)
						faulty = m.faulty
					}
				}
				alerts := b.Evaluate(start.Add(time.Duration(second)*time.Second), s, faulty)
				log = append(log, marks(second, Changes(before, alerts))...)
				before = alerts
			}
			if got := strings.Join(log, " "); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func marks(second int, changes []Change) (marks []string) {
	for _, c := range changes {
		mark := fmt.Sprintf("%d+%s", second, c.Alert.Name)
		if c.Cleared {
			mark = fmt.Sprintf("%d-%s", second, c.Alert.Name)
		}
		if c.Alert.Service != "" {
			mark += "/" + c.Alert.Service
		}
		marks = append(marks, mark)
	}
	slices.Sort(marks)
	return marks
}

// TestNoFlapping wavers around each threshold for ten minutes, and counts changes.
func TestNoFlapping(t *testing.T) {
	for name, waver := range map[string]func(*status.Status, *rand.Rand){
		Utilization: func(s *status.Status, r *rand.Rand) { using(39 + r.IntN(4))(s) },
		Exhausted:   func(s *status.Status, r *rand.Rand) { using(47 + r.IntN(4))(s) },
		NoLeader:    func(s *status.Status, r *rand.Rand) { s.Leader = []string{"", "a1"}[r.IntN(2)] },
		Drift:       func(s *status.Status, r *rand.Rand) { s.Uncounted = r.IntN(3) },
		LocalMode:   func(s *status.Status, r *rand.Rand) { s.Unregistered = r.IntN(2) },
		ServiceMissing: func(s *status.Status, r *rand.Rand) {
			if r.IntN(2) == 0 {
				delete(s.Services, "api")
			}
		},
		UnmetDemand: func(s *status.Status, r *rand.Rand) {
			if r.IntN(2) == 0 {
				unmet(s)
			}
		},
		Degraded: func(s *status.Status, r *rand.Rand) { s.Degraded = r.IntN(2) == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			b, r := NewBoard([]string{"api"}), rand.New(rand.NewPCG(1, 2))
			var before []status.Alert
			changes := 0
			for i := range 10 * 60 * 4 {
				s := healthy()
				waver(s, r)
				alerts := b.Evaluate(start.Add(time.Duration(i)*250*time.Millisecond), s, 0)
				for _, c := range Changes(before, alerts) {
					if c.Alert.Name == name {
						changes++
					}
				}
				before = alerts
			}
			if changes > 1 {
				t.Errorf("%d changes, want 1 at most", changes)
			}
		})
	}
}

func TestOrderAndHealth(t *testing.T) {
	b := NewBoard([]string{"api", "web"})
	s := healthy()
	s.Leader, s.Barrier = "", 5
	s.Services = nil
	using(54)(s)
	b.Evaluate(start, s, 0)
	alerts := b.Evaluate(start.Add(time.Minute), s, 3)
	var got []string
	for _, a := range alerts {
		got = append(got, a.Name+"/"+a.Service)
		if a.Since != start && a.Name != Rejected {
			t.Errorf("%s since %v, want %v", a.Name, a.Since, start)
		}
	}
	want := []string{"no_leader/", "exhausted/", "barrier/", "service_missing/api", "service_missing/web", "utilization/", "rejected/"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	if h := HealthOf(alerts); h != status.Critical {
		t.Errorf("health %s, want critical", h)
	}
	if h := HealthOf(alerts[2:]); h != status.Warning {
		t.Errorf("health %s, want warning", h)
	}
	if h := HealthOf(nil); h != status.Healthy {
		t.Errorf("health %s, want healthy", h)
	}
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	if diff := cmp.Diff(Names(), names); diff != "" {
		t.Errorf("names of the rules (-want +got):\n%s", diff)
	}
}
