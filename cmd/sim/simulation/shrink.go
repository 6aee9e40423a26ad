package simulation

import "slices"

// maxTries bounds how often a plan is run to make it smaller.
const maxTries = 1000

// Shrink leaves out of a plan that fails what is not needed for the same check to
// fail, and returns the smaller plan with its result.
func Shrink(plan *Plan) (*Plan, Result) {
	return shrink(plan, func(p *Plan) Result { return Run(p, nil) })
}

func shrink(plan *Plan, run func(*Plan) Result) (*Plan, Result) {
	best, result := plan, run(plan)
	if result.Failure == nil {
		return best, result
	}
	tries := 0
	fails := func(p *Plan) bool {
		if tries++; tries > maxTries {
			return false
		}
		r := run(p)
		if r.Failure == nil || r.Failure.Check != result.Failure.Check {
			return false
		}
		best, result = p, r
		return true
	}
	for again := true; again && tries <= maxTries; {
		again = false
		for size := max(1, len(best.Deeds)/2); size >= 1; size /= 2 {
			for at := len(best.Deeds) - size; at >= 0; at -= size {
				if at+size > len(best.Deeds) {
					continue
				}
				p := *best
				p.Deeds = slices.Delete(slices.Clone(best.Deeds), at, at+size)
				again = fails(&p) || again
			}
		}
		// Containers and arbiters at the end go; the others keep their places.
		for len(best.Containers) > 1 {
			p := *best
			p.Containers = p.Containers[:len(p.Containers)-1]
			if !fails(&p) {
				break
			}
			again = true
		}
		for len(best.Arbiters) > 1 {
			p := *best
			p.Arbiters = p.Arbiters[:len(p.Arbiters)-1]
			if !fails(&p) {
				break
			}
			again = true
		}
		for i := range best.Containers {
			if best.Containers[i].Want == 0 {
				continue
			}
			p := *best
			p.Containers = slices.Clone(p.Containers)
			p.Containers[i].Want = 0
			again = fails(&p) || again
		}
	}
	return best, result
}
