package ledger

import "github.com/conncord/conncord/events"

// The allocation rule, version 1. Integers only.
//
// Every service first gets what it asks for up to its minimum, the most
// important first. Each further unit goes to the service with the largest
// priority/(2·allocated+1) among those that ask for more and may have it; of
// equals to the one with the higher priority, then the earlier name. This is
// Webster's (Sainte-Laguë's) divisor method with the priorities as votes. It
// was chosen because divisor methods are house-monotone: one more unit to share
// out never takes a unit from anybody, which rounding each share on its own and
// the method of largest remainders cannot promise (Balinski and Young, Fair
// Representation, 1982).

// A claim is one service's part in an allocation. Claims are sorted by
// descending priority, then by name.
type claim struct {
	priority int
	minimum  int // up to here it comes before everything above a minimum
	most     int // it gets no more than this
	got      int // what it has; award adds to it
}

// award shares out units among the claims and returns how many nobody wanted.
// What the claims already have counts as if the rule had given it.
func award(units int, claims []claim) int {
	for i := range claims {
		c := &claims[i]
		n := max(0, min(units, min(c.minimum, c.most)-c.got))
		c.got += n
		units -= n
	}
	units = leap(units, claims)
	for units > 0 {
		next := -1
		for i := range claims {
			if claims[i].got < claims[i].most && (next < 0 || before(&claims[i], &claims[next])) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		claims[next].got++
		units--
	}
	return units
}

// before reports whether a's next unit comes before b's, where a stands after b
// in the order of claims, so that equal quotients leave b first.
func before(a, b *claim) bool {
	return a.priority*(2*b.got+1) > b.priority*(2*a.got+1)
}

// leapFrom is the number of units from which leap is worth its search.
const leapFrom = 32

// leapScale is how finely leap divides the quotients. A coarser scale leaves
// more to the loop after it, and changes nothing else.
const leapScale = 1 << 20

// leap awards most of the units at once and returns the rest, which the unit
// by unit loop then awards. It looks for the smallest quotient 1/y at which the
// units with that quotient or a larger one still do not exceed what there is:
// these are just the units that the loop would award first.
func leap(units int, claims []claim) int {
	if units < leapFrom {
		return units
	}
	cost := func(y uint64) int {
		sum := 0
		for i := range claims {
			sum += upTo(&claims[i], y) - claims[i].got
		}
		return sum
	}
	// At 2·MaxUnits+1 even a claim of priority 1 has all that it can want.
	lo, hi := uint64(0), uint64(2*events.MaxUnits+1)*leapScale
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if cost(mid) <= units {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	units -= cost(lo)
	for i := range claims {
		claims[i].got = upTo(&claims[i], lo)
	}
	return units
}

// upTo returns what the claim has when it gets every unit n whose quotient
// priority/(2n+1) is at least leapScale/y.
func upTo(c *claim, y uint64) int {
	n := int((uint64(c.priority)*y/leapScale + 1) / 2)
	return max(c.got, min(n, c.most))
}

// withdraw takes units back, each from the claim that would have got it last,
// down to least (parallel to claims), and returns how many it could not take.
func withdraw(units int, claims []claim, least []int) int {
	for units > 0 {
		last := -1
		for i := range claims {
			if claims[i].got > least[i] && (last < 0 || !earlier(&claims[last], &claims[i])) {
				last = i
			}
		}
		if last < 0 {
			break
		}
		claims[last].got--
		units--
	}
	return units
}

// earlier reports whether b's newest unit was awarded before a's, where b stands
// after a in the order of claims. Units within a minimum come before all others.
func earlier(a, b *claim) bool {
	if am, bm := a.got <= a.minimum, b.got <= b.minimum; am || bm {
		return bm && !am
	}
	return b.priority*(2*a.got-1) > a.priority*(2*b.got-1)
}

// A water level says how the units of a service lie on its containers: each has
// what it wants, but at most level units, and those that want more have one
// more if they were registered no later than rank.
type water struct {
	level int
	rank  uint64
}

// target is what a container that wants this much has at the water level.
func (w water) target(want int, rank uint64) int {
	if want > w.level && rank <= w.rank {
		return w.level + 1
	}
	return min(want, w.level)
}

// fill finds the level at which units lie on wants, whatever their order, and
// how many of those that want more get one more. scratch must hold units+2
// zeros; it is zero again afterwards.
func fill(units int, wants []int, scratch []int) (level, more int) {
	top := units + 1 // nobody gets so much: all that want more are alike
	for _, w := range wants {
		scratch[min(w, top)]++
	}
	above := len(wants) - scratch[0] // how many want more than level
	for above > 0 && units >= above {
		units -= above
		level++
		above -= scratch[level]
	}
	for _, w := range wants {
		scratch[min(w, top)] = 0
	}
	return level, min(units, above)
}
