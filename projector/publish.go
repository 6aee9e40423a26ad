package projector

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/status"
)

// publish makes statuses until the context ends.
func (p *Projector) publish(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	dirty := false
	for ctx.Err() == nil {
		if now := time.Now(); now.Sub(p.glance.at) >= glanceEvery {
			dirty = p.look(ctx) || dirty
			p.stay(ctx)
		}
		pause := p.pause(dirty)
		if pause <= 0 {
			p.make(ctx)
			dirty = false
			continue
		}
		timer.Reset(min(pause, glanceEvery))
		select {
		case <-p.bell:
			dirty = true
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// pause is how long it is until a status is to be made.
func (p *Projector) pause(dirty bool) time.Duration {
	every := countdownEvery
	if dirty || p.office.held && p.office.behind {
		every = publishEvery
	}
	return max(every, p.took*publishPart) - time.Since(p.made)
}

// look glances at what is beside the history, and reports whether it has changed.
func (p *Projector) look(ctx context.Context) (changed bool) {
	g, err := p.Log.Glance(ctx)
	if ctx.Err() != nil {
		return false
	}
	p.mu.Lock()
	now := time.Now()
	changed = p.glance.trouble.note(now, err)
	p.glance.at = now
	if err == nil {
		changed = changed || g.Leader != p.glance.Leader
		p.glance.Glance = g
	}
	level := slog.LevelWarn
	if !p.trouble.since.IsZero() { // that is said already
		level = slog.LevelDebug
	}
	p.mu.Unlock()
	if changed && err != nil {
		p.say(level, "the projector cannot reach Redis; it goes on trying", "error", err)
	}
	return changed
}

// make makes a status, shows it within the process, and publishes it when this
// projector is in office and it is news.
func (p *Projector) make(ctx context.Context) {
	began := time.Now()
	view, faulty := p.view(began)
	if view == nil {
		p.made = began
		return
	}
	view.Alerts = p.board.Evaluate(began, view, faulty)
	view.Health = alert.HealthOf(view.Alerts)
	before := p.newest.Swap(view)
	p.mu.Lock()
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	p.announce(ctx, before, view)
	p.made, p.took = began, time.Since(began)
}

// view returns the status but for its alerts; nil before there is anything to
// show.
func (p *Projector) view(now time.Time) (view *status.Status, faulty uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.state.Known() {
		return nil, 0
	}
	p.sample(p.state, now)
	view = p.state.Status()
	view.Budget, view.UpdatedAt = p.Budget, now.UTC()
	g := &p.glance
	if g.trouble.since.IsZero() && g.Sequence >= view.Sequence { // else what was read is newer
		if view.Leader != g.Leader {
			view.LeaderHost, view.LeaderSince = "", nil
		}
		view.Leader = g.Leader
		view.Lag = g.Sequence - view.Sequence
	}
	view.Barrier = p.barrierLocked(now, view.Barrier)
	view.Notices = p.noticesLocked(now)
	view.Degraded = len(view.Notices) > 0
	counts := p.state.Counts()
	return view, counts.Faulty()
}

// barrierLocked returns how long the recovery barrier still has, in milliseconds.
// Ledger time goes on between records, as long as somebody leads.
func (p *Projector) barrierLocked(now time.Time, left int64) int64 {
	g := &p.glance
	if left == 0 || g.Leader == "" || g.Incarnation != p.state.Incarnation() {
		return left
	}
	passed := max(0, g.Now-p.state.Now())
	if g.trouble.since.IsZero() {
		passed += now.Sub(g.at).Milliseconds()
	}
	return max(1, left-passed) // open it is when a record says so
}

// noticesLocked returns what is unusual about the status, a sentence each.
func (p *Projector) noticesLocked(now time.Time) []string {
	notices := []string{}
	switch {
	case !p.glance.trouble.since.IsZero():
		notices = append(notices, fmt.Sprintf("Redis has not answered since %s: this is what was known then (%v).", clock(p.glance.trouble.since), p.glance.trouble.err))
	case !p.trouble.since.IsZero():
		notices = append(notices, fmt.Sprintf("The history cannot be followed since %s: this is what was known then (%v).", clock(p.trouble.since), p.trouble.err))
	case !p.loaded:
		notices = append(notices, "The history is being read anew: this is what was known before.")
	}
	if p.gap.count > 0 && now.Sub(p.gap.at) < recentGap {
		notices = append(notices, fmt.Sprintf("A part of the history was missing or altered at %s: %s.", clock(p.gap.at), p.gap.what))
	}
	return notices
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }

// differs reports whether a status says anything else than the one before it, but
// for the time.
func differs(before, now *status.Status) bool {
	return before == nil || before.Sequence != now.Sequence || before.Incarnation != now.Incarnation ||
		before.Leader != now.Leader || before.Degraded != now.Degraded || before.Health != now.Health ||
		(before.Lag == 0) != (now.Lag == 0) || now.Barrier > 0 || before.Barrier > 0 ||
		len(alert.Changes(before.Alerts, now.Alerts)) > 0
}
