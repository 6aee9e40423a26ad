package arbiter_test

import (
	"fmt"
	"testing"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// Somebody empties Redis' scripts again and again while a container keeps asking:
// each time a leadership ends, and nothing else.
func TestScriptFlushesUnderWay(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	nodes := []*node{start(t, r.url, "a"), start(t, r.url, "b")}
	a := r.asker()
	for range 50 {
		r.do("SCRIPT", "FLUSH")
		a.hears(3)
	}
	sent := a.stop()
	for _, n := range nodes {
		n.stop()
	}
	r.wantOnce(sent)
	if begins := own(r.audit(), events.Begin); len(begins) != 1 {
		t.Errorf("%d incarnations", len(begins))
	}
}

// Redis has no memory left for a while, and refuses what would need some: whole
// scripts, and not what stands in the middle of one.
func TestOutOfMemory(t *testing.T) {
	server := servertest.NeedRedis(t)
	r := newRig(t, server.URL())
	nodes := []*node{start(t, r.url, "a"), start(t, r.url, "b")}
	leader := leaderOf(t, nodes...)
	c := r.container("c")
	c.register("api", 3, 0)
	before := c.answer()
	for i := range 3 {
		said := leader.log.count("does not answer as it should")
		r.do("CONFIG", "SET", "maxmemory", "1")
		until(t, "it is said", func() bool { return leader.log.count("does not answer as it should") > said })
		r.do("CONFIG", "SET", "maxmemory", "0")
		c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 4 + i, Ceiling: 3 + i}})
		if g := c.answer(); g.Units != 4+i || g.Incarnation != before.Incarnation {
			t.Errorf("the container has %+v", g)
		}
		leader = leaderOf(t, nodes...)
	}
	for _, n := range nodes {
		n.stop()
	}
	r.audit()
}

// A budget may have any name that CheckBudget allows. Budgets of one Redis do not
// mix, however alike their names.
func TestBudgetsDoNotMix(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	for i, name := range []string{"-", ".", "..", "_", "a", "A", "a.b", "a-b", "12345678901234567890123456789012"} {
		log, err := events.OpenLog(r.url, name)
		must(t, err)
		t.Cleanup(func() { log.Close() })
		n := start(t, r.url, fmt.Sprint("n", i), func(c *arbiter.Config) { c.Log = log }).leads(t)
		post, err := events.OpenPost(r.url, name, "c")
		must(t, err)
		t.Cleanup(func() { post.Close() })
		in := events.Intent{Kind: events.Register, Container: "c", Counter: 1, Introduce: events.Introduce{Service: "api"}, Demand: events.Demand{Want: i + 1}}
		must(t, post.Send(t.Context(), events.EncodeIntent(&in)))
		until(t, "its own answer", func() bool {
			look, err := post.Look(t.Context())
			return err == nil && look.Grant != nil && look.Grant.Units == i+1
		})
		if s := n.State(); s.Epoch != 1 || s.Containers > 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
