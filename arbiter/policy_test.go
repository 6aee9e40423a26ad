package arbiter_test

import (
	"testing"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A leader that is configured otherwise than the policy in force puts its own in
// force, once; decisions follow it.
func TestPolicyChange(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	with := func(limit int) func(*arbiter.Config) {
		return func(c *arbiter.Config) { c.Policy.Limit, c.Policy.Reserve = limit, limit/10 }
	}
	first := start(t, r.url, "first", with(60)).leads(t)
	c := r.container("c")
	c.register("scraper", 200, 0)
	g := c.answer()
	if g.Units != 54 || g.Want != 60 || g.Reason != events.Capped {
		t.Errorf("of 60 the container has %d, wants %d (%v)", g.Units, g.Want, g.Reason)
	}
	first.stop()

	second := start(t, r.url, "second", with(40)).leads(t)
	g = c.await("a recall", func(g *events.Grant) bool { return g.Units == 36 })
	if g.Charge != 54 {
		t.Errorf("the container is charged %d before it said that the rest is gone", g.Charge)
	}
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 36, Ceiling: 36, Incarnation: g.Incarnation, Seen: g.Sequence}})
	if g = c.answer(); g.Charge != 36 {
		t.Errorf("the container is charged %d", g.Charge)
	}
	second.stop()

	third := start(t, r.url, "third", with(40)).leads(t)
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 36, Ceiling: 36}})
	c.answer()
	third.stop()
	records := r.audit()
	var limits []int
	for _, in := range own(records, events.SetPolicy) {
		limits = append(limits, in.Policy.Limit)
	}
	if len(limits) != 2 || limits[0] != 60 || limits[1] != 40 {
		t.Errorf("limits put in force: %v", limits)
	}
	if n := len(own(records, events.Lead)); n != 3 {
		t.Errorf("%d leaderships", n)
	}
}
