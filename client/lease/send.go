package lease

import (
	"time"

	"github.com/conncord/conncord/events"
)

// Due returns the intent that is to be sent now, and false when none is. held is
// how many physical connections there are.
func (m *Machine) Due(now time.Time, held int) (events.Kind, bool) {
	if m.mode == Released {
		return 0, false
	}
	limit := m.Limit(now)
	retry := !now.Before(m.retryAt()) && !(m.unled && m.unanswered())
	switch {
	case m.reregister:
		goingLocal := m.mode == Local && max(limit, held) > m.lastCeiling
		return events.Register, m.lastKind != events.Register || retry || goingLocal
	case m.want != m.lastWant && m.want > 0:
		return events.Request, true
	case m.want != m.lastWant:
		return events.Renew, true // a request asks for something
	case m.unanswered() && retry:
		return m.lastKind, true
	case m.grant.Gone():
	case m.unconfirmed(now, limit, held), m.uncounted(now, held), m.unheard(now):
		return events.Renew, true
	case !m.unanswered() && !now.Before(m.renewAt()):
		return events.Renew, true
	case m.outdated && !m.unanswered() && !now.Before(m.reportAt()):
		return events.Renew, true
	}
	return 0, false
}

// unconfirmed reports whether the arbiter charges more than the container holds
// and is to be told.
func (m *Machine) unconfirmed(now time.Time, limit, held int) bool {
	declared := max(limit, held)
	if m.grant.Charge <= declared || m.lastSeen == m.grant.Sequence && m.lastCeiling <= declared {
		return false
	}
	done := held <= limit && !m.unanswered()
	return done || !now.Before(m.confirmAt())
}

// uncounted reports whether the container holds connections, left over from
// local mode, that the arbiter does not count.
func (m *Machine) uncounted(now time.Time, held int) bool {
	return held > m.grant.Charge && !m.unanswered() && !now.Before(m.confirmAt())
}

// unheard reports whether the container is to be heard before it may open a
// connection.
func (m *Machine) unheard(now time.Time) bool {
	return !m.suspended.IsZero() && !m.unanswered() && !now.Before(m.confirmAt())
}

// Usage is what the container's pools look like.
type Usage struct{ Held, InUse, Waiting int }

// Report says what the pools look like now. When that differs from what the
// arbiter was last told, a renewal is due after a while, because people look at
// it; Report returns true when this call made it so.
func (m *Machine) Report(use Usage) (news bool) {
	was := m.outdated
	m.outdated = use.InUse != m.said.InUse || (use.Waiting > 0) != (m.said.Waiting > 0)
	return m.outdated && !was
}

// Send makes the intent that the container sends now. From here on the machine
// keeps the promise that it makes, whether or not the intent arrives. No
// connection may be opened between the count in use and the call.
func (m *Machine) Send(now time.Time, kind events.Kind, use Usage) *events.Intent {
	if m.counter > 0 && m.unanswered() && !now.Before(m.retryAt()) {
		m.retry = min(2*m.retry, maxRetry)
	}
	want, ceiling := m.want, max(m.Limit(now), use.Held)
	switch {
	case kind == events.Release:
		want, ceiling = 0, use.Held
	case kind == events.Register && m.lapsed(now):
		ceiling = min(ceiling, m.canHave(now, use.Held))
	}
	m.counter++
	m.sent[m.counter%history] = now
	m.lastSent, m.lastKind, m.lastWant, m.lastCeiling = now, kind, want, ceiling
	m.units, m.fallback = min(m.units, ceiling), min(m.fallback, ceiling)
	m.said, m.outdated = use, false
	in := &events.Intent{
		Kind: kind, Container: m.cfg.Container, Counter: m.counter,
		Demand: events.Demand{Want: want, Ceiling: ceiling, Held: use.Held, InUse: use.InUse, Waiting: use.Waiting},
	}
	if g := m.grant; g != nil {
		in.Incarnation, in.Seen = g.Incarnation, g.Sequence
		m.lastSeen = g.Sequence
	}
	switch {
	case kind == events.Register:
		in.Introduce = events.Introduce{Service: m.cfg.Service, Strict: m.cfg.Strict, TTL: m.cfg.TTL}
		in.Host = m.cfg.Host
	case kind == events.Release && ceiling == 0:
		m.leave(now)
	}
	return in
}

// leave forgets the lease, which was given back with the newest intent.
func (m *Machine) leave(now time.Time) {
	m.mode, m.left, m.grant, m.deadline = Released, m.counter, nil, time.Time{}
	m.suspended, m.alone = time.Time{}, time.Time{}
	m.units, m.fallback = 0, 0
	m.SetWant(now, m.want) // some may be wanted already
}

// Cleanup makes the intent that asks for the expired leases to be forgotten. It
// says nothing about the container itself.
func (m *Machine) Cleanup(now time.Time) *events.Intent {
	m.counter++
	m.sent[m.counter%history] = now
	m.lastSent = now
	return &events.Intent{Kind: events.Cleanup, Container: m.cfg.Container, Counter: m.counter}
}
