package lease

import "time"

const (
	// renewals is how often a lease is renewed within its duration, so that two
	// can fail.
	renewals = 3

	// minRetry and maxRetry bound the pause before an intent that was not
	// answered is sent again. The pause doubles.
	minRetry = 500 * time.Millisecond
	maxRetry = 10 * time.Second // also after a refusal

	// confirmEvery is how often at most the arbiter is told of a recall that is
	// under way, and of connections that it does not count.
	confirmEvery = 100 * time.Millisecond

	// reportEvery is how often at most the arbiter is told what the pools look like
	// when nothing else is to be said: often enough for people, and so seldom that
	// a million records are the history of a hundred busy containers for two days.
	reportEvery = 15 * time.Second

	// history is for how many of the newest intents the time of sending is kept.
	history = 64

	// maxReap is how long the database may take to notice that a socket is
	// gone, and maxSoft how long callers have to return connections before they
	// are closed by force. Short leases take a tenth of the TTL for each.
	maxReap = 2 * time.Second
	maxSoft = 5 * time.Second
)

// Deadline returns when the lease in force ends, the zero time if none is.
func (m *Machine) Deadline() time.Time {
	if m.grant == nil || m.grant.Gone() {
		return time.Time{}
	}
	return m.deadline
}

// part returns a tenth of the TTL, at most limit.
func (m *Machine) part(limit time.Duration) time.Duration { return min(m.grant.TTL/10, limit) }

func (m *Machine) hardAt() time.Time { return m.deadline.Add(-m.part(maxReap)) }
func (m *Machine) softAt() time.Time { return m.hardAt().Add(-m.part(maxSoft)) }

// renewAt counts from when the intent was sent that extended the lease last.
func (m *Machine) renewAt() time.Time {
	return m.deadline.Add(-(m.grant.TTL - m.grant.Margin)).Add(m.grant.TTL / renewals)
}

// retryAt is when an intent that was not answered is to be sent again.
func (m *Machine) retryAt() time.Time { return m.lastSent.Add(m.retry) }

func (m *Machine) confirmAt() time.Time { return m.lastSent.Add(confirmEvery) }

// reportAt is when the arbiter may be told again what the pools look like.
func (m *Machine) reportAt() time.Time { return m.lastSent.Add(reportEvery) }

// Next returns when something changes by itself: the limit, or what is due.
func (m *Machine) Next(now time.Time) time.Time {
	next := now.Add(maxRetry)
	sooner := func(t time.Time) {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	switch {
	case m.mode == Released:
		return next
	case !m.leased():
		sooner(m.began.Add(m.cfg.JoinWithin))
	case !m.grant.Gone():
		sooner(m.softAt())
		sooner(m.hardAt())
		sooner(m.renewAt())
		sooner(m.confirmAt())
		if m.outdated {
			sooner(m.reportAt())
		}
		sooner(m.through.Add(m.window))
	}
	if !m.alone.IsZero() {
		sooner(m.alone.Add(m.cfg.JoinWithin))
	}
	if m.unanswered() || m.reregister {
		sooner(m.retryAt())
	}
	return next
}
