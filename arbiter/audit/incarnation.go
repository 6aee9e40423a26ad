package audit

import (
	"fmt"
	"slices"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// maxBegun is how many incarnations are remembered: each was the loss of a
// history.
const maxBegun = 1000

// begun are the newest incarnations, oldest first.
type begun []uint64

// begin notes that an incarnation was seen.
func (v *Verifier) begin(incarnation uint64) {
	if slices.Contains(v.begun, incarnation) {
		return
	}
	v.report.Incarnations++
	v.begun = append(v.begun[max(0, len(v.begun)+1-maxBegun):], incarnation)
}

// A stray is a record of an incarnation whose beginning was not seen.
type stray struct {
	incarnation, sequence uint64
	hash                  events.Hash
	divergence            *Divergence
}

// enter takes a record of another incarnation than the one before it.
func (v *Verifier) enter(head *events.Head, data []byte) {
	begins := v.begins(head)
	switch {
	case !begins && v.mislabelled(head, data):
		return
	case slices.Contains(v.begun, head.Incarnation):
		v.found((&Divergence{
			Sequence: head.Sequence, Incarnation: ID(head.Incarnation), Kind: Reordered,
			Text: fmt.Sprintf("record %d of incarnation %s stands behind the beginning of incarnation %s", head.Sequence, ID(head.Incarnation), ID(v.incarnation)),
		}).compare(nil, decoded(data)))
		return
	case begins:
		v.flush()
		if v.incarnation != 0 && head.Sequence > v.sequence+1 && !v.excused {
			v.missing(v.sequence+1, head.Sequence-1)
		}
		v.known, v.linked = true, true
		v.ledger = ledger.New(head.Incarnation, head.Sequence-1)
	case v.incarnation == 0 || v.excused || v.adopts(head, data):
		// Its beginning is not there.
		v.flush()
		v.known, v.linked = false, v.stray != nil
		if v.linked {
			v.hash = v.stray.hash
		}
	default:
		v.strays(head, data)
		return
	}
	v.incarnation, v.sequence = head.Incarnation, head.Sequence-1
	if begins {
		v.hash = events.Hash{}
	}
	v.office = office{}
	if !begins {
		v.office.leader = unknownLeader
		v.office.epoch = head.Epoch
	}
	v.begin(head.Incarnation)
	v.take(head, data)
}

// begins reports whether the record begins an incarnation.
func (v *Verifier) begins(head *events.Head) bool {
	if head.Entry != "" || head.Sequence == 0 {
		return false
	}
	in, err := events.DecodeIntent(head.Intent)
	return err == nil && in.Kind == events.Begin
}

// adopts reports whether the record follows a stray one: then an incarnation went
// on whose beginning is missing.
func (v *Verifier) adopts(head *events.Head, data []byte) bool {
	s := v.stray
	if s == nil || s.incarnation != head.Incarnation || head.Sequence != s.sequence+1 || !events.VerifyLink(data, s.hash) {
		return false
	}
	s.divergence.Kind = Missing
	s.divergence.Text = fmt.Sprintf("incarnation %s begins with record %d, which is none that begins: what was before it is missing", ID(s.incarnation), s.sequence)
	return true
}

// strays takes a record of an incarnation that never began, perhaps in the place
// of the one that follows.
func (v *Verifier) strays(head *events.Head, data []byte) {
	d := (&Divergence{
		Sequence: head.Sequence, Incarnation: ID(head.Incarnation), Kind: Altered,
		Text: fmt.Sprintf("record %d is of incarnation %s, which never began, behind a record of incarnation %s", head.Sequence, ID(head.Incarnation), ID(v.incarnation)),
	}).compare(nil, decoded(data))
	v.found(d)
	v.stray = &stray{incarnation: head.Incarnation, sequence: head.Sequence, hash: tail(data), divergence: d}
	if head.Sequence == v.sequence+1 {
		v.known, v.linked = false, true
		v.sequence, v.hash = head.Sequence, tail(data)
	}
}
