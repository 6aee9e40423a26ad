package judge

import (
	"strings"
	"testing"

	"github.com/conncord/conncord/events"
)

func TestWhole(t *testing.T) {
	for want, spoil := range map[string]func(s *State, m []Member, leader *string){
		"":                            func(*State, []Member, *string) {},
		"nobody leads":                func(_ *State, _ []Member, leader *string) { *leader = "" },
		`the history knows "a-1"`:     func(_ *State, _ []Member, leader *string) { *leader = "a-2" },
		"nothing was decided":         func(s *State, _ []Member, _ *string) { s.At = at(0) },
		"x did not report":            func(_ *State, m []Member, _ *string) { m[0].At = at(0) },
		"x has no lease: it is local": func(_ *State, m []Member, _ *string) { m[0].Mode = "local" },
		"x is not known":              func(s *State, m []Member, _ *string) { m[0].Container = "another" },
		"y was not heard in time":     func(s *State, _ []Member, _ *string) { s.Containers["y"] = events.ContainerState{Lost: true} },
		"y is held for silent":        func(s *State, _ []Member, _ *string) { s.Containers["y"] = events.ContainerState{Silent: 7} },
		"x goes by 9 connections":     func(_ *State, m []Member, _ *string) { m[0].Granted = 9 },
		"y served nobody":             func(_ *State, m []Member, _ *string) { m[1].Sessions = 0 },
		"z is gone, and 3":            func(s *State, _ []Member, _ *string) { s.Containers["z"] = events.ContainerState{Charge: 3} },
		"54 connections are granted":  func(s *State, _ []Member, _ *string) { s.Available = 55 },
		"55 connections are charged":  func(s *State, _ []Member, _ *string) { s.Charged = 55 },
		"54 connections are granted where 60 are wanted and 60 available": func(s *State, _ []Member, _ *string) { s.Available = 60 },
	} {
		s := State{
			Leader: "a-1", At: at(2), Available: 54, Charged: 54,
			Containers: map[string]events.ContainerState{"x": {Want: 10, Units: 10, Charge: 10}, "y": {Want: 50, Units: 44, Charge: 44}},
		}
		m := []Member{
			{Name: "x", Container: "x", Mode: "leased", Granted: 10, Callers: 5, At: at(2), Sessions: 3},
			{Name: "y", Container: "y", Mode: "leased", Granted: 44, Callers: 50, At: at(2), Sessions: 3},
		}
		leader := "a-1"
		spoil(&s, m, &leader)
		err := Whole(&s, m, leader, at(1))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
