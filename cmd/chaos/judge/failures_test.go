package judge

import (
	"strings"
	"testing"

	"github.com/conncord/conncord/cmd/demo/service"
)

func failing(class service.Class, n int64) service.Report {
	return service.Report{Failures: map[service.Class]service.Failure{class: {Count: n, Last: "no luck"}}}
}

func TestFailures(t *testing.T) {
	outage := Explanation{Classes: []service.Class{service.Away}, Roles: []string{"x"}}
	for name, c := range map[string]struct {
		explain Explanation
		role    string
		r       service.Report
		want    string // of what is found; empty: nothing
	}{
		"explained":             {outage, "x", failing(service.Away, 3), ""},
		"another class":         {outage, "x", failing(service.Cut, 3), "3 sessions of api-1 (x) failed"},
		"another container":     {outage, "y", failing(service.Away, 3), "3 sessions of api-1 (y) failed"},
		"of any container":      {Explanation{Classes: []service.Class{service.Away}}, "y", failing(service.Away, 3), ""},
		"nothing explains":      {Explanation{}, "x", failing(service.Other, 1), "no luck"},
		"refused is never fine": {Explanation{Classes: []service.Class{service.Away, service.Other}}, "x", service.Report{Refused: 2}, "refused 2 connections"},
	} {
		t.Run(name, func(t *testing.T) {
			var found errs
			f := NewFailures(found.add)
			f.Explain(c.explain)
			f.Take("api-1", c.role, service.Report{}, c.r, at(0))
			f.Take("api-1", c.role, c.r, c.r, at(1)) // nothing new
			if got := found.String(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) || len(found) > 1 {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnExplanationEnds(t *testing.T) {
	var found errs
	f := NewFailures(found.add)
	end := f.Explain(Explanation{Classes: []service.Class{service.Away}})
	end(at(10))
	f.Take("api-1", "x", service.Report{}, failing(service.Away, 1), at(10))
	f.Take("api-1", "x", failing(service.Away, 1), failing(service.Away, 3), at(10.1))
	if got := f.Tally(); got.Unexplained != 2 || len(found) != 1 || got.Explained != "away 1" {
		t.Errorf("%+v, %s", got, &found)
	}
}

func TestRefusalsInTheLogCount(t *testing.T) {
	var found errs
	f := NewFailures(found.add)
	f.Refused("app_1", "FATAL: sorry, too many clients already", at(0))
	if f.Tally().Refused != 1 || len(found) != 1 {
		t.Errorf("%+v, %s", f.Tally(), &found)
	}
	for line, want := range map[string]bool{
		"app_1 FATAL:  sorry, too many clients already":    true,
		"app_1 FATAL:  the database system is starting up": false,
	} {
		if role, refused := Refuses(line); role != "app_1" || refused != want {
			t.Errorf("%q: %v of %s", line, refused, role)
		}
	}
}

func TestRefusalsAreAllowedOnlyWhileTheDatabaseIsFull(t *testing.T) {
	const text = "FATAL:  sorry, too many clients already"
	for name, c := range map[string]struct {
		second float64
		role   string
		text   string
		found  bool
	}{
		"before":         {9.9, "app_1", text, true},
		"at the begin":   {10, "app_1", text, false},
		"at the end":     {20, "app_1", text, false},
		"after":          {20.1, "app_1", text, true},
		"somebody else":  {15, "arbiter", text, true},
		"something else": {15, "app_1", "FATAL:  too many connections for role", true},
	} {
		t.Run(name, func(t *testing.T) {
			var found errs
			f := NewFailures(found.add)
			end := f.Fill(Full{From: at(10), Roles: func(role string) bool { return role == "app_1" }, Text: "too many clients"})
			end(at(20))
			f.Refused(c.role, c.text, at(c.second))
			f.Take("api-1", c.role, service.Report{}, service.Report{Refused: 1, LastError: c.text}, at(c.second))
			want := FailureTally{Expected: 2}
			if c.found {
				want = FailureTally{Refused: 2}
			}
			if got := f.Tally(); got != want || (len(found) > 0) != c.found {
				t.Errorf("%+v, %s", got, &found)
			}
		})
	}
}

func TestBrokenPrograms(t *testing.T) {
	for line, want := range map[string]bool{
		`time=2026 level=ERROR msg="no"`: true,
		"WARNING: DATA RACE":             true,
		"panic: no":                      true,
		`level=WARN msg="panic: no"`:     false,
		"level=INFO msg=leading":         false,
	} {
		if Broken(line) != want {
			t.Errorf("%q: %v", line, !want)
		}
	}
}
