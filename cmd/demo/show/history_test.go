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
	h.take(&events.Record{Sequence: 4, Available: 54, Charged: 5, Decisions: []events.Decision{
		{Verb: events.Ended, Container: "viewer-1", Fallback: 2},
	}}, now.Add(time.Second))
	if emptied := h.holding("viewer-1").emptied; !emptied.Equal(now.Add(time.Second)) {
		t.Errorf("emptied at %v", emptied)
	}
	if !h.holding("viewer-2").emptied.IsZero() {
		t.Error("the other one as well")
	}
	if got := h.ids(); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// The time until a killed container's connections are elsewhere ends when others
// have all that there is.
func TestHistoryMeasuresRegrants(t *testing.T) {
	h := newHistory()
	now := time.Unix(0, 0)
	second := func(n int) time.Time { return now.Add(time.Duration(n) * time.Second) }
	h.take(register(1, "viewer-1", "viewer", 10), now)
	rec := register(2, "api-1", "api", 44)
	rec.Charged = 54
	h.take(rec, now)
	h.kill("viewer-1", second(1))
	h.take(&events.Record{Sequence: 3, Available: 54, Charged: 44, Decisions: []events.Decision{{Container: "viewer-1"}}}, second(3))
	if took := h.regrant("viewer-1"); took != 0 {
		t.Errorf("%v before anybody has got it", took)
	}
	h.take(&events.Record{Sequence: 4, Available: 54, Charged: 54, Decisions: []events.Decision{{Container: "api-1", Units: 54, Charge: 54}}}, second(4))
	if took := h.regrant("viewer-1"); took != 3*time.Second {
		t.Errorf("%v", took)
	}
}

// When others take connections, the charges stand above what is available until
// enough has been given back; nobody may grow meanwhile.
func TestHistoryFollowsWhatIsAvailable(t *testing.T) {
	observe := func(seq uint64, external, available, charged int) *events.Record {
		return &events.Record{Sequence: seq, Available: available, Charged: charged,
			Intent: events.EncodeIntent(&events.Intent{Kind: events.Observe, Observation: events.Observation{Usable: 57, External: external}})}
	}
	h := newHistory()
	h.take(register(1, "api-1", "api", 54), time.Now())
	if v := h.view(); v.most != 0 {
		t.Errorf("%d are available before anybody has looked", v.most)
	}
	h.take(observe(2, 4, 50, 54), time.Now())
	if v := h.view(); v.fault != "" || v.external != 4 || v.available != 50 || v.most != 50 {
		t.Errorf("%+v", v)
	}
	h.take(observe(3, 4, 50, 55), time.Now())
	if v := h.view(); !strings.Contains(v.fault, "record 3 charges 55 of 50") {
		t.Errorf("%q", v.fault)
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
