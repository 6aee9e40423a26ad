package ledger

import "container/heap"

// deadlines is a queue of containers by deadline. A renewal, which happens all
// the time, only moves a container's deadline back and leaves its place in the
// queue; the queue finds out when the place comes up.
type deadlines []place

type place struct {
	at int64
	c  *container
}

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].at < d[j].at }
func (d deadlines) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deadlines) Push(x any)        { *d = append(*d, x.(place)) }
func (d *deadlines) Pop() any {
	old := *d
	p := old[len(old)-1]
	old[len(old)-1] = place{}
	*d = old[:len(old)-1]
	return p
}

// gone is the deadline of a container that is no longer in the ledger.
const gone = -1

// set gives the container a deadline.
func (d *deadlines) set(c *container, at int64) {
	c.deadline = at
	if c.queued == 0 || at < c.queued {
		c.queued = at
		heap.Push(d, place{at, c})
	}
}

// next returns the earliest deadline, and false when there is none.
func (d *deadlines) next() (place, bool) {
	for len(*d) > 0 {
		p := (*d)[0]
		switch {
		case p.c.deadline == gone || p.at != p.c.queued:
			heap.Pop(d)
		case p.c.deadline > p.at:
			p.c.queued = p.c.deadline
			(*d)[0].at = p.c.deadline
			heap.Fix(d, 0)
		default:
			return p, true
		}
	}
	return place{}, false
}

// pop removes the earliest deadline if it is due.
func (d *deadlines) pop(now int64) (*container, bool) {
	p, ok := d.next()
	if !ok || p.at > now {
		return nil, false
	}
	heap.Pop(d)
	p.c.queued = 0
	return p.c, true
}
