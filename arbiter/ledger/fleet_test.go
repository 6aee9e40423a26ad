package ledger

import "github.com/conncord/conncord/events"

// A peer is an honest container, as the client package behaves: it goes by the
// newest grant that it has seen, keeps its promises, and shrinks to its fallback
// by its deadline.
type peer struct {
	id, service string
	strict      bool
	ttl         int64 // as it asks for
	slow        bool  // its clock is slow by all of the margin

	alive   bool
	leaving bool
	want    int
	phys    int // connections that it has

	counter   uint64
	sent      map[uint64]int64 // when it sent which intent
	lease     events.Grant     // the newest one with a lease that it has seen, or its end
	heard     bool             // it has seen a grant
	newest    events.Grant     // the newest one that it has seen
	cap       int              // its own promise
	mailbox   *events.Grant
	ghost     bool   // the ledger forgot it: nothing is charged for what it has
	ghostFrom uint64 // it is remembered by intents from this one on
	local     int    // what it may hold before it has ever seen a grant

	beats    int   // that it made
	beaten   int64 // when the arbiter last saw a sign of life
	through  int64 // when it last sent something that got through
	lifeline bool  // it has had connections ever since
	declared int   // beats that it had made when it was declared silent
}

const uncapped = 1 << 30

func newPeer(id, service string) *peer {
	return &peer{id: id, service: service, alive: true, cap: uncapped, sent: map[uint64]int64{}}
}

// deadline is when its lease ends on its own clock, as real time.
func (m *peer) deadline() int64 {
	sent, ok := m.sent[m.lease.Anchor]
	if !ok {
		return 0
	}
	d := sent + m.lease.TTL.Milliseconds()
	if !m.slow {
		d -= m.lease.Margin.Milliseconds()
	}
	return d
}

// allowed is how many connections it may open up to.
func (m *peer) allowed(now int64) int {
	switch {
	case !m.heard:
		return min(m.local, m.cap)
	case !m.lease.Gone() && now < m.deadline():
		return min(m.lease.Units, m.cap)
	}
	return min(m.lease.Fallback, m.cap)
}

// shrink closes what it may not have past its deadline.
func (m *peer) shrink(now int64) {
	if m.heard && (m.lease.Gone() || now >= m.deadline()) {
		m.phys = min(m.phys, m.lease.Fallback)
	}
}

// see reads the mailbox.
func (m *peer) see(now int64) {
	g := m.mailbox
	if g == nil || m.heard && !g.Newer(&m.newest) {
		return
	}
	m.newest = *g
	if g.Lease == "" {
		return // it is not known: it goes on by the lease that it has, and registers
	}
	m.heard = true
	m.lease, m.cap = *g, uncapped
	if sent, ok := m.sent[g.Ack]; ok && !g.Suspended {
		m.reach(sent)
	}
	m.shrink(now)
}

// intent is what it says next.
func (m *peer) intent(kind events.Kind, now int64, lower bool) events.Intent {
	m.counter++
	m.sent[m.counter] = now
	if !m.heard || m.lease.Gone() || m.newest.Lease == "" {
		if kind != events.Release {
			kind = events.Register
		}
	}
	in := events.Intent{Kind: kind, Container: m.id, Counter: m.counter}
	if kind == events.Register {
		in.Service, in.Strict, in.TTL, in.Host = m.service, m.strict, events.Millis(m.ttl), "host"
	}
	ceiling := m.allowed(now)
	if lower {
		ceiling = min(ceiling, m.want)
	}
	if kind == events.Release {
		ceiling = 0
		m.leaving = true
	} else {
		in.Want, in.Held = m.want, m.phys
	}
	in.Ceiling = max(ceiling, m.phys)
	in.Incarnation, in.Seen = m.lease.Incarnation, m.lease.Sequence
	m.cap = in.Ceiling
	return in
}
