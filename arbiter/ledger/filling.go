package ledger

import "container/heap"

// filling is a container that gets or loses units one by one. The one with the
// fewest units comes first, of equals the one registered first; to lose them,
// units are negative, and the one registered last comes first.
type filling struct {
	c     *container
	units int
	lacks int
}

type byUnits []filling

func (q byUnits) Len() int { return len(q) }
func (q byUnits) Less(i, j int) bool {
	if q[i].units != q[j].units {
		return q[i].units < q[j].units
	}
	if q[i].units < 0 {
		return q[i].c.rank > q[j].c.rank
	}
	return q[i].c.rank < q[j].c.rank
}
func (q byUnits) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *byUnits) Push(x any)   { *q = append(*q, x.(filling)) }
func (q *byUnits) Pop() any {
	old := *q
	f := old[len(old)-1]
	*q = old[:len(old)-1]
	return f
}

// fill gives out units one by one, each to the first in the queue, and tells what
// came of every container: first of those that lack nothing any more, which leave
// the queue, then of the others.
func (q *byUnits) fill(units int, settled func(filling)) {
	heap.Init(q)
	for ; units > 0; units-- {
		top := &(*q)[0]
		top.units++
		top.lacks--
		if top.lacks == 0 {
			f := *top
			heap.Pop(q)
			settled(f)
		} else {
			heap.Fix(q, 0)
		}
	}
	for _, f := range *q {
		settled(f)
	}
}
