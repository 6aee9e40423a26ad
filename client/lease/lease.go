// Package lease is the container's side of the protocol as a pure state
// machine: which intents to send and when, which grants to go by, and how many
// connections the container may hold at a given moment.
//
// It does no I/O and starts no goroutine; whoever drives it passes the time in
// and calls it from one goroutine at a time. Package client drives it with Redis
// and real pools, and simulations drive it with virtual ones.
//
// # The promise
//
// Every intent carries a ceiling: the container will hold no more than that
// until it sees a grant newer than the one it names. The arbiter gives what lies
// above the ceiling to others. So the machine never allows more than the least
// ceiling that it promised in an intent that is not answered yet, whatever the
// container comes to want in the meantime.
//
// # The deadline
//
// The arbiter counts a lease's time from when it takes an intent, the container
// from before it sent it, and ends it earlier by the drift margin. The container's
// deadline is therefore the earlier one unless its clock runs slower than the
// arbiter's by more than the margin in one TTL. Before the deadline the
// container first stops using what lies above its fallback (Soft), then closes it
// by force (Hard), early enough for the database to notice before the deadline.
package lease

import (
	"time"

	"github.com/conncord/conncord/events"
)

// A Mode says what the number of connections goes by.
type Mode uint8

const (
	Joining  Mode = iota // no grant has come yet; nothing may be held
	Leased               // a grant is in force
	Fallback             // the lease's deadline has passed without an answer
	Local                // no arbiter could be reached since the start
	Released             // the container gave everything back
)

func (m Mode) String() string {
	return [...]string{"joining", "leased", "fallback", "local", "released"}[m]
}

// The timing of intents.
const (
	// renewals is how often a lease is renewed within its duration, so that two
	// can fail.
	renewals = 3

	// minRetry and maxRetry bound the pause before an intent that was not
	// answered is sent again. The pause doubles.
	minRetry = 500 * time.Millisecond
	maxRetry = 10 * time.Second // also after a refusal

	// confirmEvery is how often at most a recall that is under way is confirmed
	// in part.
	confirmEvery = 100 * time.Millisecond

	// history is for how many unanswered intents the time of sending is kept.
	history = 64

	// maxReap is how long the database may take to notice that a socket is
	// gone, and maxSoft how long callers have to return connections before they
	// are closed by force. Short leases take a tenth of the TTL for each.
	maxReap = 2 * time.Second
	maxSoft = 5 * time.Second
)

// Config describes the container.
type Config struct {
	Container, Host, Service string
	Strict                   bool          // hold nothing without a lease
	TTL                      time.Duration // wish; 0: the policy's
	Local                    int           // connections in local mode
	JoinWithin               time.Duration // how long to wait for the first grant before local mode
}

// A Machine is the state of one container's lease.
type Machine struct {
	cfg   Config
	began time.Time // when it started to join

	want    int
	grant   *events.Grant // newest; nil: none yet
	mode    Mode
	counter uint64

	sent [history]time.Time // when the intent counter%history was sent

	deadline time.Time // of the grant in force

	ceiling        int    // least one promised and not answered yet
	ceilingCounter uint64 // the intent that promised it; 0: none

	asked       int       // want in the newest intent
	lastSent    time.Time // of the newest intent
	lastKind    events.Kind
	lastCeiling int    // in the newest intent
	lastSeen    uint64 // in the newest intent
	retry       time.Duration
	reregister  bool   // the next intent must register
	incarnation uint64 // the one for which a look made it re-assert; 0: none
	unled       bool   // the last look found no leader
}

// New returns the machine of a container that starts to join now, wanting so
// many connections.
func New(cfg Config, now time.Time, want int) *Machine {
	return &Machine{cfg: cfg, began: now, want: want, reregister: true, retry: minRetry}
}

// Want returns how many connections the container wants.
func (m *Machine) Want() int { return m.want }

// SetWant changes how many connections the container wants. Less than it has
// is given up at once; more has to be granted first. A container that gave
// everything back joins again.
func (m *Machine) SetWant(now time.Time, want int) {
	m.want = want
	if m.mode == Released {
		m.mode, m.reregister, m.began = Joining, true, now
	}
}

