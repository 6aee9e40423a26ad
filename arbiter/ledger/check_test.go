package ledger

import (
	"fmt"
	"slices"

	"github.com/conncord/conncord/events"
)

// check recomputes from the containers alone everything that the ledger keeps
// beside them, and reports the first difference.
func check(l *Ledger) error {
	var charged, slack, dead, members int
	for _, s := range l.services {
		charge, own, given, n, err := checkService(l, s)
		if err != nil {
			return err
		}
		charged, slack, dead, members = charged+charge, slack+own, dead+given, members+n
	}
	if charged != l.charged || slack != l.slack || dead != l.dead {
		return fmt.Errorf("sums: charged %d slack %d dead %d, want %d %d %d", l.charged, l.slack, l.dead, charged, slack, dead)
	}
	if members != len(l.containers) || members != l.order.Len() {
		return fmt.Errorf("%d members, %d containers, %d in order", members, len(l.containers), l.order.Len())
	}
	over, strange := 0, 0
	l.seen.Scan(func(_ uint64, c *container) bool { over += c.over; return true })
	l.strangers.Scan(func(tag string, conns int) bool {
		strange += conns
		return l.tags[tag] == nil && conns > 0
	})
	if over != l.over || strange != l.strange || l.owing.Len() > len(l.containers) {
		return fmt.Errorf("over %d strange %d, want %d %d", l.over, l.strange, over, strange)
	}
	if !slices.IsSortedFunc(l.services, func(a, b *service) int { return precedes(a.rule, b.rule) }) {
		return fmt.Errorf("services are not sorted")
	}
	for _, rule := range l.policy.Services {
		if !l.has(rule) {
			return fmt.Errorf("service %s is listed and not there", rule.Name)
		}
	}
	if l.unsettled {
		return fmt.Errorf("unsettled after a record")
	}
	return checkTargets(l)
}

func checkService(l *Ledger, s *service) (charge, slack, dead, members int, err error) {
	var want, units, active, holders, queue, wanting, having, waiting int
	s.members.Scan(func(rank uint64, c *container) bool {
		if err = checkContainer(l, s, c); err != nil {
			return false
		}
		members++
		charge += c.charge
		if c.away() {
			dead += c.charge
			return true
		}
		slack += c.charge - c.units
		want, units = want+c.want, units+c.units
		active += one(c.want > 0 && has(&s.active, c))
		holders += one(c.units > 0 && has(&s.holders, c))
		queue += one(c.units < c.want && has(&s.queue, c))
		wanting, having, waiting = wanting+one(c.want > 0), having+one(c.units > 0), waiting+one(c.units < c.want)
		return true
	})
	_, listed := l.policy.Listed(s.rule.Name)
	switch {
	case err != nil:
	case want != s.want || units != s.units:
		err = fmt.Errorf("service %s: want %d units %d, should be %d %d", s.rule.Name, s.want, s.units, want, units)
	case active != wanting || holders != having || queue != waiting,
		active != s.active.Len() || holders != s.holders.Len() || queue != s.queue.Len():
		err = fmt.Errorf("service %s: sets of %d %d %d, should be %d %d %d", s.rule.Name,
			s.active.Len(), s.holders.Len(), s.queue.Len(), wanting, having, waiting)
	case members == 0 && !listed:
		err = fmt.Errorf("service %s is empty and not listed", s.rule.Name)
	}
	return charge, slack, dead, members, err
}

