package ledger

import (
	"strings"
	"testing"

	"github.com/conncord/conncord/events"
)

// An oversize entry is parked: the record keeps its beginning and its size, can
// be read back, and applied again gives the same record.
func TestOversizeIsParked(t *testing.T) {
	l, twin := New(1, 0), New(1, 0)
	big := []byte(strings.Repeat("x", events.MaxEntryBytes+1))
	step := l.Apply(Input{Entry: "1-0", Intent: big})
	rec, err := events.DecodeRecord(step.Encoded)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Refused != events.Oversize || len(rec.Intent) != events.MaxParkedBytes || rec.Size != len(big) {
		t.Fatalf("refused %v, %d bytes kept, size %d", rec.Refused, len(rec.Intent), rec.Size)
	}
	again := twin.Apply(Input{Entry: rec.Entry, Intent: rec.Intent, Size: rec.Size})
	if again.Record.Hash != rec.Hash || l.Hash() != twin.Hash() {
		t.Error("replayed, the record is another one")
	}
}

// A wall clock before 1970 decides nothing, and must not make the record
// unreadable.
func TestWallClockBefore1970(t *testing.T) {
	step := New(1, 0).Apply(Input{Wall: -5, Intent: events.EncodeIntent(&events.Intent{Kind: events.Tick})})
	if _, err := events.DecodeRecord(step.Encoded); err != nil {
		t.Error(err)
	}
}

// Ledger time never goes back.
func TestLedgerTimeStands(t *testing.T) {
	l := New(1, 0)
	tick := events.EncodeIntent(&events.Intent{Kind: events.Tick})
	l.Apply(Input{Now: 100, Intent: tick})
	if step := l.Apply(Input{Now: 50, Intent: tick}); step.Record.Ledger != 100 {
		t.Errorf("ledger time %d", step.Record.Ledger)
	}
}

// A container that expires and registers in the same record finds one grant in
// its mailbox: the new one.
func TestOneGrantForAMailbox(t *testing.T) {
	for name, kind := range map[string]events.Kind{"register": events.Register, "renew": events.Renew} {
		t.Run(name, func(t *testing.T) {
			l := New(1, 0)
			p := defaults(20)
			l.Apply(Input{Intent: events.EncodeIntent(&events.Intent{Kind: events.SetPolicy, Policy: p})})
			in := &events.Intent{Kind: events.Register, Container: "c", Counter: 1, Introduce: events.Introduce{Service: "api"}}
			l.Apply(Input{Entry: "1-0", Intent: events.EncodeIntent(in)})
			in.Kind, in.Counter, in.Want = kind, 2, 5
			step := l.Apply(Input{Now: p.TTL.Milliseconds(), Entry: "2-0", Intent: events.EncodeIntent(in)})
			if len(step.Grants) != 1 || step.Grants[0].Verb == events.Ended {
				t.Fatalf("grants %+v", step.Grants)
			}
			if step.Record.Decisions[0].Verb != events.Ended {
				t.Errorf("decisions %+v", step.Record.Decisions)
			}
		})
	}
}

// A snapshot that no ledger can have made is an error, not a panic later on.
func TestRestoreRefuses(t *testing.T) {
	c := events.ContainerState{ID: "a", Service: "api", Rank: 1, Want: 5, Units: 5, Charge: 5}
	for name, spoil := range map[string]func(*events.Snapshot){
		"twice":             func(s *events.Snapshot) { s.Containers = append(s.Containers, s.Containers[0]) },
		"rank to come":      func(s *events.Snapshot) { s.Ranks = 0 },
		"units over charge": func(s *events.Snapshot) { s.Containers[0].Units = 6 },
		"lost with units":   func(s *events.Snapshot) { s.Containers[0].Lost = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := &events.Snapshot{Incarnation: 1, Sequence: 9, Ranks: 1, Policy: defaults(20), Containers: []events.ContainerState{c}}
			if _, err := Restore(s); err != nil {
				t.Fatal(err)
			}
			spoil(s)
			if _, err := Restore(s); err == nil {
				t.Error("restored")
			}
		})
	}
}

// What the budget can take in is bounded.
func TestTooMany(t *testing.T) {
	l := New(1, 0)
	l.Apply(Input{Intent: events.EncodeIntent(&events.Intent{Kind: events.SetPolicy, Policy: defaults(20)})})
	register := func(id, service string) events.Reason {
		in := &events.Intent{Kind: events.Register, Container: id, Counter: 1, Introduce: events.Introduce{Service: service}}
		return l.Apply(Input{Entry: "1-0", Intent: events.EncodeIntent(in)}).Record.Refused
	}
	for len(l.services) < events.MaxServices {
		name := strings.Repeat("x", len(l.services)-4)
		if why := register(name, name); why != 0 {
			t.Fatal(why)
		}
	}
	if why := register("last", "one-more"); why != events.TooMany {
		t.Errorf("refused: %v", why)
	}
	if why := register("last", "api"); why != 0 {
		t.Errorf("a listed service is refused: %v", why)
	}
}