// Grant returns the newest grant, nil if there was none.
func (m *Machine) Grant() *events.Grant { return m.grant }

// Answered reports whether the intent with this counter was answered.
func (m *Machine) Answered(counter uint64) bool {
	return m.grant != nil && m.grant.Ack >= counter
}

// Counter returns the counter of the newest intent.
func (m *Machine) Counter() uint64 { return m.counter }

// Mode returns what the number of connections goes by.
func (m *Machine) Mode(now time.Time) Mode {
	switch {
	case m.mode == Released:
	case m.grant != nil && m.grant.Lease != "":
		m.mode = Leased
		if m.grant.Gone() || !now.Before(m.softAt()) {
			m.mode = Fallback
		}
	case !now.Before(m.began.Add(m.cfg.JoinWithin)):
		m.mode = Local
	default:
		m.mode = Joining
	}
	return m.mode
}

// Limit returns how many physical connections the container may hold now. Those
// that it holds above the limit it has to close.
func (m *Machine) Limit(now time.Time) int {
	limit := 0
	switch m.Mode(now) {
	case Leased:
		limit = m.grant.Units
	case Fallback:
		limit = m.grant.Fallback
	case Local:
		if !m.cfg.Strict {
			limit = m.cfg.Local
		}
	}
	if m.ceilingCounter != 0 {
		limit = min(limit, m.ceiling)
	}
	return min(limit, m.want)
}

// Overdue reports whether connections above the limit must be closed by force
// now: the lease is about to end.
func (m *Machine) Overdue(now time.Time) bool {
	return m.Mode(now) == Fallback && (m.grant.Gone() || !now.Before(m.hardAt()))
}

// part returns a tenth of the TTL, at most limit.
func (m *Machine) part(limit time.Duration) time.Duration { return min(m.grant.TTL/10, limit) }

func (m *Machine) hardAt() time.Time { return m.deadline.Add(-m.part(maxReap)) }
func (m *Machine) softAt() time.Time { return m.hardAt().Add(-m.part(maxSoft)) }

// Deadline returns when the lease in force ends, the zero time if none is.
func (m *Machine) Deadline() time.Time {
	if m.grant == nil || m.grant.Gone() {
		return time.Time{}
	}
	return m.deadline
}

// Accept takes a grant from the mailbox, and reports whether it was news.
func (m *Machine) Accept(now time.Time, g *events.Grant) bool {
	if g.Container != m.cfg.Container || m.mode == Released || g.Ack > m.counter {
		return false
	}
	if m.grant == nil && g.Verb == events.Ended {
		return false // of the lease that was released before
	}
	if old := m.grant; old != nil {
		if old.Incarnation == g.Incarnation && g.Sequence <= old.Sequence {
			return false
		}
		// Of two incarnations, the one that heard the container last is newer.
		if old.Incarnation != g.Incarnation && g.Ack <= old.Ack {
			return false
		}
	}
	if g.Lease == "" && m.grant != nil && m.grant.Lease != "" {
		// The arbiter does not know the container (any more): what it held under
		// its lease stays what it may hold until it has registered again.
		m.reregister = true
		kept := *m.grant
		kept.Ack = g.Ack
		if kept.Incarnation == g.Incarnation {
			kept.Sequence = g.Sequence
		}
		m.grant = &kept
		m.settle(g)
		return true
	}
	extends := m.grant == nil || g.Anchor != m.grant.Anchor || g.Incarnation != m.grant.Incarnation || m.deadline.IsZero()
	if extends && g.Anchor <= m.counter && m.counter-g.Anchor < history {
		if at := m.sent[g.Anchor%history]; !at.IsZero() {
			m.deadline = at.Add(g.TTL - g.Margin)
		}
	}
	if m.grant != nil && g.Verb == events.Ended && g.Reason != events.Released {
		// The arbiter has forgotten the lease. The container still holds its
		// fallback, and says so when it registers.
		ended := *g
		ended.Fallback = m.grant.Fallback
		g = &ended
	}
	m.grant = g
	m.incarnation = 0
	m.reregister = g.Gone()
	m.settle(g)
	return true
}

