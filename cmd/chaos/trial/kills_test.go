package trial

import (
	"errors"
	"strings"
	"testing"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/events"
)

func TestRegranted(t *testing.T) {
	for name, c := range map[string]struct {
		killed, other events.ContainerState
		want          string
	}{
		"all is granted to the other": {events.ContainerState{Want: 9, Units: 5}, events.ContainerState{Want: 30, Units: 20}, ""},
		"the other wants no more":     {events.ContainerState{Want: 9}, events.ContainerState{Want: 12, Units: 12}, ""},
		"it is charged still":         {events.ContainerState{Charge: 1}, events.ContainerState{Want: 30, Units: 20}, "1 connections are charged for it"},
		"the other has not got it":    {events.ContainerState{}, events.ContainerState{Want: 30, Units: 19}, "19 connections are granted where 30"},
	} {
		state := judge.State{Available: 20, Containers: map[string]events.ContainerState{"x": c.killed, "y": c.other}}
		if err := regranted(&state, "x"); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRoomForStrangers(t *testing.T) {
	good := judge.State{Incarnation: 1, Available: 40, Charged: 40, Look: events.Observation{External: 3}}
	for want, spoil := range map[string]func(*judge.State){
		"":                               func(*judge.State) {},
		"not known what containers have": func(s *judge.State) { s.Incarnation = 2 },
		"3 strangers are seen":           func(s *judge.State) {},
		"41 connections are charged":     func(s *judge.State) { s.Charged = 41 },
	} {
		s, strangers := good, 3
		if spoil(&s); strings.HasSuffix(want, "seen") {
			strangers = 4
		}
		err := room(&s, &good, strangers)
		if err == nil {
			err = errors.New("")
		}
		if got := err.Error(); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
