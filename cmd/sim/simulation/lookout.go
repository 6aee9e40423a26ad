package simulation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/conncord/conncord/arbiter/observer"
)

// How long a look takes: mostly up to usualLook, now and then up to rareLook. One
// that takes longer than lookTimeout fails.
const (
	leastLook   = time.Millisecond
	usualLook   = 50 * time.Millisecond
	rareLook    = 2 * time.Second
	lookTimeout = 5 * time.Second
)

var errNotSeen = errors.New("the database does not answer")

// A lookout shows an arbiter the database, as [observer.Lookout] does: one look at
// a time, in the background of the arbiter's process.
type lookout struct {
	p       *process
	dice    *rand.Rand
	session bool // it has a connection
	busy    bool
	next    *errand // to do when this look is over
	sight   *observer.Sight
}

// An errand is a look, after backends are ended; or none any more.
type errand struct {
	id   uint64
	end  []observer.Backend
	rest bool
}

// Ask implements [arbiter.Lookout].
func (l *lookout) Ask(id uint64, end []observer.Backend) { l.take(&errand{id: id, end: end}) }

// Rest implements [arbiter.Lookout].
func (l *lookout) Rest() { l.take(&errand{rest: true}) }

// Sight implements [arbiter.Lookout].
func (l *lookout) Sight() (observer.Sight, bool) {
	s := l.sight
	if s == nil {
		return observer.Sight{}, false
	}
	l.sight = nil
	return *s, true
}

func newLookout(p *process) *lookout {
	return &lookout{p: p, dice: dice(p.w.plan.Seed, fmt.Sprintf("lookout %s.%d", p.name, p.started))}
}

func (l *lookout) take(e *errand) {
	l.next = e
	if !l.busy {
		l.busy = true
		l.p.w.after(0, l.run)
	}
}

// run does what is to be done next, when the process runs.
func (l *lookout) run() {
	w, e := l.p.w, l.next
	switch {
	case l.p.dead:
		return
	case l.p.paused > 0:
		w.after(between(l.dice, leastLook, usualLook), l.run)
		return
	case e == nil:
		l.busy = false
		return
	}
	l.next = nil
	if e.rest {
		l.session, l.sight = false, nil
		l.run()
		return
	}
	d, db := l.duration(), w.db
	s := &observer.Sight{ID: e.id, Err: errNotSeen}
	began := w.now
	w.after(d/4, func() {
		if l.p.dead || !l.connect() {
			return
		}
		for _, b := range e.end {
			if db.terminate(b) {
				s.Ended++
			}
		}
		began = w.now
	})
	w.after(d/4+between(l.dice, 0, d/2), func() {
		if l.session && !l.p.dead && db.down+db.blind == 0 && d < lookTimeout {
			s.Look, s.Err = db.show(began), nil
			w.judge.looked(l.p)
		}
	})
	w.after(min(d, lookTimeout), func() {
		if !l.p.dead {
			l.sight = s
			l.run()
		}
	})
}

// duration draws how long a look takes.
func (l *lookout) duration() time.Duration {
	switch dim := l.p.w.db.dim; {
	case dim > 0 && !one(l.dice, 3):
		return between(l.dice, leastLook, dim)
	case !l.p.w.calm && one(l.dice, 40):
		return between(l.dice, leastLook, rareLook)
	}
	return between(l.dice, leastLook, usualLook)
}

// connect opens the lookout's connection if it has none.
func (l *lookout) connect() bool {
	db := l.p.w.db
	if !l.session && db.down+db.blind == 0 && db.free() > 0 {
		l.session = true
	}
	return l.session
}
