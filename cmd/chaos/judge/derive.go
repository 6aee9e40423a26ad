package judge

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// errHistory is wrapped by everything that is wrong with a history.
var errHistory = errors.New("the history is wrong")

// A deriver re-derives a history, record by record, with the ledger that the
// arbiters use.
type deriver struct {
	ledger *ledger.Ledger // nil: nothing came yet
	epoch  uint64         // of the newest record
	leader string         // of that epoch
	free   bool           // it has resigned
}

// An office is a leadership: it may have one holder.
type office struct{ incarnation, epoch uint64 }

// A register is what must be unique over all incarnations.
type register struct {
	holders map[office]string // ids of arbiters
	begun   map[uint64]bool   // incarnations
}

func newRegister() *register {
	return &register{holders: map[office]string{}, begun: map[uint64]bool{}}
}

// take derives one more record, which must begin an incarnation or follow the
// one before.
func (d *deriver) take(data []byte, all *register) (*events.Record, *events.Intent, error) {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: a record cannot be read: %w", errHistory, err)
	}
	var own *events.Intent
	if rec.Entry == "" {
		if own, err = events.DecodeIntent(rec.Intent); err != nil {
			return nil, nil, fmt.Errorf("%w: record %d is the arbiter's own and cannot be read: %w", errHistory, rec.Sequence, err)
		}
	}
	if d.ledger == nil || d.ledger.Incarnation() != rec.Incarnation {
		if own == nil || own.Kind != events.Begin {
			return nil, nil, fmt.Errorf("%w: incarnation %x begins with record %d, which is none that begins", errHistory, rec.Incarnation, rec.Sequence)
		}
		if all.begun[rec.Incarnation] {
			return nil, nil, fmt.Errorf("%w: incarnation %x begins a second time, with record %d", errHistory, rec.Incarnation, rec.Sequence)
		}
		all.begun[rec.Incarnation] = true
		*d = deriver{ledger: ledger.New(rec.Incarnation, rec.Sequence-1)}
	}
	if next := d.ledger.Sequence() + 1; rec.Sequence != next {
		return nil, nil, fmt.Errorf("%w: record %d stands where record %d of incarnation %x should", errHistory, rec.Sequence, next, rec.Incarnation)
	}
	if rec.Epoch < d.epoch {
		return nil, nil, fmt.Errorf("%w: record %d is of epoch %d, after epoch %d", errHistory, rec.Sequence, rec.Epoch, d.epoch)
	}
	in := ledger.Input{Epoch: rec.Epoch, Now: rec.Ledger, Wall: rec.Wall, Entry: rec.Entry, Intent: rec.Intent}
	if rec.Size > len(rec.Intent) {
		in.Size = rec.Size
	}
	if step := d.ledger.Apply(in); !bytes.Equal(step.Encoded, data) {
		return nil, nil, fmt.Errorf("%w: record %d of incarnation %x does not follow from what was before", errHistory, rec.Sequence, rec.Incarnation)
	}
	if err := d.lead(rec, own, all.holders); err != nil {
		return nil, nil, err
	}
	return rec, own, nil
}

// lead keeps book of who leads.
func (d *deriver) lead(rec *events.Record, own *events.Intent, holders map[office]string) error {
	if rec.Epoch > d.epoch {
		d.epoch, d.leader, d.free = rec.Epoch, "", false
	}
	switch {
	case own == nil:
	case own.Kind == events.Lead:
		d.leader = own.Arbiter
		post := office{rec.Incarnation, rec.Epoch}
		if other, taken := holders[post]; taken && other != own.Arbiter {
			return fmt.Errorf("%w: epoch %d of incarnation %x was issued twice, to %s and to %s", errHistory, rec.Epoch, rec.Incarnation, other, own.Arbiter)
		}
		holders[post] = own.Arbiter
	case own.Kind == events.Resign:
		d.free = true
	}
	if d.leader == "" && (own == nil || own.Kind != events.Begin) {
		return fmt.Errorf("%w: record %d is of epoch %d, of which nobody said that he leads", errHistory, rec.Sequence, rec.Epoch)
	}
	return nil
}
