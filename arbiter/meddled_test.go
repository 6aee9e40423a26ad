package arbiter_test

import (
	"strings"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// These tests meddle with what lies in Redis, or with what the arbiter may do
// there.

// A Redis user that may not publish, as Redis makes new ones: every grant still
// reaches its mailbox.
func TestNoRightToPublish(t *testing.T) {
	server := servertest.NeedRedis(t)
	r := newRig(t, server.URL())
	r.do("ACL", "SETUSER", "arbiter", "on", ">pw", "~*", "+@all", "resetchannels")
	start(t, strings.Replace(server.URL(), "redis://", "redis://arbiter:pw@", 1), "a").leads(t)
	x := r.container("x")
	x.register("scraper", 54, 0) // all there is
	first := x.answer()
	y := r.container("y")
	y.register("api", 20, 0)
	y.answer()
	x.await("the recall", func(g *events.Grant) bool { return g.Sequence > first.Sequence && g.Units < 54 })
	r.audit()
}

// Somebody used an id of the far future, and removed the inbox: new ids lie below
// the cursor.
func TestInboxBelowTheCursor(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	r.do("XADD", keys.Intents, "9999999999999-0", "i", "x") // the year 2286
	until(t, "it is taken", func() bool { return n.State().Refused == 1 })
	r.do("DEL", keys.Intents)
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	until(t, "the inbox begins anew", func() bool {
		return n.log.count("begins anew") == 1 && r.rdb.Exists(t.Context(), keys.Intents).Val() == 0
	})
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}}) // as it does without an answer
	c.answer()
	n.stop()
	start(t, r.url, "b").leads(t)
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	c.answer()
	r.audit()
}

// Somebody wrote over the cursor, from which nobody can read on.
func TestCursorThatIsNone(t *testing.T) {
	for _, cursor := range []string{"", "x", "7", "+", "18446744073709551616-0"} {
		t.Run(cursor, func(t *testing.T) {
			r := newRig(t, servertest.SharedRedis(t).URL())
			n := start(t, r.url, "a").leads(t)
			c := r.container("c")
			c.register("api", 3, 0)
			before := c.answer()
			r.do("HSET", keys.Head, "cursor", cursor)
			c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
			until(t, "the inbox begins anew", func() bool {
				return n.log.count("begins anew") == 1 && r.rdb.HGet(t.Context(), keys.Head, "cursor").Val() == events.NoCursor
			})
			c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}}) // as it does without an answer
			if g := c.answer(); g.Incarnation != before.Incarnation || g.Units != 3 {
				t.Errorf("%+v after %+v", g, before)
			}
			n.stop()
			r.audit()
		})
	}
}

// The snapshot's key holds something else than a string.
func TestSnapshotOfAnotherType(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	before := r.past()
	r.do("DEL", keys.Snap)
	r.do("RPUSH", keys.Snap, "x")
	r.continues(before)
}

// Somebody made the leader's key last for ever, and the leader dies.
func TestLeaderKeyWithoutExpiry(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	a, b := start(t, r.url, "a"), start(t, r.url, "b")
	leader := leaderOf(t, a, b)
	other := a
	if leader == a {
		other = b
	}
	until(t, "it follows", func() bool { return other.State().CaughtUp })
	leader.kill()
	r.do("PERSIST", keys.Leader)
	other.leads(t)
}

// The first thing in the inbox has the greatest possible id: after it nobody could
// append any more, and the cursor stands before all ids.
func TestExhaustedAtOnce(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	until(t, "it has begun", func() bool { return n.State().Sequence > 0 })
	r.do("XADD", keys.Intents, "18446744073709551615-18446744073709551615", "i", "x")
	c := r.container("c")
	until(t, "somebody can append again", func() bool { return r.rdb.Exists(t.Context(), keys.Intents).Val() == 0 })
	c.register("api", 3, 0)
	c.answer()
	if refused := n.State().Refused; refused != 1 {
		t.Errorf("%d entries were refused", refused)
	}
	r.audit()
}
