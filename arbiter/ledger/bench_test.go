package ledger

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
)

// crowd is a settled ledger with so many containers that all want more than
// there is, and the means to let them speak.
type crowd struct {
	l     *Ledger
	peers []events.Intent
	step  Step
}

func newCrowd(tb testing.TB, n, limit, want int) *crowd {
	c := &crowd{l: New(1, 0), peers: make([]events.Intent, n)}
	p := defaults(limit)
	p.TTL = 300 * time.Second
	c.apply(tb, &events.Intent{Kind: events.SetPolicy, Policy: p})
	for i := range c.peers {
		c.peers[i] = events.Intent{
			Kind: events.Register, Container: fmt.Sprintf("c%05d-1f2e3d4c", i), Host: fmt.Sprintf("host-%d", i),
			Introduce: events.Introduce{Service: names[i%5]}, Demand: events.Demand{Want: want},
		}
		c.say(tb, i)
	}
	for range 8 {
		for i := range c.peers {
			c.renew(tb, i)
		}
	}
	return c
}

func (c *crowd) apply(tb testing.TB, in *events.Intent) {
	entry := ""
	if !in.Kind.Own() {
		entry = "1-0"
	}
	c.step = c.l.Apply(Input{Epoch: 1, Entry: entry, Intent: events.EncodeIntent(in)})
	if c.step.Record.Refused != 0 {
		tb.Fatal(c.step.Record.Refused)
	}
}

func (c *crowd) say(tb testing.TB, i int) {
	c.peers[i].Counter++
	c.apply(tb, &c.peers[i])
}

func (c *crowd) renew(tb testing.TB, i int) {
	state, _ := c.l.Container(c.peers[i].Container)
	in := &c.peers[i]
	in.Kind, in.Ceiling, in.Held = events.Renew, state.Units, state.Units
	in.Incarnation, in.Seen = 1, state.Written
	c.say(tb, i)
}

// change asks for more or less in turn.
func (c *crowd) change(tb testing.TB, i int) {
	c.peers[i].Want ^= 1
	c.renew(tb, i)
}

// idle stops wanting anything, or begins again.
func (c *crowd) idle(tb testing.TB, i int) {
	if c.peers[i].Want > 0 {
		c.peers[i].Want = 0
	} else {
		c.peers[i].Want = 20
	}
	c.renew(tb, i)
}

// BenchmarkApply measures one intent among 100 and among 10,000 containers in
// turn, because a shared machine's speed drifts, and reports how much dearer
// the larger fleet is.
func BenchmarkApply(b *testing.B) {
	small, large := newCrowd(b, 100, 1000, 20), newCrowd(b, 10_000, 1000, 20)
	for _, c := range []struct {
		name string
		act  func(*crowd, int)
	}{
		{"renew", func(c *crowd, i int) { c.renew(b, i) }},
		{"request", func(c *crowd, i int) { c.change(b, i) }},
		{"idle", func(c *crowd, i int) { c.idle(b, i) }},
		{"mixed", func(c *crowd, i int) {
			if i%10 == 0 {
				c.change(b, i)
			} else {
				c.renew(b, i)
			}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var spent [2]time.Duration
			const burst = 50
			n := 0
			for b.Loop() {
				for k, crowd := range []*crowd{small, large} {
					start := time.Now()
					for i := range burst {
						c.act(crowd, (n*burst+i)*7%len(crowd.peers))
					}
					spent[k] += time.Since(start)
				}
				n++
			}
			per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(n*burst) }
			b.ReportMetric(per(spent[0]), "ns/intent-100")
			b.ReportMetric(per(spent[1]), "ns/intent-10k")
			b.ReportMetric(per(spent[1])/per(spent[0]), "growth")
		})
	}
}

// BenchmarkReallocate measures the dearest step of 100 containers of five
// services that all want more than there is: the limit falls or rises, and every
// lease moves. The part without records and grants is reported beside the whole.
func BenchmarkReallocate(b *testing.B) {
	c := newCrowd(b, 100, 1000, 20)
	limits := [2]events.Policy{defaults(500), defaults(1000)}
	var alone time.Duration
	n := 0
	for b.Loop() {
		l := c.l
		l.setPolicy(limits[n%2])
		start := time.Now()
		l.reallocate()
		alone += time.Since(start)
		c.step = l.step(Input{}, reply{}, true)
		if len(c.step.Grants) < 90 {
			b.Fatalf("only %d leases moved", len(c.step.Grants))
		}
		n++
	}
	b.ReportMetric(float64(alone.Nanoseconds())/float64(n), "ns/reallocation")
}

// BenchmarkContended measures intents that each take one container's units for
// the others, and back.
func BenchmarkContended(b *testing.B) {
	c := newCrowd(b, 100, 200, 20)
	i := 0
	for b.Loop() {
		c.idle(b, i%100)
		i++
	}
}

// BenchmarkMemory reports what one of 10,000 containers takes.
func BenchmarkMemory(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		c := newCrowd(b, 10_000, 1000, 20)
		l := c.l
		c.peers = nil
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/10_000, "B/container")
		runtime.KeepAlive(l)
	}
}
