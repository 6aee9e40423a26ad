package ledger

import (
	"github.com/tidwall/btree"

	"github.com/conncord/conncord/events"
)

// A container is one registered container and its lease.
type container struct {
	id, host string
	service  *service
	rank     uint64 // order of registration
	strict   bool
	asked    int64 // milliseconds that it asked its leases to last; 0: as long as the policy says
	ttl      int64 // milliseconds that its lease lasts from when it was last extended

	counter uint64 // of the newest intent that was taken
	anchor  uint64 // of the intent that last extended the lease

	lease    string
	want     int
	units    int
	charge   int
	changed  uint64 // sequence of the record that last changed units
	deadline int64  // ledger time at which the lease is lost, or a lost one forgotten
	lost     bool   // expired: it may not use its units, and is charged for its fallback

	// fallback stands in the container's newest grant, which record written
	// wrote. bound is the largest fallback of the grants that it may go by; of one
	// that may not have seen a grant yet, at least what it said that it may hold.
	fallback, bound int
	written         uint64

	held, inUse, waiting int // as it says, for people

	// What the database has to say: see observe.go.
	tag    string
	shown  int    // its backends in the newest observation
	over   int    // of these, beyond its charge
	fell   uint64 // sequence of the record that last lowered its charge
	silent uint64 // sequence of the record that declared it silent; 0: it is not
	asleep bool   // silent, and charged for what the database shows

	queued int64 // where the container stands in the queue of deadlines

	// What the record under way does to it.
	verb    events.Verb
	why     events.Reason // when the verb is Ended
	touched bool
}

// A service is a kind of container, with the sums over its containers.
type service struct {
	rule events.Service

	members btree.Map[uint64, *container] // all, by rank
	active  btree.Map[uint64, *container] // not away and wanting something
	holders btree.Map[uint64, *container] // not away and having units
	queue   btree.Map[uint64, *container] // not away and wanting more than they have

	want, units int // sums over the containers that are not away

	target int   // units by the rule
	level  water // how they lie on the containers
	stale  bool  // level must be found anew
	excess int   // units above the containers' targets
	need   int   // units below

	// The fallback parts: part each, and one more up to rank partRank.
	part      int
	partRank  uint64
	partStale bool
}

// sums are what a container adds to its service and to the whole. A change to a
// container is made by [Ledger.change], which keeps them.
type sums struct {
	want, units, charge, slack, dead, over int
	active, holder, waiting, owing         bool
}

// away reports whether nothing can be given to the container, and nothing be
// recalled from it.
func (c *container) away() bool { return c.lost || c.asleep }

func (c *container) sums() sums {
	if c.away() {
		return sums{charge: c.charge, dead: c.charge, over: c.over, owing: c.charge > 0}
	}
	return sums{
		want: c.want, units: c.units, charge: c.charge, slack: c.charge - c.units, over: c.over, owing: c.charge > 0,
		active: c.want > 0, holder: c.units > 0, waiting: c.want > c.units,
	}
}

// change applies a change to a container and keeps all sums and sets with it.
func (l *Ledger) change(c *container, apply func()) {
	before := c.sums()
	apply()
	if c.charge < before.charge {
		c.fell = l.sequence
	}
	after := c.sums()
	if before == after {
		return
	}
	l.account(c, before, after)
}

// account replaces what a container added before by what it adds now.
func (l *Ledger) account(c *container, before, after sums) {
	s := c.service
	s.want += after.want - before.want
	s.units += after.units - before.units
	l.charged += after.charge - before.charge
	l.slack += after.slack - before.slack
	l.dead += after.dead - before.dead
	l.over += after.over - before.over
	member(&l.owing, c, before.owing, after.owing)
	member(&s.active, c, before.active, after.active)
	member(&s.holders, c, before.holder, after.holder)
	member(&s.queue, c, before.waiting, after.waiting)
	// With fewer units than containers that want some, each gets one or none,
	// however much it wants: then the level does not depend on it.
	crowded := s.active.Len() >= s.target
	if before.active != after.active || before.units != after.units || before.want != after.want && !crowded {
		s.stale = true
	}
	l.unsettled = true
}

func member(set *btree.Map[uint64, *container], c *container, before, after bool) {
	switch {
	case after && !before:
		set.Set(c.rank, c)
	case before && !after:
		set.Delete(c.rank)
	}
}

// fallbackOf returns the container's part of its service's minimum. The parts of
// all members add up to the minimum: equal ones, and one more for those that
// were registered first.
func (s *service) fallbackOf(c *container) int {
	if s.partStale {
		s.partStale = false
		n := s.members.Len()
		s.part = s.rule.Minimum / n
		more := s.rule.Minimum % n
		s.partRank = 0
		s.members.Scan(func(rank uint64, _ *container) bool {
			if more == 0 {
				return false
			}
			more--
			s.partRank = rank
			return true
		})
	}
	if c.rank <= s.partRank {
		return s.part + 1
	}
	return s.part
}
