package show

import (
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
)

func register(seq uint64, container, service string, units int) *events.Record {
	return &events.Record{
		Sequence: seq, Available: 54, Charged: units,
		Intent:    events.EncodeIntent(&events.Intent{Kind: events.Register, Container: container, Counter: 1, Introduce: events.Introduce{Service: service}}),
		Decisions: []events.Decision{{Verb: events.Granted, Container: container, Lease: "x", Units: units, Charge: units, Fallback: 2}},
	}
}

func TestHistoryAddsUp(t *testing.T) {
	h := newHistory()
	now := time.Unix(0, 0)
	h.take(register(1, "viewer-1", "viewer", 10), now)
	h.take(register(2, "viewer-2", "viewer", 5), now)
	h.take(&events.Record{Sequence: 3, Available: 54, Charged: 7, Decisions: []events.Decision{
		{Verb: events.Lost, Container: "viewer-1", Charge: 2, Fallback: 2},
	}}, now.Add(time.Second))

	v := h.view()
	if got, want := v.shares["viewer"], (share{units: 5, charge: 7}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if v.charged != 7 || v.peak != 10 || v.fault != "" {
		t.Errorf("%+v", v)
	}
	if fell := h.holding("viewer-1").fell; !fell.Equal(now.Add(time.Second)) {
		t.Errorf("fell at %v", fell)
	}
	if !h.holding("viewer-2").fell.IsZero() {
		t.Error("the other one fell as well")
	}
	if got := h.ids(); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

func TestHistoryFindsFaults(t *testing.T) {
	for want, records := range map[string][]*events.Record{
		"record 1 charges 55 of 54":                {register(1, "a", "api", 55)},
		"record 3 of the history follows record 1": {register(1, "a", "api", 5), register(3, "b", "api", 5)},
	} {
		h := newHistory()
		for _, rec := range records {
			h.take(rec, time.Now())
		}
		if fault := h.view().fault; !strings.Contains(fault, want) {
			t.Errorf("%q, want %q", fault, want)
		}
	}
}
