package events_test

import (
	"context"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) { servertest.Main(leakcheck.Wrap(m)) }

// A server is a Redis under test.
type server struct {
	url  string
	rdb  *redis.Client // for what nobody does in real life
	keys events.Keys
	tell func(...string) // sends the server a command that must succeed
}

// onEach runs a test against the real Redis and against miniredis, which the
// arbiter offers for trying it out: the scripts must do the same on both.
func onEach(t *testing.T, test func(t *testing.T, s server)) {
	t.Run("redis-server", func(t *testing.T) {
		test(t, connect(t, servertest.SharedRedis(t).URL()))
	})
	t.Run("miniredis", func(t *testing.T) {
		mini := miniredis.NewMiniRedis()
		mini.ClockTTL(true)
		must(t, mini.Start())
		t.Cleanup(mini.Close)
		test(t, connect(t, "redis://"+mini.Addr()))
	})
}

func connect(t *testing.T, url string) server {
	t.Helper()
	rdb, err := events.OpenRedis(url, 4)
	must(t, err)
	t.Cleanup(func() { rdb.Close() })
	return server{url: url, rdb: rdb, keys: events.NewKeys("b"), tell: func(words ...string) {
		t.Helper()
		args := make([]any, len(words))
		for i, w := range words {
			args[i] = w
		}
		must(t, rdb.Do(context.Background(), args...).Err())
	}}
}

func (s server) open(t *testing.T) *events.Log {
	t.Helper()
	log, err := events.OpenLog(s.url, "b")
	must(t, err)
	t.Cleanup(func() { log.Close() })
	return log
}

func (s server) length(t *testing.T, stream string) int {
	t.Helper()
	n, err := s.rdb.XLen(t.Context(), stream).Result()
	must(t, err)
	return int(n)
}

// lease is long enough that no leader loses its lease by being slow.
const lease = 30 * time.Second

// win has the arbiter win.
func win(t *testing.T, log *events.Log, arbiter string) events.Standing {
	t.Helper()
	s, err := log.Campaign(t.Context(), arbiter, lease, 7, false)
	must(t, err)
	if !s.Won {
		t.Fatalf("%s did not win: %s leads for another %v", arbiter, s.Leader, s.Left)
	}
	return s
}

// batch returns n records that continue the history of the standing.
func batch(s events.Standing, n int) *events.Batch {
	b := &events.Batch{BaseSequence: s.Sequence, BaseHash: s.Hash, BaseCursor: s.Cursor, Sequence: s.Sequence + uint64(n), Cursor: s.Cursor}
	hash := s.Hash
	for i := range n {
		rec := events.Record{Sequence: s.Sequence + uint64(i) + 1, Incarnation: s.Incarnation, Epoch: s.Epoch}
		b.Records = append(b.Records, events.EncodeRecord(&rec, hash))
		hash = rec.Hash
	}
	b.Hash = hash
	return b
}

// after is the standing once the batch is committed.
func after(s events.Standing, b *events.Batch) events.Standing {
	s.Sequence, s.Hash, s.Cursor = b.Sequence, b.Hash, b.Cursor
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
