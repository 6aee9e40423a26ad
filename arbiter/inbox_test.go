package arbiter_test

import (
	"sync"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

func TestInboxIsTrimmed(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 3, 0)
	for range 1000 {
		c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	}
	c.answer()
	// Redis trims by whole nodes of 100 entries.
	if n := r.rdb.XLen(t.Context(), keys.Intents).Val(); n > 200 {
		t.Errorf("%d of 1001 entries are still there", n)
	}
}

// While nobody led, somebody trimmed what was not read yet.
func TestForeignTrimmingIsNoticed(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	n.stop()
	for range 10 {
		c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	}
	r.do("XTRIM", keys.Intents, "MAXLEN", "3")
	next := start(t, r.url, "b").leads(t)
	c.answer()
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	c.answer()
	if got := next.log.count("somebody else removed entries from the inbox"); got != 1 {
		t.Errorf("it was said %d times", got)
	}
}

// While the leader was slow, somebody removed what it had not read yet.
func TestForeignDeletingIsNoticed(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	extended := make(chan struct{}, 100)
	count := func(call string, err error) error {
		if call == "extend" {
			extended <- struct{}{}
		}
		return err
	}
	n.tap.set(nil, count)
	<-extended // the tally has begun
	<-extended
	reading := make(chan struct{})
	hold := make(chan struct{})
	var once sync.Once
	n.tap.set(func(call string) error {
		if call == "read intents" {
			once.Do(func() { close(reading); <-hold })
		}
		return nil
	}, count)
	<-reading
	for range 3 {
		c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	}
	r.do("XTRIM", keys.Intents, "MAXLEN", "1")
	close(hold)
	c.answer()
	until(t, "the loss is noticed", func() bool {
		return n.log.count("somebody else removed entries from the inbox: intents may be lost") == 1
	})
	n.tap.set(nil, nil)
	n.stop()
	r.audit()
}

// Somebody took the greatest id that there is, after which Redis lets nobody
// append to the inbox any more. The leader begins a new one.
func TestExhaustedInbox(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	const greatest = "18446744073709551615-18446744073709551615"
	r.do("XADD", keys.Intents, greatest, "i", "x")
	in := events.Intent{Kind: events.Request, Container: "c", Counter: 2, Demand: events.Demand{Want: 5, Ceiling: 3}}
	c.counter = 2
	until(t, "intents can be sent again", func() bool { return c.post.Send(t.Context(), events.EncodeIntent(&in)) == nil })
	if g := c.answer(); g.Units != 5 || g.Epoch != 1 {
		t.Errorf("%d units in epoch %d", g.Units, g.Epoch)
	}
	n.stop()
	r.audit()
}
