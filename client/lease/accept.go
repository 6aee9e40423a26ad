package lease

import (
	"time"

	"github.com/conncord/conncord/events"
)

// Accept takes a grant from the mailbox, and reports whether it was news.
//
// One that arrives after its own deadline raises nothing: the arbiter counts a
// fallback for one TTL beyond the lease, and the grant may be older than that.
func (m *Machine) Accept(now time.Time, g *events.Grant) bool {
	if !m.news(g) {
		return false
	}
	m.settle(g)
	m.admit(now, g)
	m.alone = time.Time{} // an arbiter knows of it: it counts anew
	if g.Lease == "" && m.leased() {
		m.keep(g)
		return true
	}
	m.extend(g)
	switch old := m.grant; {
	case g.Verb == events.Ended && g.Reason != events.Released:
		// The arbiter has forgotten the lease. The container still holds its
		// fallback, and says so when it registers.
		m.units = 0
	case g.Verb == events.Lost && old != nil && old.Lease != "":
		m.units, m.fallback = 0, min(m.fallback, g.Fallback)
	case now.Before(m.deadline):
		m.units, m.fallback = g.Units, g.Fallback
	default:
		m.units, m.fallback = g.Units, min(m.fallback, g.Fallback)
	}
	m.grant = g
	m.incarnation = 0
	m.reregister = g.Gone()
	return true
}

// news reports whether a grant is for this container and newer than the one in
// force.
func (m *Machine) news(g *events.Grant) bool {
	switch old := m.grant; {
	case g.Container != m.cfg.Container, m.mode == Released, g.Ack > m.counter:
		return false
	case g.Ack <= m.left:
		// Of the time before the container left. Others have what it had then.
		return false
	case old == nil:
		return g.Verb != events.Ended
	case g.Incarnation == old.Incarnation:
		return g.Sequence > old.Sequence
	}
	// Of two incarnations, the one that heard the container last is newer.
	return g.Ack > m.acked
}

// keep goes on by the lease in force although an arbiter does not know the
// container, or not any more: what it held under that lease stays what it may
// hold until it has registered again.
func (m *Machine) keep(g *events.Grant) {
	kept := *m.grant
	kept.Ack = g.Ack
	if kept.Incarnation == g.Incarnation {
		kept.Sequence = g.Sequence
	}
	m.grant = &kept
	m.reregister = true
}

// settle takes the answer in a grant.
func (m *Machine) settle(g *events.Grant) {
	m.acked = max(m.acked, g.Ack)
	m.unled = false // somebody wrote it
	switch {
	case g.Lease == "" && g.Reason != events.UnknownSender:
		m.retry = maxRetry // refused: asking again soon is of no use
	case !m.unanswered():
		m.retry = minRetry
	}
}

// extend finds the deadline. It counts from when the intent was sent that the
// arbiter took for the lease; if that is too long ago to be known, the deadline
// stays.
func (m *Machine) extend(g *events.Grant) {
	if old := m.grant; old != nil && old.Lease != "" && g.Anchor == old.Anchor && g.Incarnation == old.Incarnation {
		return
	}
	if at, ok := m.sentAt(g.Anchor); ok {
		m.deadline = at.Add(g.TTL - g.Margin)
	}
}

// Learn takes what a look found. If another incarnation than the lease's own is
// in force, the container has to re-assert what it holds. While nobody leads,
// nothing is sent twice: what was sent waits in the inbox.
func (m *Machine) Learn(look events.Look) {
	m.unled = !look.Led
	if g := m.grant; g != nil && look.Incarnation != 0 && look.Incarnation != g.Incarnation && look.Incarnation != m.incarnation {
		m.incarnation = look.Incarnation
		m.reregister = true
		m.lastSent = time.Time{}
	}
}

// Reached notes that Redis answers again after it did not: what was sent
// meanwhile, perhaps in vain, is to be sent again soon.
func (m *Machine) Reached() { m.retry = minRetry }
