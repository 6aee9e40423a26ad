package arbiter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// errNotDerived is returned when a record does not follow from the history
// before it. An arbiter that finds one must not lead: it, or the one that wrote
// the record, is wrong.
var errNotDerived = errors.New("the history cannot be re-derived")

// errWentBack is returned when the history goes on with an incarnation whose
// beginning was not read: Redis lost what was read, and more has come since.
var errWentBack = fmt.Errorf("%w: it went back", errNotDerived)

// follow reads what is new in the history and campaigns when it is time.
func (a *Arbiter) follow(ctx context.Context) error {
	if a.ledger == nil {
		if err := a.load(ctx); err != nil {
			return err
		}
	}
	n, err := a.catchUp(ctx, a.next.Sub(a.Clock.Now()))
	a.behind = err == nil && (n == maxRead || a.ledger == nil)
	broken := errors.Is(err, errNotDerived)
	if err == nil && a.ledger == nil {
		return nil // to be read anew
	}
	if err != nil && !broken || n == maxRead || a.Clock.Now().Before(a.next) {
		return err
	}
	// Whoever cannot re-derive the history must not continue it. But if it has
	// to end here anyway, because what follows is no part of it, anybody may
	// begin the next one.
	s, failed := a.Log.Campaign(ctx, a.ID, a.Lease, randomUint64(), broken)
	if failed != nil {
		return failed
	}
	if broken && !s.Won {
		a.next = a.Clock.Now().Add(a.Lease / 4)
		return err
	}
	if !s.Won {
		if s.Incarnation != a.ledger.Incarnation() && s.Sequence < a.ledger.Sequence() {
			a.rewind() // what this arbiter read, Redis lost
		}
		a.noteLeader(s.Leader)
		a.next = a.Clock.Now().Add(min(max(s.Left, 0), a.Lease/4) + time.Millisecond)
		return nil
	}
	return a.begin(ctx, s)
}

// load takes the newest snapshot as the state to go on from.
func (a *Arbiter) load(ctx context.Context) error {
	a.ledger = ledger.New(0, 0)
	if a.skip {
		return nil
	}
	snap, err := a.Log.LoadSnapshot(ctx)
	var decode *events.DecodeError
	switch {
	case errors.As(err, &decode):
		a.warn("the snapshot is of no use; reading the history from its start", "error", err)
		a.skip = true
	case err != nil:
		a.ledger = nil
		return err
	case snap != nil:
		restored, err := ledger.Restore(snap)
		if err != nil {
			a.warn("the snapshot is of no use; reading the history from its start", "error", err)
			a.skip = true
			return nil
		}
		a.ledger = restored
	}
	return nil
}

// warn warns of something in the history, unless it is in trouble already and has
// said so.
func (a *Arbiter) warn(text string, args ...any) {
	level := slog.LevelWarn
	if a.trouble.kind != "" {
		level = slog.LevelDebug
	}
	a.Logger.Log(context.Background(), level, text, args...)
}

// catchUp re-derives what is new in the history, waiting up to block for
// something to come, and returns how many records there were.
func (a *Arbiter) catchUp(ctx context.Context, block time.Duration) (int, error) {
	records, err := a.Log.ReadRecords(ctx, a.ledger.Sequence(), maxRead, block)
	if err != nil {
		return 0, err
	}
	for i, data := range records {
		a.seen = true
		err := a.derive(data)
		if errors.Is(err, errWentBack) && !a.again {
			a.again = true
			a.rewind()
			return 0, nil
		}
		if err != nil {
			if found, failed := a.resume(ctx, records[i+1:]); found || failed != nil {
				return maxRead, failed // there may be more behind it
			}
			// What was read from a snapshot is read from the start now. If that
			// was the start, there is nothing left but to wait for another history.
			a.forget()
			a.skip = !a.skip
			return 0, err
		}
		a.again = false
	}
	return len(records), nil
}

