package arbiter

import (
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/events"
)

// look asks for a look at the database when one is due: now and then, and as soon
// as it can show that a silent container is gone.
func (l *leadership) look() {
	w := &l.watch
	now := l.Clock.Now()
	vouched, urgent := map[string]bool{}, false
	l.ledger.Owing(func(c events.ContainerState) bool {
		if c.Silent != 0 && c.Silent <= w.polledUpTo && w.quiet(w.pulses[c.ID]) {
			vouched[events.Tag(c.ID)] = true
			urgent = urgent || !c.Asleep
		}
		return true
	})
	if now.Before(w.lookAt) && !urgent {
		return
	}
	l.looks++
	w.looking, w.lookAt = l.looks, now.Add(lookEvery)
	w.since, w.vouched, w.ended = l.ledger.Sequence(), vouched, map[string]bool{}
	w.clear = now.Sub(l.won) >= silentAfter && !l.unbound
	l.Lookout.Ask(w.looking, w.victims)
	w.victims = nil
}

// see takes what the database shows.
func (l *leadership) see(b *events.Batch, sight *observer.Sight) {
	l.watch.news.tell(l.Logger, l.Policy.Limit, sight)
	if sight.Look.Usable == 0 { // it could not be seen
		return
	}
	now := l.Clock.Now()
	o := l.observation(now, &sight.Look)
	if o.External > l.ledger.Look().External {
		l.watch.lookAt = now.Add(lookSoon)
	}
	if l.ledger.Concerns(&o) || now.Sub(l.watch.reported) >= reportEvery && l.holdingsChanged(&o) {
		l.watch.reported = now
		l.own(b, events.Intent{Kind: events.Observe, Observation: o})
		l.watch.news.uncounted(l.Logger, l.ledger)
	}
	if l.Fence {
		l.watch.victims = l.victims(&sight.Look)
	}
}

// observation makes one of a look.
func (l *leadership) observation(now time.Time, look *observer.Look) events.Observation {
	w := &l.watch
	o := events.Observation{
		Since: w.since, Window: Window, Headroom: l.Headroom,
		Usable: look.Usable, Bound: events.MaxUnits - w.bound.most(now, l.Hold, events.MaxUnits-look.Bound),
		Platform: w.platform.most(now, l.Hold, look.Platform), External: w.external.most(now, l.Hold, look.External),
		Named: look.Named, Clear: w.clear,
	}
	type count struct{ all, together int }
	counts := map[string]count{}
	for i := range look.Backends {
		bk := &look.Backends[i]
		c := counts[bk.Tag]
		c.all++
		if bk.Start < look.Began {
			c.together++
		}
		counts[bk.Tag] = c
	}
	// Of those who are away, it is said also that they have nothing.
	l.ledger.Owing(func(c events.ContainerState) bool {
		tag := events.Tag(c.ID)
		if _, shown := counts[tag]; !shown && (w.vouched[tag] || c.Lost) {
			counts[tag] = count{}
		}
		return true
	})
	for tag, c := range counts {
		h := events.Held{Tag: tag, Conns: c.all, Silent: w.vouched[tag]}
		away := h.Silent || c.all == 0 // it opens none, and all that it has counts
		switch {
		case w.ended[tag]:
			continue // it left since, and may be back; what was seen of it may be gone
		case l.ledger.Knows(tag) && !away:
			h.Conns = c.together
		}
		o.Held = append(o.Held, h)
	}
	slices.SortFunc(o.Held, func(a, b events.Held) int { return strings.Compare(a.Tag, b.Tag) })
	if len(o.Held) > events.MaxHeld { // the others cannot be told; so nothing is concluded from their absence
		o.Held, o.Clear = o.Held[:events.MaxHeld], false
	}
	return o
}

// holdingsChanged reports whether anybody holds another number than the history
// says.
func (l *leadership) holdingsChanged(o *events.Observation) bool {
	shown, changed := map[string]int{}, false
	for _, h := range o.Held {
		shown[h.Tag] = h.Conns
	}
	l.ledger.Owing(func(c events.ContainerState) bool {
		changed = shown[events.Tag(c.ID)] != c.Shown
		return !changed
	})
	return changed
}

// victims are the backends of expired leases above their fallbacks, the newest
// first.
func (l *leadership) victims(look *observer.Look) []observer.Backend {
	spare := map[string]int{}
	l.ledger.Owing(func(c events.ContainerState) bool {
		if c.Lost {
			spare[events.Tag(c.ID)] = min(c.Bound, c.Charge)
		}
		return true
	})
	var victims []observer.Backend
	for i := range look.Backends { // by tag, and of one the oldest first
		b := look.Backends[i]
		left, lost := spare[b.Tag]
		switch {
		case !lost || b.Start == 0:
		case left > 0:
			spare[b.Tag] = left - 1
		default:
			victims = append(victims, b)
		}
	}
	return victims
}
