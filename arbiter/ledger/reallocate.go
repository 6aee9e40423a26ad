package ledger

import (
	"github.com/conncord/conncord/events"
)

// scratch is memory that one reallocation after the other works in.
type scratch struct {
	claims []claim
	least  []int
	wants  []int
	counts []int
	queue  []filling
}

// reallocate moves the leases towards what the rule says: it finds each
// container's target, lets those below it grow into what is free, and recalls
// from those above it just what the others still lack and nobody is giving up
// already.
//
// Its cost depends on the connections to share out and the number of services,
// not on the number of containers: at most as many containers can have a target
// or units as there are connections.
func (l *Ledger) reallocate() {
	l.unsettled = false
	available, open := l.available(), l.open()
	l.target(open - l.dead)

	lacking := 0
	switch {
	case l.now < l.barrier:
		l.regain() // nobody gains what it did not have
	case l.charged > available:
		// Nobody grows, not even into what it is still charged for: the others
		// may have grown into it already.
		for _, s := range l.services {
			lacking += s.need
		}
	default:
		lacking = l.grow(open - l.charged)
	}
	for _, s := range l.services {
		if s.rule.Maximum > 0 && s.units > s.rule.Maximum {
			l.drain(s, s.units-s.rule.Maximum)
		}
	}
	over := max(0, l.charged-available)
	if short := lacking + over - l.slack; short > 0 {
		l.recall(short)
	}
}

// open is what leases may grow into. After the recovery barrier, containers of a
// former incarnation that were not heard may still hold their fallback, and
// which part of their service's minimum that is, nobody knows any more: all
// minimums are kept back until it has lapsed.
func (l *Ledger) open() int {
	units := l.available()
	if l.now < l.floorUntil {
		for _, rule := range l.policy.Services {
			units -= rule.Minimum
		}
	}
	return units
}

// below returns the service's containers that are below their targets, in order
// of registration.
func (l *Ledger) below(s *service) []filling {
	q, left := l.scratch.queue[:0], s.need
	if left == 0 {
		return q
	}
	s.queue.Scan(func(rank uint64, c *container) bool {
		if n := s.level.target(c.want, rank) - c.units; n > 0 {
			q = append(q, filling{c, c.units, n})
			left -= n
		}
		return left > 0
	})
	l.scratch.queue = q
	return q
}

// regain gives containers below their targets what they are charged for already,
// because they were giving it up, or have re-asserted it behind a barrier: that
// costs nothing. It returns what they still lack.
func (l *Ledger) regain() (lacking int) {
	for _, s := range l.services {
		for _, f := range l.below(s) {
			if n := min(f.lacks, f.c.charge-f.c.units); n > 0 {
				l.raise(f.c, n)
			}
		}
		lacking += s.need
	}
	return lacking
}

// grow gives what is free to containers below their targets, and returns what
// they still lack.
func (l *Ledger) grow(free int) (lacking int) {
	lacking = l.regain()
	if lacking == 0 || free <= 0 {
		return lacking
	}
	if lacking <= free {
		for _, s := range l.services {
			for _, f := range l.below(s) {
				l.raise(f.c, f.lacks)
			}
		}
		return 0
	}
	claims := l.scratch.claims
	for i, s := range l.services {
		claims[i].got = s.units
		claims[i].most = s.units + s.need
	}
	award(free, claims)
	for i, s := range l.services {
		if n := claims[i].got - s.units; n > 0 {
			l.spread(s, n)
		}
	}
	return lacking - free
}

// spread gives units to those of a service's containers below their targets:
// each to the one that has fewest, of equals to the one registered first.
func (l *Ledger) spread(s *service, units int) {
	q := byUnits(l.below(s))
	q.fill(units, func(f filling) {
		if n := f.units - f.c.units; n > 0 {
			l.raise(f.c, n)
		}
	})
}

// recall takes units from containers above their targets, from each service in
// the reverse order of the rule and within one from the container that has most,
// of equals from the one registered last.
func (l *Ledger) recall(units int) {
	claims, least := l.scratch.claims, l.scratch.least[:0]
	for i, s := range l.services {
		claims[i].got = s.units
		least = append(least, s.units-s.excess)
	}
	l.scratch.least = least
	withdraw(units, claims, least)
	for i, s := range l.services {
		if n := s.units - claims[i].got; n > 0 {
			l.drain(s, n)
		}
	}
}

// drain lowers the containers of one service that are above their targets.
func (l *Ledger) drain(s *service, units int) {
	q := byUnits(l.scratch.queue[:0])
	s.holders.Reverse(func(rank uint64, c *container) bool {
		if n := c.units - s.level.target(c.want, rank); n > 0 {
			q = append(q, filling{c, -c.units, n})
		}
		return true
	})
	q.fill(units, func(f filling) {
		if -f.units < f.c.units {
			l.lower(f.c, -f.units)
		}
	})
	l.scratch.queue = q
}

// raise gives a container units.
func (l *Ledger) raise(c *container, units int) {
	s := c.service
	l.move(c, c.units+units)
	s.need -= units
	l.touch(c, events.Grown)
}

// lower takes a container's units down and leaves its charge.
func (l *Ledger) lower(c *container, units int) {
	s := c.service
	s.excess -= c.units - units
	l.move(c, units)
	l.touch(c, events.Recalling)
}

// move changes a container's units without making its service's level stale,
// because levels do not depend on units.
func (l *Ledger) move(c *container, units int) {
	stale := c.service.stale
	l.change(c, func() {
		c.units = units
		c.charge = max(c.charge, units)
	})
	c.changed = l.sequence
	c.service.stale, l.unsettled = stale, false
}
