package ledger

import "github.com/conncord/conncord/events"

// What the database shows, and what follows from it.
//
// Connections that were opened past Conncord are subtracted from what there is to
// share, and so are those of containers that have more than they are charged for.
//
// A container whose heartbeats have stopped is declared silent. From that record
// on its mailbox says that it must not open a connection before it has been
// heard, and every heartbeat of a container is followed by a look into its
// mailbox; before that record its heartbeats had been missing for longer than one
// allows anybody to open connections. So a look at the database that began after
// the record and saw no new heartbeat shows all that the container has and can
// come to have, but for one thing: as long as one of its connections is open, it
// may open others up to its fallback, so that it can go on without Redis. It is
// therefore charged for what the database shows, or its fallback if that is more,
// and for nothing when the database shows nothing. It keeps its lease, and goes on
// when it is heard.

// available is what containers can share at present.
func (l *Ledger) available() int {
	units := l.policy.Available()
	if o := &l.look; o.Usable > 0 {
		units = min(units, o.Usable-o.Platform-o.Headroom) - o.External - l.strange - l.over
		units = max(0, min(units, o.Bound))
	}
	return units
}

// silence declares containers silent.
func (l *Ledger) silence(tags []string) {
	if l.look.Window == 0 {
		return // nobody was told to beat
	}
	for _, tag := range tags {
		if c := l.tags[tag]; c != nil && c.silent == 0 && c.charge > 0 {
			c.silent = l.sequence
			l.touch(c, events.Noted)
		}
	}
}

// observe takes what the database shows.
func (l *Ledger) observe(o *events.Observation) {
	l.unsettled = true
	l.strangers.Clear()
	l.strange = 0
	if o.Window != l.look.Window {
		l.owing.Scan(func(_ uint64, c *container) bool { // they must know it, to beat
			l.touch(c, events.Noted)
			return true
		})
	}
	l.look = *o
	l.look.Held = nil
	was := l.seen.Values()
	l.seen.Clear()
	for _, c := range was {
		l.change(c, func() { c.shown, c.over = 0, 0 })
	}
	for i := range o.Held {
		h := &o.Held[i]
		if c := l.tags[h.Tag]; c != nil {
			l.show(c, h, o.Since)
		} else {
			l.meet(h.Tag, h.Conns)
		}
	}
	if o.Clear && l.strange+l.over == 0 {
		// Whoever was not heard since the history began anew has no connection,
		// and can open none by what it was granted before. Whoever has more than it
		// is charged for was heard by something old.
		l.barrier, l.floorUntil = min(l.barrier, l.now), min(l.floorUntil, l.now)
	}
}

// show takes what the database shows of a container.
func (l *Ledger) show(c *container, h *events.Held, since uint64) {
	if h.Conns > 0 {
		l.seen.Set(c.rank, c)
	}
	l.change(c, func() {
		c.shown = h.Conns
		if l.look.Named && c.fell <= since { // else it may have been more when the look began
			c.over = max(0, h.Conns-c.charge)
		}
	})
	switch {
	case h.Silent && c.silent != 0 && c.silent <= since:
		l.reclaim(c)
	case c.lost && c.changed <= since:
		// It cannot open more than its fallback, and need not have it all.
		l.confine(c, max(c.bound, c.shown))
	}
}

// reclaim charges a silent container for what it can have.
func (l *Ledger) reclaim(c *container) {
	left := 0
	if c.shown > 0 {
		left = max(c.shown, c.bound)
	}
	if !c.asleep {
		l.change(c, func() { c.asleep = true })
		l.touch(c, events.Noted)
	}
	l.confine(c, left)
}

// confine lowers the charge of a container that is away to what it can have at
// most.
func (l *Ledger) confine(c *container, most int) {
	switch {
	case c.charge <= most:
		return
	case most == 0 && c.lost:
		l.remove(c, events.Vanished)
		return
	case c.units > most:
		c.changed = l.sequence
	}
	l.change(c, func() { c.charge, c.units = most, min(c.units, most) })
	l.touch(c, events.Confirmed)
}

// meet counts backends of a container that is not registered.
func (l *Ledger) meet(tag string, conns int) {
	if conns > 0 {
		before, _ := l.strangers.Set(tag, conns)
		l.strange += conns - before
		l.unsettled = true
	}
}

// recognize counts the backends of a container that has just registered as its
// own.
func (l *Ledger) recognize(c *container) {
	conns, ok := l.strangers.Delete(c.tag)
	if !ok || l.tags[c.tag] != c {
		return
	}
	l.strange -= conns
	l.seen.Set(c.rank, c)
	l.change(c, func() { c.shown, c.over = conns, max(0, conns-c.charge) })
}

// Owing calls yield with each container that is charged for something, in order
// of registration, until it returns false.
func (l *Ledger) Owing(yield func(events.ContainerState) bool) {
	l.owing.Scan(func(_ uint64, c *container) bool { return yield(c.state()) })
}

// Look returns the newest observation, without those who hold something.
func (l *Ledger) Look() events.Observation { return l.look }

// Uncounted returns how many connections the database shows that are in no
// charge: of containers beyond theirs, and of containers that are not registered.
func (l *Ledger) Uncounted() (over, strange int) { return l.over, l.strange }

// Knows reports whether a container with this tag is registered.
func (l *Ledger) Knows(tag string) bool { return l.tags[tag] != nil }

// Concerns reports whether anything would be decided by the observation, so that
// it has to stand in the history.
func (l *Ledger) Concerns(o *events.Observation) bool {
	was := &l.look
	if was.Window != o.Window || was.Headroom != o.Headroom || was.Usable != o.Usable || was.Bound != o.Bound ||
		was.Platform != o.Platform || was.External != o.External || was.Named != o.Named {
		return true
	}
	over, strange, strangers := 0, 0, 0
	for i := range o.Held {
		h := &o.Held[i]
		c := l.tags[h.Tag]
		if c == nil {
			if had, _ := l.strangers.Get(h.Tag); had != h.Conns {
				return true
			}
			strange += h.Conns
			strangers++
			continue
		}
		if o.Named && c.fell <= o.Since {
			over += max(0, h.Conns-c.charge)
		}
		if l.frees(c, h, o.Since) {
			return true
		}
	}
	opens := o.Clear && strange+over == 0 && max(l.barrier, l.floorUntil) > l.now
	return opens || over != l.over || strangers != l.strangers.Len()
}

// frees reports whether the database shows that a container can have less than
// it is charged for.
func (l *Ledger) frees(c *container, h *events.Held, since uint64) bool {
	switch {
	case h.Silent && c.silent != 0 && c.silent <= since:
		return !c.asleep || c.charge > h.Conns && (h.Conns == 0 || c.charge > c.bound)
	case c.lost && c.changed <= since:
		return c.charge > max(c.bound, h.Conns)
	}
	return false
}
