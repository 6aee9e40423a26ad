package audit

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// maxHeld is how many records are held back while an earlier one may still come.
const maxHeld = 1000

// maxRecent is how many records back a second one is known for the same.
const maxRecent = 4096

// maxBegun is how many incarnations are remembered: each was the loss of a
// history.
const maxBegun = 1000

// held are records that came before their turn.
type held struct{ records map[uint64][]byte }

func (h *held) any() bool { return len(h.records) > 0 }

// least is the earliest sequence.
func (h *held) least() uint64 {
	least := ^uint64(0)
	for sequence := range h.records {
		least = min(least, sequence)
	}
	return least
}

// recent are the hashes of the newest records.
type recent struct {
	sequences [maxRecent]uint64
	hashes    [maxRecent]events.Hash
}

func (r *recent) add(sequence uint64, hash events.Hash) {
	r.sequences[sequence%maxRecent], r.hashes[sequence%maxRecent] = sequence, hash
}

// other reports whether the record of this sequence is known, and was another.
func (r *recent) other(sequence uint64, hash events.Hash) bool {
	return r.sequences[sequence%maxRecent] == sequence && r.hashes[sequence%maxRecent] != hash
}

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

// hold keeps a record that came before its turn.
func (v *Verifier) hold(head *events.Head, data []byte) {
	if v.held.records == nil {
		v.held.records = map[uint64][]byte{}
	}
	if there, twice := v.held.records[head.Sequence]; twice {
		v.repeated(head, data, !bytes.Equal(there, data))
		return
	}
	v.held.records[head.Sequence] = data
	if len(v.held.records) == maxHeld {
		v.flush()
	}
}

// drain takes those that were held back and whose turn it is.
func (v *Verifier) drain() {
	for v.held.any() {
		data, ok := v.held.records[v.sequence+1]
		if !ok {
			return
		}
		v.takeHeld(v.sequence+1, data)
	}
}

func (v *Verifier) takeHeld(sequence uint64, data []byte) {
	delete(v.held.records, sequence)
	head, ok := events.ReadHead(data)
	if !ok {
		head = headOf(decoded(data))
	}
	v.take(&head, data)
}

// flush gives up waiting for what is missing.
func (v *Verifier) flush() {
	for v.held.any() {
		next := v.held.least()
		if next != v.sequence+1 {
			v.missing(v.sequence+1, next-1)
			v.lose(next - 1)
		}
		v.takeHeld(next, v.held.records[next])
	}
}

// missing notes that records are missing.
func (v *Verifier) missing(first, last uint64) {
	text := fmt.Sprintf("record %d is missing", first)
	if first != last {
		text = fmt.Sprintf("records %d to %d are missing", first, last)
	}
	v.found(&Divergence{Sequence: first, Incarnation: ID(v.incarnation), Kind: Missing, Text: text})
}

// lose goes on behind a record that was not read.
func (v *Verifier) lose(sequence uint64) { v.known, v.linked, v.sequence = false, false, sequence }

// again takes a record whose turn is over.
func (v *Verifier) again(head *events.Head, data []byte) {
	v.repeated(head, data, v.recent.other(head.Sequence, tail(data)))
}

func (v *Verifier) repeated(head *events.Head, data []byte, other bool) {
	d := &Divergence{Sequence: head.Sequence, Incarnation: ID(head.Incarnation), Kind: Duplicated,
		Text: fmt.Sprintf("record %d stands there a second time, behind record %d", head.Sequence, v.sequence)}
	if other {
		d.Kind = Forged
		d.Text = fmt.Sprintf("there are two records %d, and the second is another one", head.Sequence)
	}
	v.found(d.compare(nil, decoded(data)))
}

// A stray is a record of an incarnation whose beginning was not seen.
type stray struct {
	incarnation, sequence uint64
	hash                  events.Hash
	divergence            *Divergence // nil: nothing is wrong, it is where the history begins
}

// enter takes a record of another incarnation than the one before it.
func (v *Verifier) enter(head *events.Head, data []byte) {
	begins := v.begins(head)
	switch {
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

// strays takes a record of an incarnation that never began, in the place of the
// one that follows.
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
