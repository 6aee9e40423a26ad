package events_test

import (
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events/servertest"
)

// The process that A began on is demoted, loses a tail in a resynchronisation,
// and is promoted again: it never ended, and knows A's script.
func TestZZFailback(t *testing.T) {
	one, two := servertest.NeedRedis(t, servertest.RedisOptions{}), servertest.NeedRedis(t, servertest.RedisOptions{})
	p1, p2 := connect(t, one.URL()), connect(t, two.URL())
	host := func(u string) (string, string) {
		u = strings.TrimPrefix(u, "redis://")
		u, _, _ = strings.Cut(u, "/")
		a, b, _ := strings.Cut(u, ":")
		return a, b
	}
	up := func(s server) {
		for {
			if strings.Contains(s.rdb.Info(t.Context(), "replication").Val(), "master_link_status:up") {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	p1.tell("CONFIG", "SET", "repl-diskless-sync-delay", "0")
	p2.tell("CONFIG", "SET", "repl-diskless-sync-delay", "0")
	h1, o1 := host(one.URL())
	h2, o2 := host(two.URL())
	p2.tell("REPLICAOF", h1, o1)
	up(p2)
	log := p1.open(t)
	s0 := win(t, log, "z")
	must(t, log.Commit(t.Context(), s0, batch(s0, 3)))
	p1.tell("DEL", p1.keys.Leader)
	sA := win(t, log, "a")
	pending := batch(sA, 1) // A is paused here
	p1.tell("WAIT", "1", "1000")
	p2.tell("REPLICAOF", "NO", "ONE")
	p1.tell("DEL", p1.keys.Leader) // A's lease ran out
	sB := win(t, log, "b")
	bB := batch(sB, 2)
	must(t, log.Commit(t.Context(), sB, bB))
	p1.tell("REPLICAOF", h2, o2)
	up(p1)
	p1.tell("REPLICAOF", "NO", "ONE")
	err := log.Commit(t.Context(), sA, pending)
	t.Logf("B committed up to %d; A then commits %d under epoch %d: %v", bB.Sequence, pending.Sequence, sA.Epoch, err)
	if err == nil {
		t.Error("the loss went unnoticed")
	}
}
