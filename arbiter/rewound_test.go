package arbiter_test

import (
	"testing"
	"time"

	"github.com/conncord/conncord/events/servertest"
)

// A replica that comes to a server changes the server's replication id, not its
// data: the next leader goes on with the same history.
func TestAReplicaThatComesIsNoLoss(t *testing.T) {
	server := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
	r := newRig(t, server.URL())
	a := start(t, r.url, "a").leads(t)
	before := a.State()
	servertest.NeedRedis(t, servertest.RedisOptions{ReplicaOf: server})
	a.stop()
	b := start(t, r.url, "b").leads(t)
	if got := b.State(); got.Incarnation != before.Incarnation {
		t.Errorf("incarnation %x follows %x although nothing was lost", got.Incarnation, before.Incarnation)
	}
}

// A standby that has read more than there is since Redis forgot everything is as
// ready as any: it takes over with the next epoch, and has no reason to say that
// it cannot lead.
func TestAStandbyAheadOfANewHistoryTakesOver(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	a, b := start(t, r.url, "a"), start(t, r.url, "b")
	leader := leaderOf(t, a, b)
	for _, id := range []string{"c1", "c2", "c3", "c4", "c5", "c6"} {
		c := r.container(id)
		c.register("api", 3, 0)
		c.answer()
	}
	standby := a
	if leader == a {
		standby = b
	}
	until(t, "the standby has read it", func() bool { return standby.State().Sequence == leader.State().Sequence })
	first := leader.State().Incarnation
	standby.tap.set(func(call string) error { // so that the same one leads again
		if call == "campaign" {
			return errDead
		}
		return nil
	}, nil)
	r.do("FLUSHALL")
	until(t, "a new incarnation", func() bool { return leader.State().Leading && leader.State().Incarnation != first })
	standby.tap.set(nil, nil)
	until(t, "the standby follows", func() bool {
		l, s := leader.State(), standby.State()
		return s.Incarnation == l.Incarnation && s.Sequence == l.Sequence
	})
	epoch := leader.State().Epoch
	leader.kill()
	began := time.Now()
	standby.leads(t)
	if got := standby.State().Epoch; got != epoch+1 {
		t.Errorf("epoch %d follows epoch %d, after %v", got, epoch, time.Since(began).Round(time.Millisecond))
	}
	if standby.log.count("will not lead") > 0 {
		t.Error("the standby says that it will not lead")
	}
}
