package arbiter_test

import (
	"strings"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A commit was applied and its reply lost: the leader commits the same batch
// again, and stays the leader.
func TestLostReply(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	lost := 0
	n.tap.set(nil, func(call string, err error) error {
		if call == "commit" && lost < 3 {
			lost++
			return errDead
		}
		return err
	})
	c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 9, Ceiling: 3}})
	c.answer()
	until(t, "the leader is out of trouble", func() bool { return n.log.count("working again") == 1 })
	if got := n.State().Epoch; got != 1 {
		t.Errorf("the leadership was lost: epoch %d", got)
	}
	if n.log.count("does not answer as it should") != 1 {
		t.Error("trouble is to be logged once")
	}
	n.stop()
	r.audit()
}

// Another program wrote to the history. Nothing of the batch is applied, and the
// arbiters begin a new incarnation by themselves.
func TestForeignRecord(t *testing.T) {
	t.Run("now", func(t *testing.T) { foreignRecord(t, "*") })
	t.Run("between two records", func(t *testing.T) { foreignRecord(t, "5-7") })
}

func foreignRecord(t *testing.T, id string) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	a, b := start(t, r.url, "a"), start(t, r.url, "b")
	leader := leaderOf(t, a, b)
	first := leader.State()
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	r.do("XADD", keys.Grants, id, "foreign", "entry")
	written := len(r.raw())
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	until(t, "a new incarnation", func() bool {
		s := leaderOf(t, a, b).State()
		return s.Incarnation != first.Incarnation && s.Epoch > first.Epoch && s.Sequence > 0
	})
	if !strings.Contains(leader.log.String(), events.ErrDiverged.Error()) {
		t.Error("the leader does not say why it lost its leadership")
	}
	// What the batch would have added is in the new incarnation alone.
	for _, m := range r.raw()[written:] {
		rec, err := events.DecodeRecord([]byte(m.Values["r"].(string)))
		must(t, err)
		if rec.Incarnation == first.Incarnation {
			t.Errorf("record %d of the former incarnation follows the foreign entry", rec.Sequence)
		}
	}
	// Both follow what is there now, and either can go on.
	leader = leaderOf(t, a, b)
	leader.stop()
	other := a
	if leader == a {
		other = b
	}
	other.leads(t).stop()
	// Not even one that knows nothing and has no snapshot is put off.
	r.do("DEL", keys.Snap)
	start(t, r.url, "c").leads(t)
}

// The commit script is gone from a server that did not restart: the leadership
// ends, and the next one continues the same history.
func TestScriptFlush(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 3, 0)
	before := c.answer() // the history has begun
	r.do("SCRIPT", "FLUSH")
	c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
	if g := c.answer(); g.Epoch != before.Epoch+1 || g.Incarnation != before.Incarnation {
		t.Errorf("epoch %d of incarnation %d follows epoch %d of %d", g.Epoch, g.Incarnation, before.Epoch, before.Incarnation)
	}
	n.stop()
	r.audit()
}

func TestRestartedRedis(t *testing.T) {
	for _, c := range []struct {
		name  string
		empty bool
	}{{"with its data", false}, {"without its data", true}} {
		t.Run(c.name, func(t *testing.T) {
			server := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
			r := newRig(t, server.URL())
			nodes := []*node{start(t, r.url, "a"), start(t, r.url, "b")}
			leaderOf(t, nodes...)
			box := r.container("c")
			box.register("api", 3, 0)
			box.answer()
			seen := map[[2]uint64]bool{}
			last := events.Grant{}
			note := func(g *events.Grant) {
				last = *g
				seen[[2]uint64{g.Incarnation, g.Epoch}] = true
			}
			note(box.answer())
			if first := own(r.audit(), events.Begin); len(first) != 1 || first[0].Barrier != 0 {
				t.Errorf("a fresh first start begins with %+v", first)
			}
			for range 3 {
				server.Kill()
				if c.empty {
					must(t, server.RestartEmpty(t.Context()))
				} else {
					must(t, server.Restart(t.Context()))
				}
				// Whoever is not answered says it again: the inbox may be lost.
				former := last
				until(t, "a grant of a new incarnation", func() bool {
					box.counter++
					in := events.Intent{Kind: events.Register, Container: "c", Counter: box.counter, Introduce: events.Introduce{Service: "api"}, Demand: events.Demand{Want: 3, Ceiling: 3}}
					if box.post.Send(t.Context(), events.EncodeIntent(&in)) != nil {
						return false
					}
					look, err := box.post.Look(t.Context())
					if err != nil || look.Grant == nil || look.Grant.Incarnation != look.Incarnation || look.Incarnation == former.Incarnation {
						return false
					}
					last = *look.Grant
					return true
				})
				if !c.empty && last.Epoch <= former.Epoch {
					t.Errorf("epoch %d after epoch %d", last.Epoch, former.Epoch)
				}
				if key := [2]uint64{last.Incarnation, last.Epoch}; seen[key] {
					t.Errorf("epoch %d of incarnation %d was issued twice", last.Epoch, last.Incarnation)
				}
				note(&last)
				if last.Units != 3 {
					t.Errorf("the container said that it holds 3, and has %d", last.Units)
				}
			}
			begins := own(r.audit(), events.Begin)
			if last := begins[len(begins)-1]; last.Barrier != policy().TTL {
				t.Errorf("the barrier after a loss is %v: fresh counts for the first start alone", last.Barrier)
			}
			if want := map[bool]int{false: 4, true: 1}[c.empty]; len(begins) != want {
				t.Errorf("%d incarnations in the history, want %d", len(begins), want)
			}
		})
	}
}

// While Redis hangs nobody decides, and it is said once. Then it goes on.
func TestHangingRedis(t *testing.T) {
	server := servertest.NeedRedis(t)
	r := newRig(t, server.URL())
	n := start(t, r.url, "a").leads(t)
	must(t, server.Pause())
	until(t, "the trouble is logged", func() bool { return n.log.count("does not answer as it should") == 1 })
	until(t, "it is tried again", func() bool { return n.log.count("still in trouble") > 0 })
	must(t, server.Resume())
	until(t, "the trouble is over", func() bool { return n.log.count("working again") == 1 })
	c := r.container("c")
	c.register("api", 3, 0)
	c.answer()
	n.stop()
	r.audit()
}
