package simulation

import (
	"slices"
	"time"

	"github.com/conncord/conncord/client/lease"
)

// How long opening a connection takes: mostly up to usualDial, now and then up to
// rareDial, which is longer than what was begun in time may take.
const (
	usualDial = 8 * time.Millisecond
	rareDial  = 500 * time.Millisecond
)

// The pauses of a pool whose database refuses connections, as the client makes
// them.
const (
	minRefused = 50 * time.Millisecond
	maxRefused = time.Second
)

// A dial is a connection on its way: client/internal/pool/admission.go.
type dial struct {
	inWindow bool
	alone    bool // nobody may count it yet
}

// grow opens connections up to the limit, as far as that is admitted.
func (p *pool) grow(now time.Time, limit int) {
	if p.w.db == nil { // a world without: at once
		for p.open() < limit {
			p.held = append(p.held, &conn{})
		}
		return
	}
	a := p.admission()
	p.dials = slices.DeleteFunc(p.dials, func(d *dial) bool { return !p.inTime(&a, d, now) && !p.admits(&a, now, p.open()) })
	for p.open() < limit && p.admits(&a, now, p.open()+1) && !p.w.db.scarce(p) {
		_, shown := p.lifeline(&a)
		d := &dial{inWindow: window(&a, now), alone: !window(&a, now) && !shown && p.alone()}
		p.dials = append(p.dials, d)
		took := between(p.dice, time.Millisecond, usualDial)
		if one(p.dice, 12) {
			took = between(p.dice, 0, rareDial)
		}
		if p.w.db.dim > 0 && one(p.dice, 3) {
			took = between(p.dice, 0, p.w.db.dim)
		}
		p.w.after(took, func() { p.act(func() { p.establish(d) }) })
	}
	p.end.cancel()
	if left := a.Until.Add(a.Grace).Sub(now); len(p.dials) > 0 && !a.Until.IsZero() && left >= 0 {
		p.end = p.onTime(left+time.Microsecond, p.poke)
	}
}

// window reports whether connections may be opened at this moment, whatever
// exists.
func window(a *lease.Admission, now time.Time) bool { return a.Until.IsZero() || now.Before(a.Until) }

// inTime reports whether a dial may end in a connection.
func (p *pool) inTime(a *lease.Admission, d *dial, now time.Time) bool {
	return window(a, now) || d.inWindow && now.Before(a.Until.Add(a.Grace))
}

// admits reports whether one may be opened, if so many exist then.
func (p *pool) admits(a *lease.Admission, now time.Time, open int) bool {
	if window(a, now) {
		return true
	}
	_, lifeline := p.lifeline(a)
	return a.Floor > 0 && open <= a.Floor && (a.Alone || lifeline)
}

// lifeline returns since when one of the connections shows that there has been
// one at every moment, if that is since the admission ended.
func (p *pool) lifeline(a *lease.Admission) (shows time.Time, found bool) {
	for _, list := range [][]*conn{p.held, p.used} {
		for _, c := range list {
			if !c.shows.After(a.Until) && (!found || c.shows.Before(shows)) {
				shows, found = c.shows, true
			}
		}
	}
	return shows, found
}

// establish is when the database has accepted a connection, or refuses it.
func (p *pool) establish(d *dial) {
	at := slices.Index(p.dials, d)
	if at < 0 {
		return // given up
	}
	db, now := p.w.db, p.clock()
	a := p.admission()
	shows, shown := p.lifeline(&a)
	small := p.open() <= a.Floor
	late := !p.inTime(&a, d, now) && !(small && (shown || a.Alone))
	p.dials = slices.Delete(p.dials, at, at+1)
	switch {
	case late:
	case db.down > 0:
		db.pause(p)
	case db.full():
		p.w.tellf("%s: the database is full", p.id)
		db.pause(p)
		if shown || p.inTime(&a, d, now) { // else it opens it alone, and nobody may count it
			p.w.judge.refused(p.box)
		}
	default:
		p.refused = 0
		if window(&a, now) || !shown {
			shows = now
		}
		db.pids++
		p.held = append(p.held, &conn{pid: db.pids, start: p.w.now, shows: shows})
		p.w.tellf("%s: opens %d of %d (%v to the admission's end)", p.id, p.open(), p.m.Limit(now), a.Until.Sub(now))
		if d.alone || !shown && !p.inTime(&a, d, now) && p.alone() {
			p.w.judge.alone(p.box)
		}
	}
	p.poke()
}
