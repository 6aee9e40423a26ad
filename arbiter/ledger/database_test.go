package ledger

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

// What the members of a world have to do with the database, and what an arbiter
// makes of it that looks there.

// window is for how long after a heartbeat a member may open connections, and
// silentAfter how long the arbiter waits for one; milliseconds.
const (
	window      = 1500
	silentAfter = 2000
)

// reach notes that something got through that the member sent at that time.
func (m *peer) reach(sent int64) {
	m.through, m.lifeline = max(m.through, sent), true
}

// beat is a heartbeat, and the look into the mailbox that follows it.
func (m *peer) beat(now int64) {
	m.beats++
	m.beaten = now
	m.see(now)
	if m.heard && !m.newest.Suspended && m.newest.Lease != "" {
		m.reach(now)
	}
}

// can is how many connections it may have at a moment, or open.
func (m *peer) can(now int64) int {
	n := m.allowed(now)
	switch {
	case !m.heard || m.lease.Window == 0:
		return n
	case !m.newest.Suspended && now < m.through+window:
		return n
	case m.lifeline && m.phys > 0:
		return max(m.phys, min(n, m.lease.Fallback))
	}
	return m.phys
}

// have is called when its connections have changed, or could not change: without
// any, and out of touch, it has lost its lifeline.
func (m *peer) have(now int64) {
	if m.phys == 0 && (m.newest.Suspended || now >= m.through+window) {
		m.lifeline = false
	}
}

// A glance is a look at the database that is not in the history yet.
type glance struct {
	observation events.Observation
	ended       map[string]bool // tags of containers that have left the ledger since
	ghosts      int             // connections that nobody counts
}

// declare has the arbiter declare silent whom it did not hear for so long.
func (w *world) declare() {
	var tags []string
	for _, m := range w.fleet {
		if c, ok := w.l.Container(m.id); ok && c.Silent == 0 && c.Charge > 0 && m.beats > 0 && w.now >= m.beaten+silentAfter {
			tags = append(tags, events.Tag(m.id))
			m.declared = m.beats
		}
	}
	if len(tags) > 0 {
		w.say(events.Intent{Kind: events.Silence, Tags: tags})
	}
}

// look looks at the database.
func (w *world) look() {
	g := &glance{ended: map[string]bool{}, observation: events.Observation{
		Since: w.l.Sequence(), Window: events.Millis(window), Headroom: 1, Named: true,
		Usable: w.usable, Bound: w.usable, External: w.external,
	}}
	for _, m := range w.fleet {
		c, _ := w.l.Container(m.id)
		h := events.Held{Tag: events.Tag(m.id), Conns: m.phys, Silent: c.Silent != 0 && m.beats == m.declared}
		if h.Conns > 0 || h.Silent || c.Lost {
			g.observation.Held = append(g.observation.Held, h)
		}
		if m.ghost {
			g.ghosts += m.phys
		}
	}
	slices.SortFunc(g.observation.Held, func(a, b events.Held) int {
		if a.Tag < b.Tag {
			return -1
		}
		return 1
	})
	w.glance = g
}

// report puts the newest look into the history, if it says anything.
func (w *world) report() {
	w.tick() // what is due is no matter of the look
	g := w.glance
	w.glance = nil
	if g == nil {
		return
	}
	g.observation.Held = slices.DeleteFunc(g.observation.Held, func(h events.Held) bool { return g.ended[h.Tag] || h.Conns == 0 && !w.l.Knows(h.Tag) })
	concerned := w.l.Concerns(&g.observation)
	charged, barrier := w.l.Charged(), w.l.now < max(w.l.barrier, w.l.floorUntil)
	look, over, strange := w.l.look, w.l.over, w.l.strange
	w.say(events.Intent{Kind: events.Observe, Observation: g.observation})
	if w.l.over+w.l.strange > g.ghosts {
		w.Fatalf("%d connections are too many and %d of strangers, of %d that nobody counts\n%+v\n%+v",
			w.l.over, w.l.strange, g.ghosts, g.observation, w.l.Snapshot().Containers)
	}
	look.Since, look.Clear = w.l.look.Since, w.l.look.Clear
	changed := charged != w.l.charged || barrier != (w.l.now < max(w.l.barrier, w.l.floorUntil)) ||
		look.External != w.l.look.External || look.Usable != w.l.look.Usable || look.Window != w.l.look.Window ||
		over != w.l.over || strange != w.l.strange
	if changed && !concerned {
		w.Fatalf("an observation changed what was decided, and did not concern anything: %+v", g.observation)
	}
}

// watch is what an arbiter with an eye on the database does.
func (w *world) watch() {
	switch rapid.IntRange(0, 5).Draw(w.T, "watch") {
	case 0:
		w.declare()
	case 1, 2:
		w.look()
	case 3, 4:
		w.report()
	case 5:
		if rapid.IntRange(0, 3).Draw(w.T, "others come") == 0 {
			w.external = rapid.IntRange(0, 5).Draw(w.T, "external")
		}
		w.declare()
		w.look()
		w.report()
	}
}
