package audit

// maxPoints is how many points a timeline has at most. When the time that it covers
// grows beyond them, two become one.
const maxPoints = 240

// A grid divides time into steps of equal width, which double as time goes on, so
// that its memory is bounded however long a history is. Times are milliseconds.
type grid struct {
	origin, width int64
	gauges        []*gauge
}

// A gauge is a whole number that changes, summed up by the steps of its grid.
type gauge struct {
	value int
	since int64   // up to when the sums are made
	area  []int64 // value times milliseconds
	peak  []int
	last  []int
}

func newGrid(origin int64) *grid { return &grid{origin: origin, width: 1} }

// gauge adds a gauge that is 0 before now.
func (g *grid) gauge(now int64) *gauge {
	x := &gauge{since: now}
	g.gauges = append(g.gauges, x)
	return x
}

// step is the index of the step that a time is in. It makes the steps wider if
// there would be too many.
func (g *grid) step(at int64) int {
	for (at-g.origin)/g.width >= maxPoints {
		g.width *= 2
		for _, x := range g.gauges {
			x.halve()
		}
	}
	return int((at - g.origin) / g.width)
}

// set changes a gauge's value at a time that is not before the last one.
func (g *grid) set(x *gauge, value int, at int64) {
	if x.value == value && len(x.peak) > 0 {
		return
	}
	g.advance(x, at)
	x.value = value
	i := g.step(at)
	x.reach(i)
	x.peak[i], x.last[i] = max(x.peak[i], value), value
}

// advance sums up until a time.
func (g *grid) advance(x *gauge, until int64) {
	g.step(until)
	for x.since < until {
		i := g.step(x.since)
		end := min(until, g.origin+int64(i+1)*g.width)
		x.reach(i)
		x.area[i] += int64(x.value) * (end - x.since)
		x.peak[i], x.last[i] = max(x.peak[i], x.value), x.value
		x.since = end
	}
}

// reach makes sure that there is a step.
func (x *gauge) reach(i int) {
	for len(x.area) <= i {
		x.area, x.peak, x.last = append(x.area, 0), append(x.peak, 0), append(x.last, 0)
	}
}

// halve makes one step of two.
func (x *gauge) halve() {
	n := (len(x.area) + 1) / 2
	for i := range n {
		a, b := 2*i, min(2*i+1, len(x.area)-1)
		area := x.area[a]
		if b > a {
			area += x.area[b]
		}
		x.area[i], x.peak[i], x.last[i] = area, max(x.peak[a], x.peak[b]), x.last[b]
	}
	x.area, x.peak, x.last = x.area[:n], x.peak[:n], x.last[:n]
}