func checkContainer(l *Ledger, s *service, c *container) error {
	switch {
	case l.containers[c.id] != c || c.service != s || c.touched:
		return fmt.Errorf("%s is in disorder", c.id)
	case c.units > c.charge || c.units > c.want || c.units < 0:
		return fmt.Errorf("%s: units %d charge %d want %d", c.id, c.units, c.charge, c.want)
	case c.lost && (c.units != 0 || c.charge == 0):
		return fmt.Errorf("%s is lost with %d units and charge %d", c.id, c.units, c.charge)
	case c.asleep && c.silent == 0 || c.over > c.shown:
		return fmt.Errorf("%s: silent %d asleep %v shown %d over %d", c.id, c.silent, c.asleep, c.shown, c.over)
	case has(&l.owing, c) != (c.charge > 0) || has(&l.seen, c) != (c.shown > 0) || l.tags[c.tag] != c:
		return fmt.Errorf("%s: charge %d shown %d, and not in its sets", c.id, c.charge, c.shown)
	case c.fallback > c.charge || c.fallback > c.bound && !c.lost:
		return fmt.Errorf("%s: fallback %d of charge %d, bound %d", c.id, c.fallback, c.charge, c.bound)
	case c.deadline <= l.now:
		return fmt.Errorf("%s is overdue", c.id)
	}
	if due, ok := l.Next(); !ok || due > c.deadline {
		return fmt.Errorf("%s is due at %d, next is %d", c.id, c.deadline, due)
	}
	return nil
}

func has(set interface {
	Get(uint64) (*container, bool)
}, c *container) bool {
	_, ok := set.Get(c.rank)
	return ok
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// checkTargets compares the targets with those of the oracle.
func checkTargets(l *Ledger) error {
	var claims []claim
	units := l.available() - l.dead
	for _, rule := range l.policy.Services {
		if l.now < l.floorUntil {
			units -= rule.Minimum
		}
	}
	for _, s := range l.services {
		most := s.want
		if s.rule.Maximum > 0 {
			most = min(most, s.rule.Maximum)
		}
		claims = append(claims, claim{priority: s.rule.Priority, minimum: s.rule.Minimum, most: most})
	}
	slowAward(units, claims)
	for i, s := range l.services {
		if s.target != claims[i].got {
			return fmt.Errorf("service %s has target %d, the oracle says %d", s.rule.Name, s.target, claims[i].got)
		}
		var within []claim
		var cs []*container
		s.members.Scan(func(_ uint64, c *container) bool {
			if !c.away() {
				within, cs = append(within, claim{priority: 1, most: c.want}), append(cs, c)
			}
			return true
		})
		slowAward(s.target, within)
		excess, need := 0, 0
		for i, c := range cs {
			if got := s.level.target(c.want, c.rank); got != within[i].got {
				return fmt.Errorf("container %s has target %d, the oracle says %d", c.id, got, within[i].got)
			}
			excess += max(0, c.units-within[i].got)
			need += max(0, within[i].got-c.units)
		}
		if s.excess != excess || s.need != need {
			return fmt.Errorf("service %s: excess %d need %d, should be %d %d", s.rule.Name, s.excess, s.need, excess, need)
		}
	}
	return nil
}

// slowAward is the allocation rule as design and documentation word it, unit by
// unit, in fractions. The claims are in the order that breaks ties.
func slowAward(units int, claims []claim) (left int) {
	for i := range claims {
		for c := &claims[i]; units > 0 && c.got < min(c.most, c.minimum); units-- {
			c.got++
		}
	}
	for ; units > 0; units-- {
		best, over, under := -1, 0, 1 // the largest quotient is over/under
		for i, c := range claims {
			if c.got < c.most && c.priority*under > over*(2*c.got+1) {
				best, over, under = i, c.priority, 2*c.got+1
			}
		}
		if best < 0 {
			break
		}
		claims[best].got++
	}
	return max(0, units)
}

// target returns what the rule gives a container now.
func target(l *Ledger, id string) int {
	c := l.containers[id]
	if c.away() {
		return 0
	}
	return c.service.level.target(c.want, c.rank)
}

// defaults returns the builtin policy on the limit.
func defaults(limit int) events.Policy {
	return events.Policy{
		Rule: 1, Plan: "test", Limit: limit, TTL: events.Millis(10_000), Margin: events.Millis(500),
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
}