// resume looks for the beginning of another incarnation after a record that
// cannot be derived. An incarnation owes nothing to what was before it.
func (a *Arbiter) resume(ctx context.Context, records [][]byte) (found bool, err error) {
	for last := uint64(0); len(records) > 0; {
		at := last
		for _, data := range records {
			rec, err := events.DecodeRecord(data)
			if err != nil {
				continue
			}
			at = max(at, rec.Sequence)
			if !rec.Begins() {
				continue
			}
			a.forget()
			a.ledger = ledger.New(rec.Incarnation, rec.Sequence-1)
			if a.derive(data) == nil {
				a.warn("the history before this incarnation cannot be re-derived", "incarnation", rec.Incarnation, "sequence", rec.Sequence)
				return true, nil
			}
		}
		if at == last {
			break // nothing but what is no record
		}
		last = at
		if records, err = a.Log.ReadRecords(ctx, at, maxRead, 0); err != nil {
			return false, err
		}
	}
	return false, nil
}

// derive applies one record and checks that the ledger comes to the same.
func (a *Arbiter) derive(data []byte) error {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		return fmt.Errorf("%w: after record %d: %w", errNotDerived, a.ledger.Sequence(), err)
	}
	if rec.Incarnation != a.ledger.Incarnation() {
		if a.ledger.Sequence() > 0 && !rec.Begins() {
			return fmt.Errorf("%w: record %d is of another incarnation than record %d", errWentBack, rec.Sequence, a.ledger.Sequence())
		}
		a.forget()
		a.ledger = ledger.New(rec.Incarnation, rec.Sequence-1)
	}
	if rec.Sequence != a.ledger.Sequence()+1 {
		return fmt.Errorf("%w: record %d follows record %d", errNotDerived, rec.Sequence, a.ledger.Sequence())
	}
	if step := a.ledger.Apply(inputOf(rec)); !bytes.Equal(step.Encoded, data) {
		return fmt.Errorf("%w: record %d of epoch %d: another decision or hash follows from what was before", errNotDerived, rec.Sequence, rec.Epoch)
	}
	if rec.Entry == "" {
		if own, err := events.DecodeIntent(rec.Intent); err == nil && own.Kind == events.Resign {
			a.next = time.Time{} // the lease is free: campaign at once
		}
	}
	return nil
}

// rewind reads the history anew: it went on behind an earlier place than the one
// that this arbiter had read to.
func (a *Arbiter) rewind() {
	a.Logger.Info("the history went back; reading it anew", "sequence", a.ledger.Sequence())
	a.forget()
}

// inputOf returns what the record was made of.
func inputOf(rec *events.Record) ledger.Input {
	in := ledger.Input{Epoch: rec.Epoch, Now: rec.Ledger, Wall: rec.Wall, Entry: rec.Entry, Intent: rec.Intent}
	if rec.Size > len(rec.Intent) {
		in.Size = rec.Size
	}
	return in
}

// begin starts the leadership that was won.
func (a *Arbiter) begin(ctx context.Context, s events.Standing) error {
	if s.Begun {
		a.forget()
		a.ledger = ledger.New(s.Incarnation, s.Sequence)
	}
	reached, err := a.reach(ctx, s)
	if err == nil && !reached { // Redis may have lost what was read
		a.rewind()
		if err = a.load(ctx); err == nil {
			reached, err = a.reach(ctx, s)
		}
	}
	if err == nil && !reached {
		err = fmt.Errorf("%w: the history ends at record %d (%s), this arbiter is at %d (%s)",
			errNotDerived, s.Sequence, s.Hash, a.ledger.Sequence(), a.ledger.Hash())
		a.forget()
		a.skip = !a.skip
	}
	if errors.Is(err, errNotDerived) {
		a.next = a.Clock.Now().Add(2 * a.Lease) // let another one try
	}
	if err != nil {
		return err
	}
	a.lead = a.newLeadership(s)
	a.seen = true
	return nil
}

// reach reads up to where the history ended at the election: the former leader
// may have committed until that moment. It reports whether this arbiter came to
// the same end.
func (a *Arbiter) reach(ctx context.Context, s events.Standing) (bool, error) {
	for a.ledger.Sequence() < s.Sequence {
		n, err := a.catchUp(ctx, 0)
		anew := err == nil && a.ledger == nil
		if anew {
			err = a.load(ctx)
		}
		if err != nil {
			return false, err
		}
		if n == 0 && !anew {
			break
		}
	}
	return a.ledger.Incarnation() == s.Incarnation && a.ledger.Sequence() == s.Sequence && a.ledger.Hash() == s.Hash, nil
}
