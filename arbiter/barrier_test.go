package arbiter_test

import (
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// Redis lost everything. Those who hold connections say so and keep them; those
// who come new get nothing until the last lease of the former history has run
// out.
func TestRecoveryBarrier(t *testing.T) {
	const ttl = 2 * time.Second
	server := servertest.NeedRedis(t)
	r := newRig(t, server.URL())
	short := func(c *arbiter.Config) { c.Policy.TTL, c.Policy.Margin = ttl, ttl/8 }
	start(t, r.url, "a", short).leads(t)
	holder := r.container("holder")
	holder.register("scraper", 10, 0)
	before := holder.answer()
	if before.Units != 10 {
		t.Fatalf("the holder has %d", before.Units)
	}

	server.Kill()
	must(t, server.RestartEmpty(t.Context()))
	until(t, "a new incarnation", func() bool {
		look, err := holder.post.Look(t.Context())
		return err == nil && look.Incarnation != 0 && look.Incarnation != before.Incarnation
	})
	began := time.Now()
	newcomer := r.container("newcomer")
	newcomer.register("api", 5, 0)
	if g := newcomer.answer(); g.Units != 0 || g.Reason != events.Barrier {
		t.Errorf("behind the barrier the newcomer has %d (%v)", g.Units, g.Reason)
	}
	holder.register("scraper", 20, 10)
	if g := holder.answer(); g.Units != 10 || g.Charge != 10 || g.Reason != events.Barrier {
		t.Errorf("the holder has %d, charged %d (%v)", g.Units, g.Charge, g.Reason)
	}
	// Both stay alive until it opens.
	for time.Since(began) < ttl/2 {
		newcomer.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 5}})
		holder.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 20, Ceiling: 10, Held: 10}})
		if g := newcomer.answer(); g.Units != 0 {
			t.Fatalf("the newcomer has %d behind the barrier", g.Units)
		}
	}
	newcomer.await("the barrier opens", func(g *events.Grant) bool { return g.Units == 5 })
	if took := time.Since(began); took < ttl-100*time.Millisecond {
		t.Errorf("the barrier opened after %v", took)
	}
	holder.await("the holder grows", func(g *events.Grant) bool { return g.Units == 20 })
	records := r.audit()
	for _, rec := range records {
		if rec.Ledger < ttl.Milliseconds() && rec.Charged > 10 {
			t.Errorf("record %d: %d charged before the barrier opened", rec.Sequence, rec.Charged)
		}
	}
}

// The next leader has a policy with shorter leases than those that were lost: it
// followed the history that they stood in, and waits for their end.
func TestBarrierOutlastsTheLostLeases(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	long := start(t, r.url, "long").leads(t)
	short := start(t, r.url, "short", func(c *arbiter.Config) { c.Policy.TTL = 5 * time.Second })
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	until(t, "it has read everything", func() bool { return short.State().Sequence == long.State().Sequence })
	long.kill()
	r.do("FLUSHALL")
	short.leads(t)
	until(t, "the history begins", func() bool { return len(r.raw()) > 0 })
	begins := own(r.audit(), events.Begin)
	if got, want := begins[0].Barrier, policy().TTL; len(begins) != 1 || got < want-time.Second || got > want {
		t.Errorf("nobody gains for %v, the lost leases lasted %v", got, want)
	}
}
