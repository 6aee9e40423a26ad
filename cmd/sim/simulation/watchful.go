package simulation

import (
	"slices"
	"time"

	"github.com/conncord/conncord/events"
)

// What follows from an arbiter's seeing the database, and what it must not come
// to.

const (
	// patrolEvery is how often the judge looks for what takes too long.
	patrolEvery = 100 * time.Millisecond

	// reclaimed is how long it takes at most until what a killed container had is
	// free, and lookAgain how long a look takes to come that shows the end of its
	// last backends.
	reclaimed = 3 * time.Second
	lookAgain = 1500 * time.Millisecond

	// awake is how long a container can at most be taken for silent in a world in
	// which everything works, and counted how long others' connections are not
	// counted there.
	awake   = 5 * time.Second
	counted = 2 * time.Second
)

// calm reports whether nothing happens to the deployment but that containers are
// killed, and whether whoever leads sees the database.
func (p *Plan) calm() bool {
	for _, a := range p.Arbiters {
		if !a.Looks {
			return false
		}
	}
	return !slices.ContainsFunc(p.Deeds, func(d Deed) bool {
		return !slices.Contains([]Act{Want, Leave, Die, Strangers}, d.Act)
	})
}

// share is what there is for containers by what the newest look showed, and
// false when nobody has looked.
func (j *judge) share() (units int, known bool) {
	if j.ledger == nil || j.ledger.Policy().Rule == 0 {
		return 0, false
	}
	p, o := j.ledger.Policy(), j.ledger.Look()
	if o.Usable == 0 {
		return p.Limit - p.Reserve, false
	}
	over, strange := j.ledger.Uncounted()
	units = min(p.Limit-p.Reserve, o.Usable-o.Platform-o.Headroom) - o.External - over - strange
	return max(0, min(units, o.Bound)), true
}

// spend: nobody gets what there is not. before is what was charged before the
// record.
func (j *judge) spend(before int, said bool) {
	if units, known := j.share(); known && !said && j.ledger.Charged() > max(before, units) {
		j.w.fail("usable", "%d connections are charged, %d were, and there are %d", j.ledger.Charged(), before, units)
	}
}

// refused: the database refused a container's connection for want of room. That
// must be because others have come, or because the limits were lower than the
// policy, and it was not yet known or what was granted before was not back. Who was
// not heard in this incarnation goes by a grant that it does not know.
func (j *judge) refused(b *box) {
	units, known := j.share()
	if !known || j.ledger.Charged() > units || j.uncounted()+j.unheard() > 0 || b.local() || b.ghost.stranger || b.ghost.unheard {
		return
	}
	o, db := j.ledger.Look(), j.w.db
	if db.external+db.sessions() > o.External+o.Platform+o.Headroom {
		return
	}
	j.w.fail("usable", "%s is refused: the database has %d connections, %d of containers, %d of others and %d of arbiters; %d are charged of %d",
		b.id, db.Usable, db.containers(), db.external, db.sessions(), j.ledger.Charged(), units)
}

// alone: a container has been without an arbiter for so long that it opened a
// connection that nobody may count.
func (j *judge) alone(b *box) {
	// Even if it is charged for as many at this moment: a look that began before may
	// still take that away.
	b.ghost.stranger, b.ghost.alone, b.ghost.from = true, true, b.m.Counter()+1
}

// uncounted is how many backends there are beyond what the history charges for
// them.
func (j *judge) uncounted() (n int) {
	for _, b := range j.w.boxes {
		if b.ghost.stranger {
			n += b.pool.backends()
			continue
		}
		n += max(0, b.pool.backends()-j.charge(b))
	}
	return n
}

// looked: an arbiter has seen this.
func (j *judge) looked(p *process) {
	p.node.ghosts = map[*box]ghosts{}
	for _, b := range j.w.boxes {
		g, n := &b.ghost, b.pool.backends()
		p.node.ghosts[b] = ghosts{all: n}
		if g.stranger || g.unheard || b.excused() || !b.alive {
			p.node.ghosts[b] = ghosts{n, n}
		}
	}
}

// ghosts are the backends of a container in an arbiter's newest look, and those of
// them that nobody may have counted then.
type ghosts struct{ all, uncounted int }

// drift: what an arbiter takes for too much is there.
func (j *judge) drift(in *events.Intent) {
	if in.Kind != events.Observe || in.Observation.Usable == 0 {
		return
	}
	over, strange := j.ledger.Uncounted()
	most := 0
	for _, n := range j.w.nodes {
		there := 0 // also when the arbiter is gone, and what it said arrives now
		for b, g := range n.ghosts {
			if _, known := j.ledger.Container(b.id); !known {
				there += g.all
				continue
			}
			there += g.uncounted
		}
		most = max(most, there)
	}
	if over+strange > most {
		j.w.tellf("%+v", in.Observation)
		j.w.fail("drift", "%d connections are taken for too many and %d for those of strangers; there were %d", over, strange, most)
	}
}

// clear: the database showed that whoever was not heard since the history began
// anew has nothing. They must not come to have anything by what they were granted
// before. Who was heard, and said so before it knew all that it had been granted,
// is charged for what it said. Not counted is who had its lease from an arbiter that
// did not look: it goes by no window, and one that looks now cannot know of it.
func (j *judge) clear() {
	for _, b := range j.w.boxes {
		g := &b.ghost
		if !g.unheard {
			continue
		}
		_, known := j.ledger.Container(b.id)
		g.unheard, g.frozen, g.cleared = !known, 0, j.w.now
		g.outlived, g.had = known, b.pool.seen()
		if lease := b.m.Grant(); !known && lease != nil && lease.Window == 0 {
			g.stranger, g.unheard, g.from = true, false, b.m.Counter()+1
		}
	}
}

// patrol looks for what takes too long.
func (j *judge) patrol() {
	w := j.w
	w.after(patrolEvery, j.patrol)
	if j.ledger == nil {
		return
	}
	well := w.healed > 0
	for _, b := range w.boxes {
		c, known := j.ledger.Container(b.id)
		g := &b.ghost
		if !known || c.Silent == 0 || !b.alive {
			g.silent = w.now
		}
		if b.alive && b.paused == 0 && (w.calm && c.Silent != 0 || well && w.now > max(g.silent, w.healed+settle)+awake) {
			w.fail("awake", "%s lives and is taken for silent for %v", b.id, w.now-g.silent)
		}
		if c.Charge == 0 {
			g.free = w.now
		}
		if !b.alive && w.calm && g.beat && c.Charge > b.pool.backends() && w.now > max(g.died, g.free)+reclaimed && w.now > g.gone+lookAgain {
			w.fail("gone", "%s was killed %v ago, and is charged for %d", b.id, w.now-g.died, c.Charge)
		}
	}
	if o := j.ledger.Look(); !w.calm || o.Usable > 0 && o.External >= w.db.external {
		j.missed = w.now
	} else if w.now > j.missed+counted && w.now > dawn+calm+counted {
		w.fail("usable", "there are %d connections of others, counted are %d for %v", w.db.external, o.External, w.now-j.missed)
	}
}

// idle: a container that beats keeps its lease.
func (j *judge) idle(d *events.Decision) {
	if b := j.w.find(d.Container); j.w.calm && b != nil && b.alive && !b.slowClock &&
		(d.Verb == events.Lost || d.Verb == events.Ended && d.Reason != events.Released) {
		j.w.fail("idle", "%s loses its lease, and lives", b.id)
	}
}
