package ledger

import "github.com/tidwall/btree"

// target applies the rule: it sets every service's target, the level at which
// that lies on its containers, and what the containers lack or have above it.
func (l *Ledger) target(available int) {
	claims := l.scratch.claims[:0]
	for _, s := range l.services {
		most := s.want
		if s.rule.Maximum > 0 {
			most = min(most, s.rule.Maximum)
		}
		claims = append(claims, claim{priority: s.rule.Priority, minimum: s.rule.Minimum, most: most})
	}
	award(max(0, available), claims)
	for i, s := range l.services {
		if s.stale || s.target != claims[i].got {
			s.target = claims[i].got
			l.settle(s)
		}
	}
	l.scratch.claims = claims
}

// settle finds the level of one service.
func (l *Ledger) settle(s *service) {
	s.stale = false
	if s.active.Len() >= s.target {
		s.level = water{rank: nth(&s.active, s.target, func(*container) bool { return true })}
	} else {
		wants := l.scratch.wants[:0]
		s.active.Scan(func(_ uint64, c *container) bool {
			wants = append(wants, c.want)
			return true
		})
		l.scratch.wants = wants
		if n := s.target + 2; len(l.scratch.counts) < n {
			l.scratch.counts = make([]int, n)
		}
		level, more := fill(s.target, wants, l.scratch.counts)
		s.level = water{level, nth(&s.active, more, func(c *container) bool { return c.want > level })}
	}
	s.excess = 0
	s.holders.Scan(func(_ uint64, c *container) bool {
		s.excess += max(0, c.units-s.level.target(c.want, c.rank))
		return true
	})
	s.need = s.excess + s.target - s.units
}

// nth returns the rank of the n-th container that qualifies; 0 for n = 0.
func nth(set *btree.Map[uint64, *container], n int, qualifies func(*container) bool) (rank uint64) {
	if n == 0 {
		return 0
	}
	set.Scan(func(r uint64, c *container) bool {
		if qualifies(c) {
			n--
			rank = r
		}
		return n > 0
	})
	return rank
}
