package simulation

import "github.com/conncord/conncord/events"

// What the containers have, compared with what the history charges for them.

// hear notes whom the history counts from now on, and whom not any more. It
// reports whether somebody said what it has who was not counted, or not in this
// incarnation: that is counted then, whatever there is.
func (j *judge) hear(rec *events.Record, in *events.Intent, readable bool) (free bool) {
	claimed, outdated := false, false
	if b := j.w.find(containerOf(in, readable)); b != nil {
		outdated = b.outdated(in) // before this record, which may end its lease
	}
	for _, d := range rec.Decisions {
		j.idle(&d)
		b := j.w.find(d.Container)
		if b == nil {
			continue
		}
		switch d.Verb {
		case events.Lost:
			b.ghost.lost = j.w.now
		case events.Ended:
			b.ghost.cleared = j.w.now
			if d.Reason == events.Lapsed || d.Reason == events.Cleaned {
				b.ghost.stranger, b.ghost.from = true, b.m.Counter()+1
			}
		}
	}
	if b := j.w.find(containerOf(in, readable)); b != nil && rec.Refused == 0 {
		g := &b.ghost
		beyond := g.said[in.Counter].beyond
		free = g.stranger || g.unheard || outdated || beyond
		if g.outlived && in.Counter >= g.from {
			// It may still go by a grant of the history that was lost, and say that it may
			// have what it cannot open any more. Who registers knows better.
			free = free || in.Kind != events.Register
		}
		c, known := j.ledger.Container(b.id)
		// What it said just after it stood still is charged also when it has learnt since
		// that it was granted more, and is not heard by that.
		claimed = known && g.unheard && beyond
		// The newest that it said, though it did before this incarnation began, counts
		// if that covers all that it has and may open.
		covered := in.Counter == b.m.Counter() && j.covers(b)
		if known && (in.Counter >= g.from || g.unheard && covered) && !(g.alone && c.Charge < b.pool.seen()) {
			g.alone = false
			claimed = g.stranger || outdated || beyond
			// Of one claim, the history counts no more than the database has.
			g.stranger, g.unheard = in.Ceiling > j.ledger.Policy().Limit, false
			if g.stranger {
				g.from = b.m.Counter() + 1
			}
		}
	}
	available := rec.Available + j.subtracted()
	_, barrier := j.ledger.Barrier()
	switch {
	case j.ledger.Policy().Rule == 0: // nothing can be granted yet
	case claimed:
		j.bound = max(j.bound, rec.Charged+j.pending())
	case rec.Charged <= rec.Available && !barrier && max(j.total(), rec.Charged+j.pending()) <= available:
		// Nothing is being given back. What is subtracted is in no charge, so that it
		// must not make up for charges above what the history has to share. And who was
		// not heard must not have to give anything back either: nobody tells him.
		j.bound = available
	default:
		j.bound = max(j.bound, available)
	}
	for _, b := range j.w.boxes {
		j.check(b)
	}
	j.checkSum()
	return free
}

// covers reports whether a container is charged for all that it has and may open.
func (j *judge) covers(b *box) bool {
	c, known := j.ledger.Container(b.id)
	return known && c.Charge >= max(b.pool.seen(), b.m.Limit(b.clock()))
}

// obeyed: a container goes by this grant now. If it is of the present incarnation and
// covers what the container has, that has heard it, whatever it heard.
func (j *judge) obeyed(b *box, grant *events.Grant) {
	if j.ledger != nil && j.ledger.Incarnation() == grant.Incarnation {
		g := &b.ghost
		g.outlived = false
		g.unheard = g.unheard && !j.covers(b)
	}
}

func containerOf(in *events.Intent, readable bool) string {
	if !readable {
		return ""
	}
	return in.Container
}

