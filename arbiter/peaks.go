package arbiter

import "time"

// peaks remember the largest number of the last while.
type peaks []peak

type peak struct {
	n  int
	at time.Time
}

// most takes a number and returns the largest one of the last while.
func (p *peaks) most(now time.Time, while time.Duration, n int) int {
	kept := (*p)[:0]
	for _, q := range *p { // descending, so that only as many are kept as can ever be the largest
		if q.n > n && now.Sub(q.at) < while {
			kept = append(kept, q)
		}
	}
	*p = append(kept, peak{n, now})
	return (*p)[0].n
}
