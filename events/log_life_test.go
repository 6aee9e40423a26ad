package events_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// beforeLoad is a hook that does something before a script is loaded: what
// happens while an arbiter is slow between its election and the next call.
type beforeLoad func()

func (h beforeLoad) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h beforeLoad) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "script" {
			h()
		}
		return next(ctx, cmd)
	}
}

func (h beforeLoad) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// An arbiter wins, and is slow to load its script. Meanwhile its lease runs out,
// another one leads and commits, and Redis loses just that: the process into which
// the first one loads its script is not the one of its election.
func TestScriptLoadedIntoAnotherLife(t *testing.T) {
	server := servertest.NeedRedis(t)
	s := connect(t, server.URL())
	first := s.open(t)
	standing := win(t, first, "first")
	must(t, first.Commit(t.Context(), standing, batch(standing, 3)))
	s.tell("DEL", s.keys.Leader)

	calls, err := events.OpenRedis(s.url, 2)
	must(t, err)
	blocking, err := events.OpenRedis(s.url, 1)
	must(t, err)
	calls.AddHook(beforeLoad(func() {
		s.tell("SAVE") // what Redis has later
		s.tell("DEL", s.keys.Leader)
		other := s.open(t)
		led := win(t, other, "other")
		must(t, other.Commit(t.Context(), led, batch(led, 2)))
		server.Kill()
		must(t, server.Restart(t.Context()))
	}))
	slow := events.NewLog("b", calls, blocking)
	defer slow.Close()
	standing = win(t, slow, "slow")
	if err := slow.Commit(t.Context(), standing, batch(standing, 1)); !errors.Is(err, events.ErrFenced) {
		t.Errorf("it commits on a server that lost records: %v", err)
	}
	if _, err := slow.Extend(t.Context(), standing, lease, 0); !errors.Is(err, events.ErrFenced) {
		t.Errorf("it keeps its lease on a server that lost records: %v", err)
	}
}

// A master is demoted, follows the replica that was promoted too early, and is
// promoted again. Its process never ended and knows an old leader's script, but has
// lost the records of the leader after it.
func TestDemotedAndPromotedAgain(t *testing.T) {
	server := servertest.NeedRedis(t)
	replica := servertest.NeedRedis(t, servertest.RedisOptions{ReplicaOf: server})
	master, other := connect(t, server.URL()), connect(t, replica.URL())
	log := master.open(t)
	standing := win(t, log, "early")
	must(t, log.Commit(t.Context(), standing, batch(standing, 3)))
	master.tell("DEL", master.keys.Leader)
	old := win(t, log, "old")
	pending := batch(old, 1)
	master.tell("WAIT", "1", "5000")
	other.tell("REPLICAOF", "NO", "ONE")

	master.tell("DEL", master.keys.Leader)
	next := win(t, log, "next")
	must(t, log.Commit(t.Context(), next, batch(next, 2)))
	host, port, err := net.SplitHostPort(replica.Addr())
	must(t, err)
	master.tell("REPLICAOF", host, port)
	synchronised(t, master)
	master.tell("REPLICAOF", "NO", "ONE")

	if err := log.Commit(t.Context(), old, pending); !errors.Is(err, events.ErrFenced) {
		t.Errorf("an old leader commits over lost records: %v", err)
	}
	master.tell("DEL", master.keys.Leader)
	if s := win(t, log, "last"); !s.Begun {
		t.Error("the history goes on although records of it were lost")
	}
}

// synchronised waits until the server follows its master.
func synchronised(t *testing.T, s server) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(s.rdb.Info(t.Context(), "replication").Val(), "master_link_status:up") {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the server does not follow its master")
		}
	}
}
