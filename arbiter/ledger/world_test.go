package ledger

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

// A world is a ledger with a fleet of honest containers, an inbox that repeats
// and swaps intents, and mailboxes that are read late or never. After every
// record it checks what must always hold.
type world struct {
	*rapid.T
	l        *Ledger
	now      int64 // real time, milliseconds
	led      int64 // ledger time: real time while somebody leads
	fleet    []*peer
	inbox    [][]byte
	sent     [][]byte // all that members ever said
	entries  int
	recalled bool // by the newest record
}

func newWorld(t *rapid.T, p events.Policy) *world {
	w := &world{T: t, l: New(7<<56, 0), now: 1_000_000}
	w.say(events.Intent{Kind: events.SetPolicy, Policy: p})
	return w
}

// say applies one of the arbiter's own intents.
func (w *world) say(in events.Intent) { w.apply("", events.EncodeIntent(&in)) }

// send puts what a member says into the inbox.
func (w *world) send(m *peer, kind events.Kind, lower bool) {
	in := m.intent(kind, w.now, lower)
	w.inbox = append(w.inbox, events.EncodeIntent(&in))
	w.sent = append(w.sent, w.inbox[len(w.inbox)-1])
}

// take applies the i-th intent of the inbox.
func (w *world) take(i int) {
	if i >= len(w.inbox) {
		return
	}
	data := w.inbox[i]
	w.inbox = slices.Delete(w.inbox, i, i+1)
	w.entries++
	w.apply(fmt.Sprintf("%d-0", w.entries), data)
}

// pass lets time pass. Lease deadlines of containers come no later than the
// ledger's.
func (w *world) pass(ms int64, led bool) {
	w.now += ms
	if led {
		w.led += ms
	}
	for _, m := range w.fleet {
		m.shrink(w.now)
	}
}

// tick lets the arbiter do what is due.
func (w *world) tick() {
	for due, ok := w.l.Next(); ok && due <= w.led; due, ok = w.l.Next() {
		w.say(events.Intent{Kind: events.Tick})
	}
}

func (w *world) apply(entry string, data []byte) {
	in := Input{Epoch: 1, Now: w.led, Wall: w.now, Entry: entry, Intent: data}
	before := w.l.Snapshot()
	step := w.l.Apply(in)
	if err := check(w.l); err != nil {
		w.Fatal(err)
	}
	after := w.l.Snapshot()
	w.checkTwin(before, after, in, step)
	w.checkStep(before, after, step)
	w.checkSums(before, after, step)
	for i := range step.Grants {
		w.deliver(&step.Grants[i])
	}
	w.forget(step)
	w.remember(step)
	w.checkHeld()
}

// checkTwin: a ledger restored from a snapshot does the same, to the byte (I5).
func (w *world) checkTwin(before, after *events.Snapshot, in Input, step Step) {
	copied, err := events.DecodeSnapshot(events.EncodeSnapshot(before))
	if err != nil {
		w.Fatal(err)
	}
	twin, err := Restore(copied)
	if err != nil {
		w.Fatal(err)
	}
	if before.Policy.Rule != 0 {
		if err := check(twin); err != nil {
			w.Fatalf("restored: %v", err)
		}
	}
	other := twin.Apply(in)
	if !bytes.Equal(step.Encoded, other.Encoded) || twin.Hash() != w.l.Hash() {
		w.Fatalf("restored ledger decides otherwise:\n%s", cmp.Diff(step.Record, other.Record))
	}
	if !reflect.DeepEqual(step.Grants, other.Grants) {
		w.Fatalf("restored ledger grants otherwise: -want +got\n%s", cmp.Diff(step.Grants, other.Grants))
	}
	if !bytes.Equal(events.EncodeSnapshot(after), events.EncodeSnapshot(twin.Snapshot())) {
		w.Fatalf("restored ledger differs: %s", cmp.Diff(after, twin.Snapshot()))
	}
	if !events.VerifyLink(step.Encoded, before.Hash) {
		w.Fatal("the record does not follow from the one before it")
	}
}