// subtracted is what the history takes from what there is to share, because the
// database shows it and no charge covers it, and what total counts nevertheless:
// backends of those whom this incarnation has not heard, whether they are
// registered again by what they said before or not. What total leaves out is not
// added either: what strangers have, and what one that stands still has above what
// is counted of it. Nor is what a look that is out of date shows of somebody who
// has no more than his charge by now.
func (j *judge) subtracted() (conns int) {
	over, strange := j.ledger.Uncounted()
	if over+strange == 0 {
		return 0
	}
	strangers := map[string]int{}
	for _, h := range j.ledger.Snapshot().Look.Held {
		strangers[h.Tag] = h.Conns
	}
	for _, b := range j.w.boxes {
		if !b.ghost.unheard || b.ghost.stranger {
			continue
		}
		c, known := j.ledger.Container(b.id)
		shown := c.Over
		if !known {
			shown = strangers[b.tag]
		}
		if b.excused() {
			shown = min(shown, max(0, j.counted(b)-c.Charge))
		}
		conns += shown
	}
	return conns
}

// pending is what those whom this incarnation has not heard can have beyond what it
// charges for them: when the barrier is over, their fallback, for which minimums are
// kept back, and which they may still open as long as one of their connections
// lives. Who is dead, or has none and no time left to open one, comes to have no
// more.
func (j *judge) pending() (conns int) {
	for _, b := range j.w.boxes {
		if !b.ghost.unheard || b.ghost.stranger {
			continue
		}
		most, a := b.pool.seen(), b.pool.admission()
		if b.excused() {
			most = min(most, j.counted(b))
		}
		if b.alive && (b.pool.open() > 0 || window(&a, b.clock())) {
			most = max(most, j.counted(b))
		}
		c, _ := j.ledger.Container(b.id)
		conns += max(0, most-c.Charge)
	}
	return conns
}

// unheard is what those have whom this incarnation has not heard.
func (j *judge) unheard() (open int) {
	for _, b := range j.w.boxes {
		if b.ghost.unheard {
			open += b.pool.seen()
		}
	}
	return open
}

// check compares what one container has with what it may have.
func (j *judge) check(b *box) {
	g := &b.ghost
	if g.unheard && j.ledger != nil && (j.ledger.Now() >= j.floor || g.ttl > j.barrier && j.ledger.Now() >= j.barrier.Milliseconds()) {
		g.stranger, g.unheard, g.from = true, false, b.m.Counter()+1
	}
	if b.alive && b.paused == 0 && b.local() {
		g.stranger, g.from = true, b.m.Counter()+1
	}
	open := b.pool.seen()
	if g.stranger {
		return
	}
	charge := j.charge(b)
	if b.excused() {
		return
	}
	if open > charge {
		j.w.fail("charge", "%s has %d connections, charged are %d", b.id, open, charge)
	}
	if b.alive && g.outlived && open > max(g.had, g.fallback) {
		j.w.fail("charge", "%s has %d connections by a grant that was lost; it had %d", b.id, open, g.had)
	}
	if b.alive && g.ends > 0 && j.w.now >= max(g.ends, g.grace) && open > g.fallback {
		j.w.fail("deadline", "%s has %d connections %v after its lease's end, its fallback is %d", b.id, open, j.w.now-g.ends, g.fallback)
	}
}

// charge is what the container may have at most.
func (j *judge) charge(b *box) int {
	if b.ghost.unheard || j.ledger == nil {
		return b.ghost.frozen
	}
	c, _ := j.ledger.Container(b.id)
	return c.Charge
}

// counted is what is counted of a container that stands still: when its lease is
// over, only its fallback, also if the history that charged more was lost. Its
// lease may be longer than it knows.
func (j *judge) counted(b *box) int {
	charge := j.charge(b)
	if ends, fallback := b.ghost.most(); b.ghost.unheard && j.w.now >= ends {
		charge = min(charge, fallback)
	}
	return charge
}

// checkSum: all together have no more than there is.
func (j *judge) checkSum() {
	if total := j.total(); total > j.bound {
		j.w.fail("sum", "all together have %d connections of %d", total, j.bound)
	}
}

// total is what all those have who are to be counted.
func (j *judge) total() (open int) {
	for _, b := range j.w.boxes {
		switch g := &b.ghost; {
		case g.stranger:
		case b.excused():
			open += min(b.pool.seen(), j.counted(b))
		default:
			open += b.pool.seen()
		}
	}
	return open
}
