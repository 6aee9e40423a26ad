package audit

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// An Outcome compares what happened with what would have happened under other
// rules.
type Outcome struct {
	Records   uint64           `json:"records"`          // that were decided anew
	LedSecs   int64            `json:"led_secs"`         // ledger time that they took
	Real      Figures          `json:"real"`             // what happened
	Other     Figures          `json:"other"`            // what would have
	Services  []ServiceOutcome `json:"services"`         // by name
	Untrue    int              `json:"untrue"`           // leases that ended only because the containers of the history renewed more seldom than the other TTL wants
	AboveSecs int64            `json:"above_secs"`       // for how long the other charges stood above what is available, because the limit is lower than what was reported
	Notice    string           `json:"notice,omitempty"` // that a part of the history is not in it, and why
}

// A ServiceOutcome compares one service.
type ServiceOutcome struct {
	Service string  `json:"service"`
	Real    Figures `json:"real"`
	Other   Figures `json:"other"`
}

// Figures are what came of a history. Of a service, available and utilization are
// those of the budget's whole.
type Figures struct {
	GrantedSecs int64   `json:"granted_unit_secs"` // units that could be used, times seconds
	WaitingSecs int64   `json:"waiting_unit_secs"` // units that containers wanted besides those that they had
	DeniedSecs  int64   `json:"denied_unit_secs"`  // units that containers wanted that had none
	ChargedSecs int64   `json:"charged_unit_secs"`
	Utilization float64 `json:"utilization_pct"` // charged of available, one decimal
	Peak        int     `json:"peak"`            // most that was ever charged
	Grants      uint64  `json:"grants"`          // leases that began or grew
	Recalls     uint64  `json:"recalls"`
	Losses      uint64  `json:"losses"` // leases that expired
}

// WhatIf decides about the intents of a history anew under other rules. See the
// package documentation for what it cannot know.
func WhatIf(ctx context.Context, src history.Source, rules Rules) (*Outcome, error) {
	w := &whatif{
		rules: rules, out: &Outcome{}, real: newCourse(), other: newCourse(),
		translator: translator{before: map[string][2]Lease{}},
	}
	w.reals = w.real.tally
	report, err := walk(ctx, src, func(head *events.Head, l *ledger.Ledger) bool {
		w.failed = w.ahead(head, l)
		return w.failed == nil
	}, func(p *Point) bool {
		w.follow(p)
		return true
	})
	if err = errors.Join(err, w.failed); err != nil {
		return nil, err
	}
	if w.out.Records == 0 {
		return nil, noState(Moment{}, &report)
	}
	w.finish()
	w.out.Notice = report.Notice()
	return w.out, nil
}

// A whatif runs the real ledger and another one side by side.
type whatif struct {
	translator
	rules       Rules
	out         *Outcome
	real, other *course
	ledger      *ledger.Ledger // the other one
	step        ledger.Step    // its newest
	failed      error
}

// ahead lets the other ledger take the intent, while the real one is where it was
// before.
func (w *whatif) ahead(head *events.Head, l *ledger.Ledger) error {
	w.translator.real = l
	if err := w.open(head, l); err != nil {
		return err
	}
	in := ledger.Input{Epoch: head.Epoch, Now: head.Ledger, Wall: head.Wall, Entry: head.Entry, Intent: head.Intent}
	if head.Size > len(head.Intent) {
		in.Size = head.Size
	}
	intent, err := events.DecodeIntent(head.Intent)
	switch {
	case err != nil:
	case head.Entry != "" && !intent.Kind.Own():
		w.intent(intent)
		in.Intent = events.EncodeIntent(intent)
	case head.Entry == "" && intent.Kind == events.SetPolicy:
		w.policy = intent.Policy
		if intent.Policy, err = w.rules.Apply(intent.Policy); err != nil {
			return err
		}
		in.Intent = events.EncodeIntent(intent)
	case head.Entry == "" && intent.Kind == events.Observe:
		w.observation(&intent.Observation)
		in.Intent = events.EncodeIntent(intent)
	}
	w.step = w.ledger.Rederive(in)
	return nil
}

// open begins another ledger where the history begins, begins anew or goes on
// behind a gap.
func (w *whatif) open(head *events.Head, l *ledger.Ledger) error {
	if w.ledger != nil && w.ledger.Incarnation() == head.Incarnation && w.ledger.Sequence()+1 == head.Sequence {
		return nil
	}
	if w.ledger != nil {
		clear(w.before)
		w.incarnation = w.ledger.Incarnation()
		for id, h := range w.real.tally.containers {
			if o := w.other.tally.containers[id]; o != nil {
				w.before[id] = [2]Lease{{h.units, h.charge}, {o.units, o.charge}}
			}
		}
	}
	snap := l.Snapshot()
	w.policy = snap.Policy
	if snap.Policy.Rule != 0 {
		var err error
		if snap.Policy, err = w.rules.Apply(snap.Policy); err != nil {
			return err
		}
	}
	var err error
	w.ledger, err = ledger.Restore(snap)
	w.translator.other = w.ledger
	return err
}

// follow counts what both ledgers decided.
func (w *whatif) follow(p *Point) {
	w.out.Records++
	w.real.take(p.Record, p.Ledger)
	w.other.take(&w.step.Record, w.ledger)
	for i := range w.step.Record.Decisions {
		d := &w.step.Record.Decisions[i]
		if !lost(d) {
			continue
		}
		if c, ok := p.Ledger.Container(d.Container); ok && !c.Lost {
			w.out.Untrue++
		}
	}
}

func (w *whatif) finish() {
	o := w.out
	o.LedSecs = w.real.led / 1000
	o.AboveSecs = w.other.above / 1000
	o.Real, o.Other = w.real.total(), w.other.total()
	names := map[string]bool{}
	for _, c := range []*course{w.real, w.other} {
		for name := range c.services {
			names[name] = true
		}
	}
	o.Services = []ServiceOutcome{}
	for name := range names {
		o.Services = append(o.Services, ServiceOutcome{name, w.real.figures(name), w.other.figures(name)})
	}
	slices.SortFunc(o.Services, func(a, b ServiceOutcome) int { return strings.Compare(a.Service, b.Service) })
}

func lost(d *events.Decision) bool {
	return d.Verb == events.Lost || d.Verb == events.Ended && d.Reason == events.Expired
}
