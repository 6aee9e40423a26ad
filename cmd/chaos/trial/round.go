package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// single says how often a fault happens alone: once in so many rounds. In the
	// others there are two at the same time. In a brief run there are always
	// crowd.
	single, crowd = 2, 3

	// behind says how often the next round begins although a barrier is still
	// closed: once in so many times.
	behind = 3

	// rest is the pause after a round in which nothing is wrong. In a brief run it
	// is briefRest.
	rest, briefRest = time.Second, 200 * time.Millisecond

	// lookEvery is how often it is looked whether everything is whole again.
	lookEvery = 20 * time.Millisecond

	// slack is what a recovery may take beyond what the design says, on a machine
	// that has too much to do.
	slack = 10 * time.Second

	// tail is for how long after a recovery failures can still be reported that
	// happened before it.
	tail = 500 * time.Millisecond

	// leaveWithin bounds the end of a fault in a run that is over.
	leaveWithin = 30 * time.Second
)

// A round is some faults at the same time, and the recovery from them.
type round struct {
	faults   []string // their kinds
	recovery time.Duration
	barrier  bool // it began behind a barrier
}

// round has some faults happen and waits until everything is whole again.
func (s *stage) round(ctx context.Context, number int, bag *bag) error {
	faults := s.choose(bag)
	if len(faults) == 0 {
		return fmt.Errorf("no fault is possible")
	}
	s.load(s.rng)
	before := s.history.State()
	var names []string
	bound, r := slack, round{barrier: before.Barrier > 0}
	if r.barrier {
		bound += 2 * s.world.Settings.TTL
	}
	forgets, mayForget := false, false
	for _, f := range faults {
		names = append(names, f.kind.name)
		bound = max(bound, slack+f.recovery)
		if len(faults) > 1 {
			bound = max(bound, slack+f.together)
		}
		forgets = forgets || f.forgets
		mayForget = mayForget || f.forgets || f.mayForget
	}
	r.faults = names
	all := strings.Join(names, " and ")

	defer s.leaveNothing(faults)
	if err := s.happen(ctx, number, faults); err != nil {
		return err
	}
	took, err := s.recovered(ctx, time.Now(), bound, before.Incarnation, forgets)
	if err != nil {
		return fmt.Errorf("after %s: %w", all, err)
	}
	r.recovery = took
	s.out.say("#%d %s: whole again after %v", number, all, took.Round(time.Millisecond))
	if !mayForget && s.history.State().Incarnation != before.Incarnation {
		return fmt.Errorf("after %s: a new incarnation has begun although Redis forgot nothing", all)
	}
	s.rounds = append(s.rounds, r)
	for _, f := range faults {
		if f.after != nil {
			state := s.history.State()
			if err := f.after(&state); err != nil {
				return fmt.Errorf("after %s: %w", all, err)
			}
		}
		if f.explained != nil {
			f.explained(time.Now().Add(tail))
		}
	}
	return s.rest(ctx)
}

// happen has the faults begin, each while the one before goes on, and end.
func (s *stage) happen(ctx context.Context, number int, faults []*fault) error {
	for i, f := range faults {
		if i > 0 {
			if err := s.endDue(ctx, number, faults[:i], time.Now().Add(s.between(0, faults[i-1].hold))); err != nil {
				return err
			}
		}
		if len(f.explains.Classes) > 0 {
			f.explained = s.clients.Explain(f.explains)
		}
		s.out.say("#%d %s %s begins", number, f.kind.name, f.about)
		f.begun, f.alone = true, len(faults) == 1
		if err := f.begin(ctx); err != nil {
			return fmt.Errorf("%s: %w", f.kind.name, err)
		}
		f.beginWatch(ctx)
		f.ends = time.Now().Add(f.hold)
	}
	return s.endDue(ctx, number, faults, time.Time{})
}

// beginWatch begins the fault's watch, if it has one.
func (f *fault) beginWatch(ctx context.Context) {
	if f.watch == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- f.watch(ctx) }()
	f.watched = func() error {
		cancel()
		return <-ended
	}
}

// leaveNothing ends what the end of the run has interrupted, so that everything
// can be ended in good order.
func (s *stage) leaveNothing(faults []*fault) {
	for _, f := range faults {
		if f.watched != nil {
			_ = f.watched()
		}
		if f.begun && f.end != nil {
			ctx, cancel := context.WithTimeout(context.Background(), leaveWithin)
			_ = f.end(ctx) // something else is told already
			cancel()
		}
	}
}

// rest waits for a while in which nothing is wrong, most times behind no barrier.
func (s *stage) rest(ctx context.Context) error {
	if s.rng.IntN(behind) > 0 {
		if err := s.opened(ctx); err != nil {
			return err
		}
	}
	pause := rest
	if s.opts.brief() {
		pause = briefRest
	}
	return wait(ctx, pause)
}

// opened waits until no barrier keeps anything back.
func (s *stage) opened(ctx context.Context) error {
	late := time.Now().Add(slack + 2*s.world.Settings.TTL)
	for s.history.State().Barrier > 0 {
		if time.Now().After(late) {
			return fmt.Errorf("a barrier has not opened within %v", slack+2*s.world.Settings.TTL)
		}
		if err := wait(ctx, lookEvery); err != nil {
			return err
		}
	}
	return nil
}

// choose plans faults that can happen at the same time.
func (s *stage) choose(bag *bag) (faults []*fault) {
	count := 2
	if s.opts.brief() {
		count = crowd
	} else if s.rng.IntN(single) == 0 {
		count = 1
	}
	used := part(0)
	for range 2 { // a bag may hold nothing but what is not possible now
		for _, k := range slices.Clone(bag.deal()) {
			if len(faults) == count {
				return faults
			}
			if k.to&used != 0 || k.eyes > s.world.Settings.Eyes {
				continue
			}
			if f := k.plan(s); f != nil {
				f.kind = k
				faults, used = append(faults, f), used|k.to
				bag.take(k)
			}
		}
		if len(faults) > 0 {
			break
		}
		bag.left = nil
	}
	return faults
}

// endDue ends the faults whose time is over until a moment; with none, all of
// them.
func (s *stage) endDue(ctx context.Context, number int, faults []*fault, until time.Time) error {
	for {
		var next *fault
		for _, f := range faults {
			if f.end != nil && (next == nil || f.ends.Before(next.ends)) {
				next = f
			}
		}
		at := until
		if next != nil && (until.IsZero() || next.ends.Before(until)) {
			at = next.ends
		} else if until.IsZero() { // what has no end of its own has ended
			return nil
		} else {
			next = nil
		}
		if err := wait(ctx, time.Until(at)); err != nil {
			return err
		}
		if next == nil {
			return nil
		}
		if next.watched != nil {
			err := next.watched()
			if next.watched = nil; err != nil {
				return fmt.Errorf("%s: %w", next.kind.name, err)
			}
		}
		end := next.end
		next.end = nil
		if err := end(ctx); err != nil {
			return fmt.Errorf("end of %s: %w", next.kind.name, err)
		}
		if len(faults) > 1 || next.hold > time.Second {
			s.out.say("#%d %s ends", number, next.kind.name)
		}
	}
}

// wait waits, unless the context ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