// settle takes the answers in a grant.
func (m *Machine) settle(g *events.Grant) {
	if m.ceilingCounter != 0 && g.Ack >= m.ceilingCounter {
		m.ceilingCounter = 0
	}
	switch {
	case g.Lease == "" && g.Reason != events.UnknownSender:
		m.retry = maxRetry // refused: asking again soon is of no use
	case g.Ack >= m.counter:
		m.retry = minRetry
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

// Due returns the intent that is to be sent now, and false when none is. held is
// how many physical connections there are.
func (m *Machine) Due(now time.Time, held int) (events.Kind, bool) {
	if m.mode == Released {
		return 0, false
	}
	declared := max(m.Limit(now), held)
	unanswered := m.counter > 0 && !m.Answered(m.counter)
	retryDue := !m.unled && !now.Before(m.lastSent.Add(m.retry))
	switch {
	case m.reregister:
		if m.lastKind != events.Register || retryDue || m.goingLocal(declared) {
			return events.Register, true
		}
	case m.want != m.asked:
		return events.Request, true
	case unanswered && retryDue:
		return m.lastKind, true
	case m.grant == nil:
	case m.unconfirmed(now, declared):
		return events.Renew, true
	case !unanswered && !now.Before(m.renewAt()):
		return events.Renew, true
	}
	return 0, false
}

// goingLocal reports whether the container is about to hold more than it said
// when it registered.
func (m *Machine) goingLocal(declared int) bool {
	return m.mode == Local && declared > m.lastCeiling
}

// unconfirmed reports whether the arbiter charges more than the container holds
// and does not know it yet.
func (m *Machine) unconfirmed(now time.Time, declared int) bool {
	if m.grant.Gone() || m.grant.Charge <= declared {
		return false
	}
	if m.lastSeen == m.grant.Sequence && m.lastCeiling <= declared {
		return false
	}
	return declared <= m.grant.Units || !now.Before(m.lastSent.Add(confirmEvery))
}

func (m *Machine) renewAt() time.Time {
	return m.deadline.Add(-(m.grant.TTL - m.grant.Margin)).Add(m.grant.TTL / renewals)
}

// Usage is what the container's pools look like.
type Usage struct{ Held, InUse, Waiting int }

// Send makes the intent that the container sends now. From here on the machine
// keeps the promise that it makes, whether or not the intent arrives.
func (m *Machine) Send(now time.Time, kind events.Kind, use Usage) *events.Intent {
	if m.counter > 0 && !m.Answered(m.counter) {
		m.retry = min(2*m.retry, maxRetry)
	}
	m.counter++
	m.sent[m.counter%history] = now
	m.asked, m.lastSent, m.lastKind = m.want, now, kind
	m.lastCeiling = max(m.Limit(now), use.Held)
	if m.ceilingCounter == 0 || m.lastCeiling <= m.ceiling {
		m.ceiling, m.ceilingCounter = m.lastCeiling, m.counter
	}
	in := &events.Intent{
		Kind: kind, Container: m.cfg.Container, Counter: m.counter,
		Demand: events.Demand{Want: m.want, Ceiling: m.lastCeiling, Held: use.Held, InUse: use.InUse, Waiting: use.Waiting},
	}
	if g := m.grant; g != nil {
		in.Incarnation, in.Seen = g.Incarnation, g.Sequence
		m.lastSeen = g.Sequence
	}
	switch kind {
	case events.Register:
		in.Introduce = events.Introduce{Service: m.cfg.Service, Strict: m.cfg.Strict, TTL: m.cfg.TTL}
		in.Host = m.cfg.Host
	case events.Release:
		in.Ceiling = use.Held
		if use.Held == 0 {
			m.mode, m.grant, m.deadline, m.ceilingCounter = Released, nil, time.Time{}, 0
		}
	}
	return in
}

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
	case m.grant == nil || m.grant.Lease == "":
		sooner(m.began.Add(m.cfg.JoinWithin))
	case !m.grant.Gone():
		sooner(m.softAt())
		sooner(m.hardAt())
		sooner(m.renewAt())
		if m.grant.Charge > m.grant.Units {
			sooner(m.lastSent.Add(confirmEvery))
		}
	}
	if m.counter > 0 && !m.Answered(m.counter) || m.reregister {
		sooner(m.lastSent.Add(m.retry))
	}
	return next
}
