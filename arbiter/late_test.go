package arbiter_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// delay has the arbiter's next call of that name be held on the wire, and closes
// the channel when it was sent.
func (n *node) delay(w *wire, call string) (sent chan struct{}) {
	sent = make(chan struct{})
	var once sync.Once
	n.tap.set(func(name string) error {
		if name == call {
			once.Do(func() { w.hold(); close(sent) })
		}
		return nil
	}, nil)
	return sent
}

// scripts returns how many scripts Redis was asked to run.
func (r *rig) scripts() (n int) {
	r.t.Helper()
	info, err := r.rdb.Info(r.t.Context(), "commandstats").Result()
	must(r.t, err)
	for line := range strings.Lines(info) {
		var calls int
		if _, err := fmt.Sscanf(line, "cmdstat_evalsha:calls=%d,", &calls); err == nil {
			n += calls
		}
	}
	return n
}

// A commit arrives after its leader gave up waiting and another has begun. It is
// refused where it arrives: nobody is there to hear the reply.
func TestCommitArrivesInTheNextLeadership(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	w := newWire(t, r.url)
	late := start(t, w.url, "late").leads(t)
	next := start(t, r.url, "next")
	c := r.container("c")
	c.register("api", 5, 0)
	c.answer()
	until(t, "the other follows", func() bool { return next.State().Sequence == late.State().Sequence })

	sent := late.delay(w, "commit")
	c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 7, Ceiling: 5}})
	<-sent
	next.leads(t)
	if g := c.answer(); g.Epoch != next.State().Epoch {
		t.Errorf("the grant is of epoch %d", g.Epoch)
	}
	until(t, "the late one knows", func() bool { return !late.State().Leading })
	before := r.scripts()
	w.release()
	until(t, "the late commit has arrived", func() bool { return r.scripts() > before })
	c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 8, Ceiling: 7}})
	c.answer()
	late.stop()
	next.stop()
	r.audit()
}

// A commit arrives after its leader has sent it again, and others behind it.
func TestCommitArrivesTwice(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	w := newWire(t, r.url)
	n := start(t, w.url, "n").leads(t)
	c := r.container("c")
	c.register("api", 5, 0)
	c.answer()
	sent := n.delay(w, "commit")
	for want := range 5 {
		c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 7 + want, Ceiling: 5}})
		c.answer()
	}
	<-sent
	before := c.answer()
	w.release()
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 11, Ceiling: 11}})
	if g := c.answer(); g.Epoch != before.Epoch || g.Units != before.Units {
		t.Errorf("after it: %+v, before: %+v", g, before)
	}
	n.stop()
	r.audit()
}

// A campaign arrives when its arbiter has long won with another one: it takes the
// leadership from itself, and wins it again.
func TestCampaignArrivesTwice(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	w := newWire(t, r.url)
	first := start(t, r.url, "first").leads(t)
	n := start(t, w.url, "n")
	until(t, "it follows", func() bool { return n.State().CaughtUp })
	<-n.delay(w, "campaign")
	first.kill()
	n.leads(t)
	c := r.container("c")
	c.register("api", 5, 0)
	before := c.answer()
	w.release()
	until(t, "the late campaign has won", func() bool { return r.rdb.HGet(t.Context(), keys.Head, "epoch").Val() > fmt.Sprint(before.Epoch) })
	for range 3 {
		c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 5, Ceiling: 5}})
		if g := c.answer(); g.Incarnation != before.Incarnation || g.Units != 5 {
			t.Errorf("the container has %+v", g)
		}
	}
	n.stop()
	r.audit()
}
