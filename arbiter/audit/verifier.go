package audit

import (
	"bytes"
	"fmt"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A Verifier re-derives a history, record by record. It is not safe for
// concurrent use. Its memory does not grow with the history.
type Verifier struct {
	ledger *ledger.Ledger
	known  bool // the ledger stands where the history does

	// The newest record that was taken.
	incarnation, sequence uint64
	hash                  events.Hash
	linked                bool // the hash is that of the record before the next one
	excused               bool // a part of the source could not be read behind it

	office office
	begun  begun
	recent recent
	held   held
	stray  *stray

	step   ledger.Step        // the newest, here so that it need not be allocated
	ahead  func(*events.Head) // before each record that is re-derived; nil: nobody wants to know
	visit  func(*Point)       // of each that was
	first  *Divergence        // found since Add was called
	report Report
}

// A Point is a place in a history: one record, and the state after it. It is good
// until visit returns; what the record holds may be kept.
type Point struct {
	Record  *events.Record
	Encoded []byte
	Ledger  *ledger.Ledger // not to be changed, and not to be kept
}

// NewVerifier returns a verifier of a history that begins behind a snapshot, or
// with an incarnation when there is none. A history that begins otherwise is
// only checked for its chain until an incarnation begins.
func NewVerifier(snap *events.Snapshot) (*Verifier, error) {
	v := &Verifier{report: Report{Divergences: []*Divergence{}, Damages: []string{}}}
	if snap == nil {
		return v, nil
	}
	return v, v.Resume(snap)
}

// Resume goes on from a snapshot, because the records before it could not be
// read.
func (v *Verifier) Resume(snap *events.Snapshot) error {
	l, err := ledger.Restore(snap)
	if err != nil {
		return fmt.Errorf("the snapshot of record %d is of no use: %w", snap.Sequence, err)
	}
	v.flush()
	v.ledger, v.known, v.linked, v.stray = l, true, true, nil
	v.incarnation, v.sequence, v.hash = snap.Incarnation, snap.Sequence, snap.Hash
	v.begin(snap.Incarnation)
	v.office = office{epoch: snap.Epoch, leader: unknownLeader}
	v.excused = false
	return nil
}

// Skip says that the source could not read a part of the history behind the
// records so far. What is missing then is no divergence.
func (v *Verifier) Skip(damage error) {
	v.flush()
	v.excused = true
	v.report.damaged(damage)
}

// Add takes the next record, and keeps it for a while. The error is a
// [*Divergence], the first one that the record brings to light; the verifier can
// go on. A record that does not follow is held back, because it may only be
// out of order: that it is missing is found out up to [maxHeld] records later, or
// by [Verifier.Finish].
func (v *Verifier) Add(data []byte) error {
	v.first = nil
	v.report.Records++
	v.add(data)
	if v.first == nil {
		return nil // not a nil *Divergence
	}
	return v.first
}

// Finish ends the history: what is still missing does not come any more. The
// error is a [*Divergence]. After it, more can be added.
func (v *Verifier) Finish() error {
	v.first = nil
	v.flush()
	if v.first == nil {
		return nil
	}
	return v.first
}

// Report returns what was found so far. It must not be changed.
func (v *Verifier) Report() Report { return v.report }

// Ledger returns the state after the newest record, nil when it is not known. It
// must not be changed.
func (v *Verifier) Ledger() *ledger.Ledger {
	if !v.known {
		return nil
	}
	return v.ledger
}

// found notes a divergence.
func (v *Verifier) found(d *Divergence) {
	if v.first == nil {
		v.first = d
	}
	v.report.diverged(d)
}

func (v *Verifier) add(data []byte) {
	head, ok := events.ReadHead(data)
	if !ok {
		rec, err := events.DecodeRecord(data)
		if err != nil {
			v.undecodable(data, err)
			return
		}
		head = headOf(rec)
	}
	if v.report.First == 0 {
		v.report.First = head.Sequence
	}
	switch {
	case head.Incarnation != v.incarnation:
		v.enter(&head, data)
	case head.Sequence <= v.sequence:
		v.again(&head, data)
	case head.Sequence > v.sequence+1 && v.excused:
		v.lose(head.Sequence - 1)
		v.take(&head, data)
	case head.Sequence > v.sequence+1:
		v.hold(&head, data)
	default:
		if v.held.any() {
			v.found(&Divergence{Sequence: head.Sequence, Incarnation: ID(head.Incarnation), Kind: Reordered,
				Text: fmt.Sprintf("record %d stands behind record %d", head.Sequence, v.held.least())})
		}
		v.take(&head, data)
		v.drain()
	}
}

// take takes the record that follows the newest one.
func (v *Verifier) take(head *events.Head, data []byte) {
	v.stray, v.excused = nil, false
	published := tail(data)
	if v.known {
		v.derive(head, data, published)
	} else {
		if v.linked && !events.VerifyLink(data, v.hash) {
			v.found(v.altered(head, nil, data))
		} else if v.linked {
			v.report.Linked++
		}
		v.officeOf(head)
	}
	v.linked = true
	v.sequence, v.hash = head.Sequence, published
	v.recent.add(head.Sequence, published)
	v.report.Last = head.Sequence
}

// derive re-derives the record, and compares.
func (v *Verifier) derive(head *events.Head, data []byte, published events.Hash) {
	if v.ahead != nil {
		v.ahead(head)
	}
	charged := v.ledger.Charged()
	_, behind := v.ledger.Barrier()
	in := ledger.Input{Epoch: head.Epoch, Now: head.Ledger, Wall: head.Wall, Entry: head.Entry, Intent: head.Intent}
	if head.Size > len(head.Intent) {
		in.Size = head.Size
	}
	v.step = v.ledger.Rederive(in)
	step := &v.step
	if !bytes.Equal(step.Encoded, data) {
		if events.VerifyLink(data, v.hash) {
			v.found((&Divergence{
				Sequence: head.Sequence, Incarnation: ID(v.incarnation), Kind: Forged,
				Text: fmt.Sprintf("record %d continues the chain, but another decision follows from what was before", head.Sequence),
			}).compare(v.derived(), decoded(data)))
		} else {
			v.found(v.altered(head, v.derived(), data))
		}
		// The hash that was published is the one of what the ledger came to: then it
		// came to what was there before it was altered.
		if v.known = step.Record.Hash == published; !v.known {
			v.officeOf(head)
			return
		}
	} else {
		v.report.Rederived++
	}
	v.officeOf(head)
	if step.Record.Charged > step.Record.Available {
		if why := overcharged(&step.Record, charged, behind); why != "" {
			v.found((&Divergence{
				Sequence: head.Sequence, Incarnation: ID(v.incarnation), Kind: Limit, Text: why,
			}).compare(nil, v.derived()))
		}
	}
	if v.visit != nil {
		v.visit(&Point{Record: &step.Record, Encoded: step.Encoded, Ledger: v.ledger})
	}
}

// derived is the record that the ledger came to, to be kept.
func (v *Verifier) derived() *events.Record {
	rec := v.step.Record
	return &rec
}

// officeOf checks that the record is one of whoever leads.
func (v *Verifier) officeOf(head *events.Head) {
	kind, why := v.office.take(head)
	if kind != "" {
		v.found(&Divergence{Sequence: head.Sequence, Incarnation: ID(head.Incarnation), Kind: kind, Text: why})
	}
	v.report.Leaderships += v.office.fresh
}

func (v *Verifier) altered(head *events.Head, expected *events.Record, data []byte) *Divergence {
	return (&Divergence{
		Sequence: head.Sequence, Incarnation: ID(v.incarnation), Kind: Altered,
		Text: fmt.Sprintf("record %d was altered: its hash does not follow from its content and the record before it", head.Sequence),
	}).compare(expected, decoded(data))
}

// undecodable takes what is no record as the one that follows.
func (v *Verifier) undecodable(data []byte, err error) {
	if v.report.First == 0 {
		v.report.First = v.sequence + 1
	}
	v.found(&Divergence{
		Sequence: v.sequence + 1, Incarnation: ID(v.incarnation), Kind: Undecodable,
		Text: fmt.Sprintf("what stands behind record %d cannot be read: %v", v.sequence, err),
	})
	v.known = false
	v.sequence++
	v.hash, v.linked = tail(data), len(data) >= len(v.hash)
	v.recent.add(v.sequence, v.hash)
	v.drain()
}

// tail is the hash in which a record ends.
func tail(data []byte) (h events.Hash) {
	if len(data) >= len(h) {
		h = events.Hash(data[len(data)-len(h):])
	}
	return h
}

func headOf(rec *events.Record) events.Head {
	return events.Head{
		Sequence: rec.Sequence, Incarnation: rec.Incarnation, Epoch: rec.Epoch, Ledger: rec.Ledger, Wall: rec.Wall,
		Entry: rec.Entry, Intent: rec.Intent, Size: rec.Size,
	}
}

// decoded is the record, nil when it cannot be read.
func decoded(data []byte) *events.Record {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		return nil
	}
	return rec
}
