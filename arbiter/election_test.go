package arbiter_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

func TestOneLeads(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	nodes := []*node{start(t, r.url, "a"), start(t, r.url, "b"), start(t, r.url, "c")}
	leader := leaderOf(t, nodes...)
	until(t, "all know who leads", func() bool {
		for _, n := range nodes {
			if s := n.State(); s.Leader != leader.ID || !s.CaughtUp || s.Sequence == 0 {
				return false
			}
		}
		return true
	})
	leading := 0
	for _, n := range nodes {
		if n.State().Leading {
			leading++
		}
	}
	if leading != 1 {
		t.Errorf("%d arbiters lead", leading)
	}
	for _, n := range nodes {
		n.stop()
	}
	if led := own(r.audit(), events.Lead); led[0].Arbiter != leader.ID {
		t.Errorf("%s leads, the history says %s", leader.ID, led[0].Arbiter)
	}
}

// killed leaders are replaced within their lease, and a little for the standby
// to ask.
func TestKilledLeaderIsReplaced(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	nodes := []*node{start(t, r.url, "a0"), start(t, r.url, "b0")}
	const rounds = 10
	var took []time.Duration
	epoch := uint64(0)
	for i := range rounds {
		leader := leaderOf(t, nodes...)
		if got := leader.State().Epoch; got <= epoch {
			t.Fatalf("epoch %d after epoch %d", got, epoch)
		} else {
			epoch = got
		}
		at := time.Now()
		leader.kill()
		nodes = slices.DeleteFunc(nodes, func(n *node) bool { return n == leader })
		leaderOf(t, nodes...)
		took = append(took, time.Since(at))
		nodes = append(nodes, start(t, r.url, fmt.Sprint("n", i)))
	}
	report(t, "takeover after a kill", took)
	if worst := slices.Max(took); worst > lease+time.Second { // a loaded machine is slow
		t.Errorf("a takeover took %v with a lease of %v", worst, lease)
	}
	for _, n := range nodes {
		n.stop()
	}
	r.audit()
}

// A leader that is told to end hands over: nobody waits for its lease.
func TestHandover(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	long := func(c *arbiter.Config) { c.Lease = 10 * time.Second }
	leader, standby := start(t, r.url, "n0", long).leads(t), start(t, r.url, "n1", long)
	const rounds = 20
	var took []time.Duration
	for i := range rounds {
		until(t, "the standby is ready", func() bool {
			s := standby.State()
			return s.CaughtUp && s.Leader == leader.ID && s.Sequence == leader.State().Sequence
		})
		at := time.Now()
		leader.cancel()
		standby.leads(t)
		took = append(took, time.Since(at))
		leader.stop()
		leader, standby = standby, start(t, r.url, fmt.Sprint("n", i+2), long)
	}
	report(t, "handover", took)
	wantQuick(t, took)
	leader.stop()
	standby.stop()
	records := r.audit()
	if n := len(own(records, events.Resign)); n < rounds {
		t.Errorf("%d resignations in the history", n)
	}
}

// wantQuick checks handovers: the half of them, and on a loaded machine all of
// them within a fraction of the lease.
func wantQuick(t *testing.T, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	if half, worst := took[len(took)/2], took[len(took)-1]; half > 100*time.Millisecond || worst > time.Second {
		t.Errorf("handovers took p50 %v, max %v", half, worst)
	}
}

func report(t *testing.T, what string, took []time.Duration) {
	slices.Sort(took)
	t.Logf("%s: p50 %v, max %v of %d", what, took[len(took)/2].Round(100*time.Microsecond), took[len(took)-1].Round(100*time.Microsecond), len(took))
}

// A leader that does not know that it was replaced is refused, and follows.
func TestStaleLeaderIsFenced(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	stale := start(t, r.url, "stale").leads(t)
	c := r.container("c")
	c.register("api", 5, 0)
	c.answer()

	next := start(t, r.url, "next")
	outcome := make(chan error, 1)
	release := make(chan struct{})
	stale.tap.set(func(call string) error {
		if call == "commit" {
			<-release // as if the process was paused just before
		}
		return nil
	}, func(call string, err error) error {
		if call == "commit" {
			select {
			case outcome <- err:
			default:
			}
		}
		return err
	})
	c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 7, Ceiling: 5}})
	next.leads(t)
	if g := c.answer(); g.Epoch != next.State().Epoch {
		t.Errorf("the grant is of epoch %d", g.Epoch)
	}
	close(release)
	if err := <-outcome; !errors.Is(err, events.ErrFenced) {
		t.Errorf("the stale leader's commit: %v", err)
	}
	until(t, "the stale leader follows", func() bool {
		s := stale.State()
		return !s.Leading && s.Leader == "next" && s.Sequence == next.State().Sequence
	})
	next.stop()
	stale.leads(t).stop()
	r.audit()
}