// checkStep: record and grants say what the state is.
func (w *world) checkStep(before, after *events.Snapshot, step Step) {
	rec, err := events.DecodeRecord(step.Encoded)
	if err != nil {
		w.Fatal(err)
	}
	if !reflect.DeepEqual(&step.Record, rec) {
		w.Fatalf("record: -want +got\n%s", cmp.Diff(&step.Record, rec))
	}
	if rec.Charged != charges(after) || rec.Available != after.Policy.Available() {
		w.Fatalf("record says charged %d of %d", rec.Charged, rec.Available)
	}
	if rec.Sequence != before.Sequence+1 {
		w.Fatalf("sequence %d after %d", rec.Sequence, before.Sequence)
	}
	said := map[string]bool{}
	for _, d := range rec.Decisions {
		if c, ok := w.l.Container(d.Container); ok && d.Verb != events.Ended &&
			(c.Units != d.Units || c.Charge != d.Charge || c.Fallback != d.Fallback || c.Lease != d.Lease) {
			w.Fatalf("decision %+v is not the state %+v", d, c)
		}
		said[d.Container] = true
	}
	boxes := map[string]bool{}
	for i := range step.Grants {
		g := &step.Grants[i]
		if got, err := events.DecodeGrant(events.EncodeGrant(g)); err != nil || !reflect.DeepEqual(got, g) {
			w.Fatalf("grant: %v %s", err, cmp.Diff(g, got))
		}
		if boxes[g.Container] || g.Sequence != rec.Sequence || g.Lease != "" && !said[g.Container] {
			w.Fatalf("grant %+v", g)
		}
		boxes[g.Container] = true
	}
	for i := range after.Containers {
		c := &after.Containers[i]
		if !said[c.ID] && !slices.Contains(before.Containers, *c) {
			if old, ok := find(before, c.ID); !ok || old.Units != c.Units || old.Charge != c.Charge {
				w.Fatalf("%s changed in silence", c.ID)
			}
		}
	}
}

// checkSums: the sum of the charges rises above what is available only by what
// containers claim, and while it is above nobody grows (I1, I3).
func (w *world) checkSums(before, after *events.Snapshot, step Step) {
	available, was, is := after.Policy.Available(), charges(before), charges(after)
	claim, sender := 0, ""
	in, err := events.DecodeIntent(step.Record.Intent)
	if err == nil && !in.Kind.Own() && step.Record.Refused == 0 {
		old, _ := find(before, in.Container)
		claim, sender = max(0, in.Ceiling-old.Charge), in.Container
	}
	if is > max(available, was+claim) {
		w.Fatalf("charges rise from %d to %d of %d, claimed are %d", was, is, available, claim)
	}
	lacking := is > available
	w.recalled = false
	for _, s := range w.l.services {
		lacking = lacking || s.need > 0 || s.rule.Maximum > 0
	}
	ended := map[string]bool{}
	for _, d := range step.Record.Decisions {
		if d.Verb == events.Ended {
			ended[d.Container] = true
			continue
		}
		old, known := find(before, d.Container)
		known = known && !ended[d.Container]
		had := old.Units
		switch {
		case !known && d.Container == sender:
			had = d.Units // what a new one claims, it has
		case old.Lost:
			had = old.Charge
		}
		if d.Units > had && (is > available || after.Now < after.Barrier) {
			w.Fatalf("%s grows from %d to %d with charges of %d of %d", d.Container, had, d.Units, is, available)
		}
		if d.Verb == events.Recalling {
			w.recalled = true
			if !lacking {
				w.Fatalf("%s is recalled though nobody lacks anything", d.Container)
			}
		}
	}
}

// checkHeld: nobody has more connections than are charged (I1).
func (w *world) checkHeld() {
	for _, m := range w.fleet {
		c, _ := w.l.Container(m.id)
		if !m.ghost && (m.phys > c.Charge || m.alive && !m.leaving && m.allowed(w.now) > c.Charge) {
			w.Fatalf("%s has %d connections and may have %d, charged are %d\n%+v\n%+v",
				m.id, m.phys, m.allowed(w.now), c.Charge, c, m)
		}
	}
}

func (w *world) deliver(g *events.Grant) {
	for _, m := range w.fleet {
		if m.id == g.Container {
			m.mailbox = g
		}
	}
}

// forget notes which members the ledger no longer charges although they may
// still have their fallback: after one more TTL, or by an operator.
func (w *world) forget(step Step) {
	for _, d := range step.Record.Decisions {
		if d.Verb == events.Ended && (d.Reason == events.Lapsed || d.Reason == events.Cleaned) {
			for _, m := range w.fleet {
				if m.id == d.Container {
					m.ghost, m.ghostFrom = true, m.counter+1
				}
			}
		}
	}
}

// remember notes that the ledger heard a member again.
func (w *world) remember(step Step) {
	in, err := events.DecodeIntent(step.Record.Intent)
	if err != nil || step.Record.Refused != 0 {
		return
	}
	for _, m := range w.fleet {
		if m.id == in.Container && in.Counter >= m.ghostFrom {
			m.ghost = false
		}
	}
}

func charges(s *events.Snapshot) (sum int) {
	for i := range s.Containers {
		sum += s.Containers[i].Charge
	}
	return sum
}

func find(s *events.Snapshot, id string) (events.ContainerState, bool) {
	for i := range s.Containers {
		if s.Containers[i].ID == id {
			return s.Containers[i], true
		}
	}
	return events.ContainerState{}, false
}
