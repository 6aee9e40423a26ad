package simulation

import (
	"slices"
	"time"

	"github.com/conncord/conncord/events"
)

// ghost is what the judge knows about a container.
type ghost struct {
	// stranger: the history does not count what the container has: before it was
	// heard for the first time, and after it was forgotten, it may have
	// connections of local mode or of its fallback. unheard: the present
	// incarnation has not heard it yet, and the barrier covers for what it was
	// charged for before.
	stranger, unheard bool
	alone             bool   // a stranger for what it opened alone, until that is charged
	from              uint64 // counter from which on it counts as heard
	frozen            int    // what it was charged for when the history was lost
	outlived          bool   // the barrier was lifted when only something old of it was heard, and it has no answer yet
	had               int    // what it had then

	// When the history last concluded that it had nothing to go by: its lease ended,
	// or the barrier was lifted although it was not heard. What it said before that is
	// counted when it arrives, or arrives again, whatever others have by now: the
	// history cannot know when it was said.
	cleared time.Duration

	// When the history last concluded that it had nothing but its fallback. What it said
	// before that is counted likewise; only one that stands still can have it.
	lost time.Duration

	// Until excused it may have more than it is charged for, because it stood
	// still and has to get rid of it.
	excused time.Duration

	free       time.Duration // when it was last charged for nothing
	beat       bool          // it was heard to beat
	died, gone time.Duration // when it was killed, and when its last backend ended
	silent     time.Duration // when it was last not taken for silent

	said     map[uint64]saying // by counter
	told     time.Time         // when it last took a grant, by its own clock
	ends     time.Duration     // when its lease ends by the true time at the latest
	grace    time.Duration     // until when it may be getting rid of what it had before
	fallback int               // what it may have from then on
	unseen   []unseen
	ttl      time.Duration // of its newest lease
}

// A saying is what the judge knows about an intent that a container sent.
type saying struct {
	at     time.Duration // the true time
	beyond bool          // it might have more then than it was charged for
}

func (g *ghost) sent(b *box, in *events.Intent) {
	if g.said == nil {
		g.said = map[uint64]saying{}
	}
	beyond := b.excused() || b.alone() || g.alone || slices.ContainsFunc(b.pool.dials, func(d *dial) bool { return d.alone })
	g.said[in.Counter] = saying{b.w.now, beyond}
	b.w.tellf("%s: says %v %d: want %d, ceiling %d, seen %d", b.id, in.Kind, in.Counter, in.Want, in.Ceiling, in.Seen)
	if in.Kind == events.Release && in.Ceiling == 0 {
		g.ends = 0
	}
}

// outdated reports whether the container said this before the history concluded that
// it had nothing, or, if it stands still, nothing but its fallback. What it claims
// later it must have.
func (b *box) outdated(in *events.Intent) bool {
	g := &b.ghost
	said, known := g.said[in.Counter]
	return known && (said.at < g.cleared || said.at < g.lost && b.excused())
}

// alone reports whether the container has been without an arbiter for so long that
// it may open its fallback by itself. Then it also says that it may. One that was
// told something since is not alone, whatever it was told.
func (b *box) alone() bool {
	return b.m.Admission(b.clock()).Alone && b.clock().Sub(b.ghost.told) >= joinWithin
}

// accepted notes until when a grant allows something.
func (g *ghost) accepted(b *box, grant *events.Grant) {
	g.told = b.clock()
	g.taken(b, grant)
	if grant.Lease == "" {
		return
	}
	b.w.judge.behind(b, grant)
	b.w.judge.obeyed(b, grant)
	before := g.fallback
	g.fallback = grant.Fallback
	if grant.Verb == events.Lost { // that raises nothing
		g.fallback = min(g.fallback, before)
	}
	if b.member.Strict {
		g.fallback = 0
	}
	said, known := g.said[grant.Anchor]
	if !known {
		return
	}
	// The container's clock may be slow, but not by more than the margin in a TTL.
	// One that had connections of local mode, or of a fallback that was larger, has
	// to get rid of them first.
	// So has one whose lease turns out to have ended already, or to be about to,
	// because its TTL has become shorter.
	ended := g.ends
	g.ends, g.ttl = said.at+grant.TTL, grant.TTL
	shorter := ended > g.ends && b.m.Overdue(b.clock())
	if g.stranger || b.w.now >= min(ended, g.ends) || g.fallback < before || shorter {
		g.grace = b.w.now + recovery
	}
	if grant.Gone() {
		g.ends = 0
	}
	b.w.after(max(g.ends, g.grace)-b.w.now, func() { b.w.watch(b) })
}

// recovery is how long a container that stood still has to close what it may not
// have any more: as long as the database takes to notice.
const recovery = orphanReap + 100*time.Millisecond

// excused reports whether the container may have more than it is charged for:
// it stands still, or did so just before, or has too slow a clock.
func (b *box) excused() bool {
	return b.paused > 0 || b.w.now < b.ghost.excused || b.slowClock
}
