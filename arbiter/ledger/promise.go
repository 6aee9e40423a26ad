package ledger

import "github.com/conncord/conncord/events"

// extend begins the container's lease duration anew: as long as it asked for,
// within what the policy allows, and never so short that the drift margin eats
// it up. A deadline never moves forward: until the container sees that its TTL
// has become shorter, it goes by the longer one.
func (l *Ledger) extend(c *container) {
	c.ttl = l.policy.TTL.Milliseconds()
	if c.asked > 0 {
		least := max(events.MinTTL, 4*l.policy.Margin).Milliseconds()
		c.ttl = min(max(c.asked, least), c.ttl)
	}
	l.deadlines.set(c, max(c.deadline, l.now+c.ttl))
}

// heard takes what a registered container says: it is alive, its promise may
// lower its charge, and its want may move. One whose lease was lost gets a new
// one.
func (l *Ledger) heard(intent *events.Intent, c *container) reply {
	lost := c.lost
	l.promise(intent, c, min(intent.Want, l.policy.Limit))
	if lost {
		c.lease = events.LeaseID(l.incarnation, l.sequence)
		c.changed = l.sequence
		c.verb = events.Granted // even if it was lost by this very record
	}
	c.anchor = intent.Counter
	c.held, c.inUse, c.waiting = intent.Held, intent.InUse, intent.Waiting
	l.extend(c)
	l.touch(c, events.Renewed)
	return reply{to: c, why: capped(intent, c)}
}

// promise applies a container's ceiling, and what it wants now, to its lease.
//
// The ceiling holds until the container sees a grant newer than the one it
// names. The ledger must therefore count on every grant that it wrote since: if
// there is none, the ceiling is all that the container can hold; if none changed
// the units, it can hold those; if one did, the promise lowers nothing.
func (l *Ledger) promise(intent *events.Intent, c *container, want int) {
	known := intent.Incarnation == l.incarnation
	newest, current := known && intent.Seen >= c.written, known && intent.Seen >= c.changed
	// More than the database has, nobody can hold.
	ceiling := min(intent.Ceiling, max(c.charge, l.policy.Limit))
	switch {
	case newest:
		c.bound = c.fallback
	case !known || intent.Seen < events.LeaseBegan(c.lease):
		// It has seen nothing of this lease, which an old intent may have begun:
		// what it says that it may hold, it may go on holding.
		c.bound = max(c.bound, ceiling)
	}
	// A lost container goes on from its fallback: what it had above that, others
	// may have by now.
	allowed, charge := c.units, c.charge
	if c.lost {
		allowed = c.fallback
	}
	asleep := c.asleep
	// What it said before it saw that its charge fell, it said before it knew that
	// others may have what it did not use.
	outdated := l.look.Window > 0 && known && !c.lost && intent.Seen < c.fell
	l.change(c, func() {
		c.lost, c.silent, c.asleep = false, 0, false
		c.want = want
		c.units = min(allowed, want)
		switch {
		case newest:
			c.charge = max(c.units, ceiling)
		case asleep:
			// It has no more than the database showed, or its fallback. Grants that
			// it had not seen may have allowed it that again.
		case current:
			c.charge = max(allowed, ceiling)
		default:
			c.charge = max(c.charge, ceiling)
		}
		if outdated {
			c.charge = min(c.charge, charge)
		}
		c.over = min(c.over, max(0, c.shown-c.charge)) // what was too much may be counted now
	})
	if c.units < allowed {
		c.changed = l.sequence
		l.touch(c, events.Lowered)
	}
	if c.charge < charge {
		l.touch(c, events.Confirmed)
	}
}

// capped says whether the container wants more than it can be given at all.
func capped(intent *events.Intent, c *container) events.Reason {
	if intent.Want > c.want {
		return events.Capped
	}
	return events.NoReason
}
