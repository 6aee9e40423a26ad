package lease

import (
	"time"

	"github.com/conncord/conncord/events"
)

// beatsPerWindow is how often a container gives a sign of life within the window,
// so that two can fail.
const beatsPerWindow = 3

// An Admission says when the container may open connections, within its limit.
// It never closes any.
type Admission struct {
	// Until is until when it may. The zero time means that it may at any time.
	Until time.Time
	// Floor is up to how many it may open afterwards, as long as one that was open
	// at that time still is: the arbiter charges a silent container for its
	// fallback as long as the database shows any connection of it. With Alone it
	// may without: it has been without an arbiter for so long that it goes on as
	// one that has just started would.
	Floor int
	Alone bool
	// Grace is how long what was begun before Until may take.
	Grace time.Duration
}

// Admission returns when the container may open connections.
func (m *Machine) Admission(now time.Time) Admission {
	mode := m.Mode(now)
	if !m.leased() || m.window == 0 && m.suspended.IsZero() {
		return Admission{}
	}
	a := Admission{Until: m.through.Add(m.window), Grace: m.window / 4, Floor: m.fallback}
	if !m.suspended.IsZero() && (m.window == 0 || m.suspended.Before(a.Until)) {
		a.Until = m.suspended
	}
	if m.cfg.Strict {
		a.Floor = 0
	}
	a.Alone = mode == Fallback && !m.alone.IsZero() && !now.Before(m.alone.Add(m.cfg.JoinWithin))
	return a
}

// BeatEvery returns how often the container has to give a sign of life so that it
// may open connections at any time; 0: it need not.
func (m *Machine) BeatEvery() time.Duration {
	if !m.leased() || m.grant.Charge == 0 && m.units == 0 {
		return 0
	}
	return m.window / beatsPerWindow
}

// BeatNow reports whether the next sign of life is needed at once: connections may
// be opened, but the newest that got through is too old for it.
func (m *Machine) BeatNow(now time.Time) bool {
	return m.BeatEvery() > 0 && m.units > 0 && m.suspended.IsZero() && !now.Before(m.through.Add(m.window-m.BeatEvery()))
}

// Beat returns the next sign of life beside the intents. Whoever sends it takes
// what the look that follows finds with Learn and Accept, and then calls Beaten.
func (m *Machine) Beat() events.Beat {
	m.beats++
	return events.Beat{Incarnation: m.grant.Incarnation, Count: m.beats}
}

// Beaten notes that a sign of life sent at that time got through, if the look that
// followed it found nothing that forbids to go on.
//
// One that comes when the time has run out does not bring it back: the container
// may have been declared silent meanwhile, and Redis may have lost the record of
// it. It has to be heard by an arbiter first.
func (m *Machine) Beaten(now, sent time.Time, look events.Look) {
	g := look.Grant
	if g == nil || !m.leased() || !m.suspended.IsZero() || m.grant.Gone() {
		return
	}
	if g.Incarnation != look.Incarnation || m.grant.Incarnation != g.Incarnation || m.grant.Sequence < g.Sequence {
		return
	}
	if m.lapsed(now) {
		m.suspend(now)
		return
	}
	m.reach(sent)
}

// lapsed reports whether the newest sign of life that got through is so old that
// the container may open nothing by it.
func (m *Machine) lapsed(now time.Time) bool {
	return m.leased() && m.window > 0 && !now.Before(m.through.Add(m.window))
}

// canHave returns how many connections a container can come to have that has
// lapsed and holds so many. What it could have had beside them, others may have
// got: it is no use to re-assert that.
func (m *Machine) canHave(now time.Time, held int) int {
	if a := m.Admission(now); held > 0 || a.Alone {
		return max(held, a.Floor)
	}
	return held
}

func (m *Machine) reach(sent time.Time) {
	if sent.After(m.through) {
		m.through = sent
	}
}

// admit takes what a grant says about opening connections. An intent that it
// answers was a sign of life.
func (m *Machine) admit(now time.Time, g *events.Grant) {
	switch {
	case g.Lease == "":
		m.suspend(now) // what it has it may keep; others may have got what it has not
		return
	case g.Suspended:
		m.learnWindow(g)
		m.suspend(now)
		return
	}
	m.learnWindow(g)
	m.suspended = time.Time{}
	if at, ok := m.sentAt(g.Ack); ok {
		m.reach(at)
	}
}

// learnWindow keeps the window when a grant has none: its arbiter does not see the
// database, but the next one may, and takes whoever ever made a heartbeat for
// silent when no more come.
func (m *Machine) learnWindow(g *events.Grant) {
	if g.Window > 0 {
		m.window = g.Window
	}
}

func (m *Machine) suspend(now time.Time) {
	if m.suspended.IsZero() {
		m.suspended = now
	}
}

// sentAt returns when an intent was sent, if that is not too long ago.
func (m *Machine) sentAt(counter uint64) (time.Time, bool) {
	if counter == 0 || counter > m.counter || m.counter-counter >= history {
		return time.Time{}, false
	}
	at := m.sent[counter%history]
	return at, !at.IsZero()
}

// noteAlone notes since when the container lives on its fallback and was told
// nothing.
func (m *Machine) noteAlone(now time.Time) {
	switch {
	case m.mode != Fallback:
		m.alone = time.Time{}
	case m.alone.IsZero():
		m.alone = now
	}
}
