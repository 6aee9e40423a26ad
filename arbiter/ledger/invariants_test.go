package ledger

import (
	"bytes"
	"reflect"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

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
	if rec.Charged != charges(after) || rec.Available != w.l.available() {
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
	available, was, is := w.l.available(), charges(before), charges(after)
	claim, sender := 0, ""
	in, err := events.DecodeIntent(step.Record.Intent)
	if err == nil && !in.Kind.Own() && step.Record.Refused == 0 {
		old, _ := find(before, in.Container)
		claim, sender = max(0, in.Ceiling-old.Charge), in.Container
	}
	if is > max(available, was+claim) {
		w.Fatalf("charges rise from %d to %d of %d, claimed are %d", was, is, available, claim)
	}
	lacking, bounded := max(0, is-available), false
	w.recalled = false
	for _, s := range w.l.services {
		lacking += s.need
		bounded = bounded || s.rule.Maximum > 0
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
		behind := after.Now < after.Barrier
		if behind && known { // what it is charged for, or says that it has, it may have again
			had = max(had, old.Charge)
			if d.Container == sender {
				had = max(had, in.Ceiling)
			}
		}
		if d.Units > had && (is > available || behind) {
			w.Fatalf("%s grows from %d to %d with charges of %d of %d", d.Container, had, d.Units, is, available)
		}
		if d.Verb == events.Recalling {
			w.recalled = true
			if !bounded && w.l.slack > lacking {
				w.Fatalf("%s is recalled: %d are being given up, %d are lacking", d.Container, w.l.slack, lacking)
			}
		}
	}
}

// checkHeld: nobody has more connections than are charged (I1).
func (w *world) checkHeld() {
	for _, m := range w.fleet {
		c, _ := w.l.Container(m.id)
		if !m.ghost && (m.phys > c.Charge || m.alive && !m.leaving && m.can(w.now) > c.Charge) {
			w.Fatalf("%s has %d connections and may have %d, charged are %d\n%+v\n%+v",
				m.id, m.phys, m.can(w.now), c.Charge, c, m)
		}
	}
}
