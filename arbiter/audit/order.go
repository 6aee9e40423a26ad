package audit

import (
	"bytes"
	"fmt"

	"github.com/conncord/conncord/events"
)

// maxHeld is how many records are held back while an earlier one may still come.
const maxHeld = 1000

// maxRecent is how many records back a second one is known for the same.
const maxRecent = 1024

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

// hold keeps a record that came before its turn.
func (v *Verifier) hold(head *events.Head, data []byte) {
	if v.held.records == nil {
		v.held.records = map[uint64][]byte{}
	}
	if v.mislabelled(head, data) {
		return
	}
	if there, twice := v.held.records[head.Sequence]; twice {
		v.repeated(head, data, !bytes.Equal(there, data))
		return
	}
	v.held.records[head.Sequence] = bytes.Clone(data) // not the block that it stands in
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
	for several := len(v.held.records) > 1; v.held.any(); {
		next := v.held.least()
		if next == v.sequence+1 {
			v.takeHeld(next, v.held.records[next])
			continue
		}
		if _, goesOn := v.held.records[next+1]; several && !goesOn {
			// One alone, far from the others, is none that others are missing before:
			// to go on behind it would be to pass over all that comes.
			v.found((&Divergence{
				Sequence: next, Incarnation: ID(v.incarnation), Kind: Altered,
				Text: fmt.Sprintf("a record says that it is record %d, and stands among those around record %d", next, v.sequence),
			}).compare(nil, decoded(v.held.records[next])))
			delete(v.held.records, next)
			continue
		}
		v.missing(v.sequence+1, next-1)
		v.lose(next - 1)
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
	if !v.mislabelled(head, data) {
		v.repeated(head, data, v.recent.other(head.Sequence, tail(data)))
	}
}

// mislabelled takes a record that is the one that follows, but says that it is
// another: with the right sequence and incarnation its hash would continue the
// chain. It reports whether it is one.
func (v *Verifier) mislabelled(head *events.Head, data []byte) bool {
	rec := decoded(data)
	if rec == nil || !v.linked {
		return false
	}
	published := rec.Hash
	rec.Sequence, rec.Incarnation = v.sequence+1, v.incarnation
	if events.EncodeRecord(rec, v.hash); rec.Hash != published {
		return false
	}
	head.Sequence, head.Incarnation = rec.Sequence, rec.Incarnation
	v.take(head, data) // what the ledger comes to is not the same
	v.drain()
	return true
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
