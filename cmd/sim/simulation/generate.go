package simulation

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/conncord/conncord/events"
)

// Generate makes a plan of a seed.
func Generate(seed uint64) *Plan {
	r := dice(seed, "plan")
	p := &Plan{Seed: seed, Length: between(r, 20*time.Second, 90*time.Second), Lease: time.Second}
	if one(r, 3) {
		p.Lease = between(r, events.MinTTL/4, 3*time.Second).Truncate(time.Millisecond)
	}
	for range 1 + r.IntN(4) {
		p.Policies = append(p.Policies, drawPolicy(r))
	}
	fresh := one(r, 2)
	for range 2 + r.IntN(2) {
		c := Candidate{Rate: 1000 + r.IntN(11), Fresh: fresh}
		if one(r, 4) {
			c.Policy = r.IntN(len(p.Policies))
		}
		c.Rules = events.RuleVersion - r.IntN(events.RuleVersion)
		p.Arbiters = append(p.Arbiters, c)
	}
	names := []string{"scraper", "api", "viewer", "monitoring", "external", "reports"}
	for range 2 + r.IntN(9) {
		m := Member{
			Service: names[r.IntN(len(names))], Strict: one(r, 6), Local: r.IntN(4),
			Rate: []int{slowest(p), 1000, 1000, 1030}[r.IntN(4)], Want: r.IntN(31),
		}
		if one(r, 4) {
			m.TTL = between(r, time.Second, 20*time.Second).Truncate(time.Millisecond)
		}
		if one(r, 60) {
			m.Rate = slowest(p) * 9 / 10
		}
		p.Containers = append(p.Containers, m)
	}
	p.Deeds = drawDeeds(r, p)
	if r := dice(seed, "database"); !one(r, 4) {
		drawDatabase(r, p)
	}
	return p
}

func drawPolicy(r *rand.Rand) events.Policy {
	p := events.Policy{
		Rule: events.RuleVersion - r.IntN(events.RuleVersion), Limit: []int{14, 20, 30, 60}[r.IntN(4)],
		TTL:      between(r, 5*time.Second, 20*time.Second).Truncate(time.Millisecond),
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
	p.Margin = between(r, p.TTL/10, p.TTL/5).Truncate(time.Millisecond)
	p.Reserve = (p.Limit + 9) / 10
	if one(r, 4) {
		s := &p.Services[r.IntN(len(p.Services))]
		s.Maximum = s.Minimum + 1 + r.IntN(10)
	}
	return p
}

// slowest is the slowest clock, in thousandths, that the drift margins of all
// the plan's policies cover against the fastest arbiter's.
func slowest(p *Plan) int {
	worst := 0
	for _, a := range p.Arbiters {
		for _, q := range p.Policies {
			need := int((time.Duration(a.Rate)*(q.TTL-q.Margin) + q.TTL - 1) / q.TTL)
			worst = max(worst, need+1)
		}
	}
	return worst
}

// shortestTTL returns the shortest lease duration of the plan's policies.
func shortestTTL(p *Plan) time.Duration {
	least := p.Policies[0].TTL
	for _, q := range p.Policies {
		least = min(least, q.TTL)
	}
	return least
}

// A habit is a kind of deed: how often it happens compared with others, what it
// needs, and for how long and with which number.
type habit struct {
	act    Act
	weight int
	least  time.Duration
	most   time.Duration
	number func(r *rand.Rand) int
}

func upTo(n int) func(*rand.Rand) int { return func(r *rand.Rand) int { return 1 + r.IntN(n) } }

// What happens all the time, and what goes wrong.
var (
	demands = []habit{
		{act: Want, weight: 40, number: func(r *rand.Rand) int { return r.IntN(31) }},
		{Leave, 2, 100 * time.Millisecond, 8 * time.Second, upTo(20)},
	}
	faults = []habit{
		{Die, 3, time.Second, 20 * time.Second, nil},
		{Freeze, 3, 50 * time.Millisecond, 30 * time.Second, nil},
		{CutTo, 2, time.Second, 20 * time.Second, nil},
		{CutBack, 3, time.Second, 20 * time.Second, nil},
		{Cut, 2, time.Second, 30 * time.Second, nil},
		{Slow, 3, time.Second, 20 * time.Second, upTo(4000)},
		{Twice, 2, time.Second, 10 * time.Second, nil},
		{Unlisten, 2, 0, 0, nil},
		{Garbage, 1, 0, 0, upTo(20)},
		{Operator, 1, 0, 0, nil},
		{Restart, 1, 0, 0, nil},

		{Kill, 4, 10 * time.Millisecond, 8 * time.Second, nil},
		{Stop, 2, 10 * time.Millisecond, 4 * time.Second, nil},
		{Pause, 4, 100 * time.Millisecond, 8 * time.Second, nil},
		{Trap, 6, 2 * time.Second, 8 * time.Second, upTo(20 * steps)},
		{Isolate, 2, 100 * time.Millisecond, 10 * time.Second, nil},
		{MuteTo, 2, 100 * time.Millisecond, 10 * time.Second, nil},
		{MuteBack, 2, 100 * time.Millisecond, 10 * time.Second, nil},
		{Lag, 3, time.Second, 10 * time.Second, upTo(2500)},
		{Policy, 5, 10 * time.Millisecond, 2 * time.Second, upTo(3)},

		{Hang, 2, 50 * time.Millisecond, 6 * time.Second, nil},
		{Crash, 2, 50 * time.Millisecond, 6 * time.Second, nil},
		{Rollback, 2, 50 * time.Millisecond, 4 * time.Second, upTo(5000)},
		{Promote, 2, time.Millisecond, 2 * time.Second, upTo(1000)},
		{Demote, 1, time.Millisecond, 2 * time.Second, upTo(1000)},
		{Wipe, 1, 10 * time.Millisecond, 4 * time.Second, nil},
		{Flush, 1, 0, 0, nil},
		{Forget, 1, 0, 0, nil},
		{Outage, 1, 100 * time.Millisecond, 15 * time.Second, nil},
	}
)

// drawDeeds draws what happens. Each plan has its own few kinds of faults, so
// that some run deep into one of them.
func drawDeeds(r *rand.Rand, p *Plan) []Deed {
	kinds := slices.Clone(faults)
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	kinds = kinds[:2+r.IntN(9)]
	deeds := drawEvery(r, p, demands, 0, between(r, 200*time.Millisecond, 3*time.Second))
	deeds = append(deeds, drawEvery(r, p, kinds, calm, between(r, 500*time.Millisecond, 8*time.Second))...)
	slices.SortStableFunc(deeds, func(a, b Deed) int { return cmp.Compare(a.At, b.At) })
	return deeds
}

// calm is for how long nothing goes wrong at first: an arbiter that was told that
// no container holds a connection, and has seen no history yet, believes it.
const calm = 3 * time.Second

func drawEvery(r *rand.Rand, p *Plan, habits []habit, from, every time.Duration) (deeds []Deed) {
	total := 0
	for _, h := range habits {
		total += h.weight
	}
	for at := from + between(r, 0, 2*every); at < p.Length; at += between(r, 0, 2*every) {
		pick := r.IntN(total)
		i := 0
		for ; pick >= habits[i].weight; i++ {
			pick -= habits[i].weight
		}
		h := habits[i]
		d := Deed{At: at.Truncate(time.Microsecond), For: between(r, h.least, h.most).Truncate(time.Microsecond), Act: h.act, Who: r.IntN(12)}
		if h.number != nil {
			d.N = h.number(r)
		}
		deeds = append(deeds, d)
	}
	return deeds
}
