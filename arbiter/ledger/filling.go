package ledger

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
