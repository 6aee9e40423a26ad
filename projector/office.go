package projector

import (
	"context"
	"log/slog"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/status"
)

// An office is the right to publish the status of a budget: of several projectors,
// one has it.
type office struct {
	held      bool
	at        time.Time // when it was last asked for
	published time.Time // when a status was last published
	size      int       // bytes that it had
	behind    bool      // what was to be published since is not
	trouble   trouble
}

// stay asks for the office, or stays in it. Whoever comes into it tells the herald
// only what has changed since the last published status.
func (p *Projector) stay(ctx context.Context) {
	now := time.Now()
	if now.Sub(p.office.at) < officeEvery || p.newest.Load() == nil {
		return
	}
	p.office.at = now
	held, err := p.Log.TakeOffice(ctx, p.ID, officeFor)
	p.entered(ctx, held && err == nil)
}

// entered notes whether the projector is in office.
func (p *Projector) entered(ctx context.Context, held bool) {
	if held && !p.office.held {
		p.say(slog.LevelInfo, "publishing the status")
		p.sent = nil
		if data, err := p.Log.ReadStatus(ctx); err == nil && data != nil {
			if last, err := status.Decode(data); err == nil && len(last.Alerts) <= maxAlerts {
				p.sent = last.Alerts
			}
		}
		p.office.published = time.Time{}
	}
	p.office.held = held
}

// maxAlerts is more alerts than a status can have: one of each name, and of those
// about services one for each that exists or is expected.
const maxAlerts = 16 + 4*events.MaxServices

// announce publishes a status, when it is news or the last one is old, and tells
// the herald what changed.
func (p *Projector) announce(ctx context.Context, before, view *status.Status) {
	since := time.Since(p.office.published)
	p.office.behind = p.office.behind || differs(before, view) || since >= publishAtLeast
	if !p.office.held || !p.office.behind || since < time.Second*time.Duration(p.office.size)/maxRate {
		return
	}
	body, err := view.Encode()
	if err != nil {
		p.say(slog.LevelError, "the status could not be written as JSON", "error", err)
		return
	}
	news := body
	if len(news) > maxNews {
		if news, err = view.Summary().Encode(); err != nil {
			return // what could be written whole can be written in part
		}
	}
	held, err := p.Log.PublishStatus(ctx, p.ID, officeFor, body, news)
	if ctx.Err() != nil {
		return
	}
	if p.office.trouble.note(time.Now(), err) && err != nil && !view.Degraded { // else that is said already
		p.say(slog.LevelWarn, "the status is not published at present", "error", err)
	}
	if err != nil {
		return
	}
	p.office.published, p.office.size, p.office.behind = time.Now(), len(body), false
	p.entered(ctx, held)
	if !held {
		return
	}
	changes := alert.Changes(p.sent, view.Alerts)
	p.sent = view.Alerts
	for _, c := range changes {
		p.report(c)
	}
	if p.Herald != nil && len(changes) > 0 {
		p.Herald.Tell(alert.NewMessage(p.Budget, view.Health, changes))
	}
}

// report logs that an alert was raised or cleared.
func (p *Projector) report(c alert.Change) {
	level, text := slog.LevelWarn, "alert"
	if c.Cleared {
		level, text = slog.LevelInfo, "alert cleared"
	}
	p.say(level, text, "name", c.Alert.Name, "service", c.Alert.Service, "severity", string(c.Alert.Severity), "summary", c.Alert.Summary)
}

// leave gives the office up, so that another projector need not wait for it.
func (p *Projector) leave() {
	if !p.office.held {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), events.CallTimeout)
	defer cancel()
	if err := p.Log.LeaveOffice(ctx, p.ID); err != nil {
		p.say(slog.LevelWarn, "the office of publishing the status was not given up; another projector takes it soon", "error", err)
	}
}
