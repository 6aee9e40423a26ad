package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/fold"
	"github.com/conncord/conncord/projector/status"
)

// ErrNoState is returned when a history does not tell the state at a moment: it
// begins later, ends earlier, or is wrong before it.
var ErrNoState = errors.New("the history does not tell")

// A State is how a budget stood after one record.
type State struct {
	Record *events.Record   // the newest
	Ledger *events.Snapshot // what the arbiter went by

	view *status.Status
}

// At returns the state at a moment.
func At(ctx context.Context, src history.Source, m Moment) (*State, error) {
	states, err := states(ctx, src, m)
	if err != nil {
		return nil, err
	}
	return states[0], nil
}

// Between returns the states at two moments, which it reads in one go. They may
// come in any order.
func Between(ctx context.Context, src history.Source, a, b Moment) (*State, *State, error) {
	states, err := states(ctx, src, a, b)
	if err != nil {
		return nil, nil, err
	}
	return states[0], states[1], nil
}

// states returns the states at the moments.
func states(ctx context.Context, src history.Source, moments ...Moment) ([]*State, error) {
	var (
		found   = make([]*State, len(moments))
		settled = make([]bool, len(moments))
		open    = len(moments)
		newest  *events.Record
		last    *ledger.Ledger
		failed  error
		view    = newView(src.Snapshot())
	)
	// settle takes the state as one of those that are looked for, unless there were
	// records behind it, up to the one named, that could not be re-derived.
	settle := func(i int, upTo uint64) {
		settled[i] = true
		open--
		if m := moments[i]; newest != nil && upTo <= newest.Sequence && (m.Sequence == 0 || newest.Sequence == m.Sequence) {
			found[i] = view.state(newest, last.Snapshot())
		}
	}
	report, err := walk(ctx, src, func(head *events.Head, l *ledger.Ledger) bool {
		for i, m := range moments {
			if !settled[i] && m.passed(head) {
				settle(i, head.Sequence-1)
			}
		}
		return open > 0
	}, func(p *Point) bool {
		if open == 0 {
			return false
		}
		rec := *p.Record
		newest, last = &rec, p.Ledger
		failed = view.follow(p)
		return failed == nil
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	for i := range moments {
		if !settled[i] {
			settle(i, report.Last)
		}
		if found[i] == nil {
			return nil, noState(moments[i], &report)
		}
	}
	return found, nil
}

func noState(m Moment, r *Report) error {
	switch {
	case r.Records == 0:
		return fmt.Errorf("%w the state at %v: it is empty", ErrNoState, m)
	case !r.Clean():
		return fmt.Errorf("%w the state at %v: %s", ErrNoState, m, r)
	case r.Rederived == 0:
		return fmt.Errorf("%w the state at %v: it begins with record %d, and the state before that is not known", ErrNoState, m, r.First)
	}
	return fmt.Errorf("%w the state at %v: it goes from record %d to record %d", ErrNoState, m, r.First, r.Last)
}

// A view folds a history for people to see.
type view struct{ fold *fold.State }

func newView(snap *events.Snapshot) *view {
	if snap == nil {
		return &view{fold.New()}
	}
	return &view{fold.Restore(snap)}
}

// follow takes a record. Behind records that could not be re-derived the view
// begins anew, with what the ledger knows.
func (v *view) follow(p *Point) error {
	err := v.fold.Apply(p.Encoded)
	var gap *fold.GapError
	if errors.As(err, &gap) {
		old := v.fold
		v.fold = fold.Restore(p.Ledger.Snapshot())
		v.fold.Trace(p.Encoded)
		v.fold.Inherit(old)
		return nil
	}
	return err
}

func (v *view) state(rec *events.Record, snap *events.Snapshot) *State {
	view := v.fold.Status()
	view.Health = status.Unknown
	view.Notices = append(view.Notices, fmt.Sprintf("This is the past: the state after record %d. What alerts there were does not stand in the history.", rec.Sequence))
	s := &State{Record: rec, Ledger: snap, view: view}
	view.UpdatedAt = s.Time()
	return s
}

// Status returns the state as people and programs see it, without what the history
// does not say: the name of the budget, alerts and health. It may be changed.
func (s *State) Status() *status.Status { return s.view }

// Time is when the newest record was made.
func (s *State) Time() time.Time { return time.UnixMilli(s.Record.Wall).UTC() }
