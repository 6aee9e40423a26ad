package arbiter

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/events"
)

// How a leader with an eye on the database goes about it.
const (
	// Window is for how long after a sign of life containers may open connections.
	// Two heartbeats in a row can fail within it.
	Window = 1500 * time.Millisecond

	// silentAfter is after how long without a sign of life a container is declared
	// silent. It is longer than the window by a third: a quarter for what was begun
	// within it, and the rest for clocks whose rates differ.
	silentAfter = Window * 4 / 3

	// pollEvery is how often heartbeats are read. After a gap much longer than
	// that, nobody is declared silent before all had the time to beat again.
	pollEvery = 250 * time.Millisecond
	maxGap    = 4 * pollEvery

	// lookEvery is how often the database is looked at, and glanceEvery how often
	// a leader asks whether a look that it waits for is over.
	lookEvery   = time.Second
	glanceEvery = 10 * time.Millisecond

	// firstLook is how long the first intents of a history wait for the first look:
	// what is granted before it may be more than the database has, and then there
	// may be no room left to look through.
	firstLook = 2 * time.Second

	// holdExternal is for how long connections of others count after they are gone,
	// so that leases do not follow every psql session up and down.
	holdExternal = 10 * time.Second

	// reportEvery is how often what containers hold is put into the history when
	// nothing depends on it: for people.
	reportEvery = 10 * time.Second
)

// A watch is what a leader sees of containers and database beside the inbox.
type watch struct {
	pulses     map[string]pulse // of the containers that are charged for something, by id
	polled     time.Time        // when heartbeats were last read, and the sequence at that time
	polledUpTo uint64
	pollAt     time.Time

	looking uint64 // id of the look under way; 0: none
	looked  bool   // one is over, whatever it showed
	lookAt  time.Time
	since   uint64          // sequence when it began
	vouched map[string]bool // tags of those who were surely silent when it began
	clear   bool            // it began long after the leadership did
	ended   map[string]bool // tags of containers that left since it began

	external, platform, bound peaks
	reported                  time.Time
	victims                   []observer.Backend // to be ended before the next look
	news                      watchNews
}

// A pulse is the newest sign of life of one container.
type pulse struct {
	beat events.Beat
	at   time.Time // when it was seen
}

func newWatch(now time.Time) watch {
	return watch{pulses: map[string]pulse{}, polled: now, pollAt: now, lookAt: now, reported: now}
}

// announce says whether this leader looks at the database, so that containers
// know from the first grant on that they are to beat; or that nobody looks any
// more.
func (l *leadership) announce(b *events.Batch) {
	switch look := l.ledger.Look(); {
	case l.Lookout != nil && look.Window == 0:
		l.own(b, events.Intent{Kind: events.Observe, Observation: events.Observation{Window: Window, Headroom: l.Headroom}})
	case l.Lookout == nil && look.Window != 0:
		l.own(b, events.Intent{Kind: events.Observe})
	}
}

// wait is how long there is nothing to do.
func (w *watch) wait(now time.Time) time.Duration {
	if w.looking != 0 {
		return min(glanceEvery, w.pollAt.Sub(now))
	}
	return min(w.lookAt.Sub(now), w.pollAt.Sub(now))
}

// note takes a record: an intent is a sign of life.
func (w *watch) note(rec *events.Record, now time.Time) {
	for i := range rec.Decisions {
		if d := &rec.Decisions[i]; d.Verb == events.Ended && w.ended != nil {
			w.ended[events.Tag(d.Container)] = true
		}
	}
	if rec.Entry == "" || rec.Refused != events.NoReason || len(w.pulses) == 0 {
		return
	}
	if in, err := events.DecodeIntent(rec.Intent); err == nil { // the others whom it concerns did nothing
		if p, ok := w.pulses[in.Container]; ok {
			p.at = now
			w.pulses[in.Container] = p
		}
	}
}

// observe reads heartbeats and takes what the database shows, when it is time.
func (l *leadership) observe(ctx context.Context, b *events.Batch) error {
	if l.Lookout == nil {
		return nil
	}
	w := &l.watch
	if now := l.Clock.Now(); !now.Before(w.pollAt) {
		if err := l.poll(ctx); err != nil {
			return err
		}
		l.declare(b)
	}
	if sight, ok := l.Lookout.Sight(); ok && sight.ID == w.looking {
		w.looking, w.looked = 0, true
		l.see(b, &sight)
	}
	if w.looking == 0 && len(b.Records) == 0 {
		l.look()
	}
	return nil
}

// unsighted reports whether the database has never been seen, and soon may be.
func (l *leadership) unsighted() bool {
	return l.Lookout != nil && l.ledger.Look().Usable == 0 && !l.watch.looked && l.Clock.Now().Sub(l.won) < firstLook
}

// poll reads the heartbeats of all containers that are charged for something.
func (l *leadership) poll(ctx context.Context) error {
	w := &l.watch
	var ids []string
	l.ledger.Owing(func(c events.ContainerState) bool {
		ids = append(ids, c.ID)
		return true
	})
	upTo := l.ledger.Sequence()
	beats, err := l.Log.ReadBeats(ctx, ids)
	if err != nil {
		return err
	}
	now := l.Clock.Now()
	gap := now.Sub(w.polled) > maxGap // Redis was away, for them as well
	pulses := make(map[string]pulse, len(ids))
	for i, id := range ids {
		p, known := w.pulses[id]
		if !known || gap {
			p.at = now
		}
		if beats[i].Incarnation == l.ledger.Incarnation() && beats[i] != p.beat {
			p = pulse{beat: beats[i], at: now}
		}
		pulses[id] = p
	}
	w.pulses, w.polled, w.polledUpTo, w.pollAt = pulses, now, upTo, now.Add(pollEvery)
	return nil
}

// declare declares those silent who have given no sign of life for long enough.
// Whoever never made a heartbeat goes by another protocol: its lease runs out.
func (l *leadership) declare(b *events.Batch) {
	var tags []string
	l.ledger.Owing(func(c events.ContainerState) bool {
		if p := l.watch.pulses[c.ID]; c.Silent == 0 && p.beat.Count > 0 && l.watch.quiet(p) {
			tags = append(tags, events.Tag(c.ID))
		}
		return true
	})
	for part := range slices.Chunk(tags, events.MaxSilences) {
		l.own(b, events.Intent{Kind: events.Silence, Tags: part})
		l.watch.pollAt = l.watch.polled // whether they are, is seen after it is said
	}
}

// quiet reports whether the last poll came long enough after a sign of life.
func (w *watch) quiet(p pulse) bool { return w.polled.Sub(p.at) >= silentAfter }

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
		Usable: look.Usable, Bound: events.MaxUnits - w.bound.most(now, events.MaxUnits-look.Bound),
		Platform: w.platform.most(now, look.Platform), External: w.external.most(now, look.External),
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
		if tag := events.Tag(c.ID); w.vouched[tag] || c.Lost {
			counts[tag] = counts[tag]
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

// rest lets the lookout rest while this arbiter does not lead.
func (a *Arbiter) rest() {
	if a.Lookout != nil {
		a.Lookout.Rest()
	}
}
