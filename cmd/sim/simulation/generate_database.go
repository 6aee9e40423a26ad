package simulation

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// What happens to the database, and to the signs of life of containers: most of it
// lasts about as long as it takes until somebody is taken for silent.
var sights = []habit{
	{Strangers, 8, time.Second, 20 * time.Second, upTo(25)},
	{Away, 2, 50 * time.Millisecond, 6 * time.Second, nil},
	{Blind, 2, 500 * time.Millisecond, 15 * time.Second, nil},
	{Dim, 4, time.Second, 15 * time.Second, upTo(4000)},
	{Die, 4, time.Second, 20 * time.Second, nil},
	{Cut, 5, 500 * time.Millisecond, 6 * time.Second, nil},
	{CutTo, 4, 500 * time.Millisecond, 6 * time.Second, nil},
	{CutBack, 4, 500 * time.Millisecond, 6 * time.Second, nil},
	{Freeze, 5, 300 * time.Millisecond, 6 * time.Second, nil},
	{Freeze, 2, 5 * time.Second, 30 * time.Second, nil},
	{Lossy, 5, time.Second, 10 * time.Second, func(r *rand.Rand) int { return 2 + r.IntN(3) }},
	{Slow, 4, time.Second, 10 * time.Second, upTo(2500)},
	{Unlisten, 2, 0, 0, nil},
	{Kill, 2, 10 * time.Millisecond, 4 * time.Second, nil},
	{Flush, 1, 0, 0, nil},
	{Rollback, 1, 50 * time.Millisecond, 4 * time.Second, upTo(5000)},
}

// kills are what happens in a calm plan.
var kills = []habit{
	{Die, 3, time.Second, 20 * time.Second, nil},
	{Strangers, 1, time.Second, 15 * time.Second, upTo(15)},
}

// slowestBeating is the slowest clock, in thousandths, with which a container's time
// to open connections surely ends before an arbiter takes it for silent. The drift
// margin of a lease may allow for slower ones.
const slowestBeating = 950

// drawDatabase adds a database that can be seen to a plan.
func drawDatabase(r *rand.Rand, p *Plan) {
	most := 0
	for _, q := range p.Policies {
		most = max(most, q.Limit)
	}
	d := &Database{Usable: most + []int{-3, -3, 0, 5, -10}[r.IntN(5)], Fence: one(r, 2), Headroom: r.IntN(4)}
	if one(r, 3) {
		d.External = r.IntN(5)
	}
	if one(r, 8) {
		d.Bound = 5 + r.IntN(most)
	}
	d.Usable = max(d.Usable, 10)
	p.Database = d
	quiet := one(r, 6)
	mixed := !quiet && one(r, 5)
	for i := range p.Arbiters {
		p.Arbiters[i].Looks = !mixed || one(r, 2)
	}
	for i := range p.Containers {
		m := &p.Containers[i]
		m.Lazy = one(r, 2)
		if m.Rate >= slowest(p) { // else it is one that the judge excuses
			m.Rate = max(m.Rate, slowestBeating)
		}
	}
	if quiet {
		p.Deeds = slices.DeleteFunc(p.Deeds, func(d Deed) bool { return d.Act != Want && d.Act != Leave })
		p.Deeds = append(p.Deeds, drawEvery(r, p, kills, calm, between(r, time.Second, 10*time.Second))...)
	} else {
		kinds := slices.Clone(sights)
		r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		kinds = kinds[:2+r.IntN(7)]
		if one(r, 2) { // nothing but that
			p.Deeds = slices.DeleteFunc(p.Deeds, func(d Deed) bool { return d.Act != Want && d.Act != Leave })
		}
		p.Deeds = append(p.Deeds, drawEvery(r, p, kinds, calm, between(r, 300*time.Millisecond, 5*time.Second))...)
	}
	slices.SortStableFunc(p.Deeds, func(a, b Deed) int { return cmp.Compare(a.At, b.At) })
}
