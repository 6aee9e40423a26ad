package arbiter

import (
	"context"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/events"
)

// How a leader with an eye on the database goes about it.
const (
	// Window is for how long after a sign of life containers may open connections.
	// Two heartbeats in a row can fail within it. It must never become shorter
	// while containers go by a longer one that another version has set.
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
	// While connections past Conncord become more, looks follow one another soon:
	// whoever comes there must not wait a second for each of a dozen.
	lookEvery   = time.Second
	lookSoon    = 100 * time.Millisecond
	glanceEvery = 10 * time.Millisecond

	// firstLook is how long the first intents of a history wait for the first look:
	// what is granted before it may be more than the database has, and then there
	// may be no room left to look through.
	firstLook = 2 * time.Second

	// reportEvery is how often what containers hold is put into the history when
	// nothing depends on it: for people.
	reportEvery = 10 * time.Second
)

// A watch is what a leader sees of containers and database beside the inbox.
type watch struct {
	pulses     map[string]pulse // of the containers that are charged for something, by id
	polled     time.Time        // when heartbeats were last read, and the sequence at that time
	polledUpTo uint64
	disturbed  bool // Redis did not do what it should since
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

// note takes what followed from an intent, which is a sign of life.
func (w *watch) note(step *ledger.Step, now time.Time) {
	if p, ok := w.pulses[step.Heard]; ok {
		p.at = now
		w.pulses[step.Heard] = p
	}
	for i := range step.Record.Decisions {
		if d := &step.Record.Decisions[i]; d.Verb == events.Ended && w.ended != nil {
			w.ended[events.Tag(d.Container)] = true
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

// rest lets the lookout rest while this arbiter does not lead.
func (a *Arbiter) rest() {
	if a.Lookout != nil {
		a.Lookout.Rest()
	}
}
