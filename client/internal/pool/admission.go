package pool

import (
	"fmt"
	"net"
	"time"
)

// Admission says, beside the limit, when new connections may be opened. What is open stays open.
//
// A container that cannot prove that it is in touch is charged for what the database shows of it, and no more. So it may
// not open another connection unseen; see the package's documentation for the whole argument. The zero value is no bound.
type Admission struct {
	// Until is when opening ends: no dial begins at this moment or later. It is compared with the clock when the dial
	// begins and not by a timer, so that a process that was stopped opens nothing when it wakes. Zero means no end.
	Until time.Time

	// Grace is how much longer a dial may take that began before Until. What is not established before Until + Grace is
	// given up.
	Grace time.Duration

	// Floor is how many connections may exist for new ones to be opened after Until, the new one included, as long as
	// there is a lifeline: a connection that shows without a break since Until that the database has one of ours.
	Floor int

	// Alone lets connections be opened up to the floor after Until without a lifeline: the container was cut off so long
	// that it goes on by itself.
	Alone bool
}

// ErrOutOfTouch is returned when a dial was given up because its admission had ended. Trying again is safe: it waits for
// the next one. It is a [net.ErrClosed]: the connection was closed on this side.
var ErrOutOfTouch = fmt.Errorf("pool: the connection took too long to open and is not admitted any more: %w", net.ErrClosed)

// window reports whether new connections may be opened at this moment, whatever exists.
func (a *Admission) window(now time.Time) bool { return a.Until.IsZero() || now.Before(a.Until) }

// end is when dials of the window are given up.
func (a *Admission) end() time.Time { return a.Until.Add(a.Grace) }

// SetAdmission bounds when new connections may be opened, beside the limit. It admits waiting dials if it can, and gives
// up dials under way that it does not cover. It may be called as often as there is a later Until.
//
// While nothing may be opened, a checkout that finds its pool without an idle connection but below its share waits in a
// dial, and is not served by a connection that is returned meanwhile. So lower the shares to what the pools have then:
// see [Gate.Allowed] and [Usage].Live.
func (g *Gate) SetAdmission(a Admission) {
	g.mu.Lock()
	waiting := len(g.queue)
	g.admission = a
	g.watchEndLocked()
	g.serveLocked()
	admitted := len(g.queue) < waiting
	g.mu.Unlock()
	if admitted {
		g.changed()
	}
}

// watchEndLocked makes dials be given up in time. Should the timer be late, the dials themselves notice.
func (g *Gate) watchEndLocked() {
	if g.end != nil {
		g.end.Stop()
		g.end = nil
	}
	if !g.admission.Until.IsZero() && !g.closed {
		g.end = time.AfterFunc(time.Until(g.admission.end()), g.giveUp)
	}
}

// giveUp ends the dials that the admission does not cover any more.
func (g *Gate) giveUp() {
	var late []*socket
	g.mu.Lock()
	for s := range g.sockets {
		if s.starting && !s.retired && !g.coversLocked(s) {
			s.outOfTouch = true
			s.retireLocked()
			late = append(late, s)
		}
	}
	g.mu.Unlock()
	for _, s := range late {
		s.kill(false)
	}
}

// Allowed returns how many connections the pools can have together at this moment: the limit while new ones may be opened,
// or else those that are live, or the floor if that is more. It never exceeds the limit.
func (g *Gate) Allowed() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.admission.window(time.Now()):
		return g.limit
	case g.live < g.admission.Floor && g.hasFloorLocked():
		return min(g.admission.Floor, g.limit)
	default:
		return min(g.live, g.limit)
	}
}

// Live returns how many connections are open or being opened, and not being closed, as far as anybody has noticed.
func (g *Gate) Live() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.live
}

// admitsLocked reports whether a connection may be opened, if so many exist then.
func (g *Gate) admitsLocked(open int) bool {
	return g.admission.window(time.Now()) || open <= g.admission.Floor && g.hasFloorLocked()
}

func (g *Gate) hasFloorLocked() bool {
	return g.admission.Floor > 0 && (g.admission.Alone || len(g.lifelinesLocked(1)) > 0)
}

// begin is the last look before a socket is dialed: it may have been admitted long ago by the clock.
func (g *Gate) begin(s *socket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.inWindow = g.admission.window(time.Now())
	s.outOfTouch = s.outOfTouch || !s.inWindow && !g.admitsLocked(g.open)
	return !s.outOfTouch
}

// coversLocked reports whether a dial under way may go on, and may end in a connection.
func (g *Gate) coversLocked(s *socket) bool {
	return g.inTimeLocked(s) || g.admitsLocked(g.open)
}

func (g *Gate) inTimeLocked(s *socket) bool {
	now := time.Now()
	return g.admission.window(now) || s.inWindow && now.Before(g.admission.end())
}
