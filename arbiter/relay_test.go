package arbiter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A relay is a row of arbiter processes, of which one leads and one stands by,
// and a container that keeps asking.
type relay struct {
	*rig
	running  map[string]*process
	launched int
	woken    []time.Duration // the yardstick, measured before the end of each leader
}

func newRelay(tb testing.TB) *relay {
	tb.Helper()
	r := &relay{rig: newRig(tb, servertest.SharedRedis(tb).URL()), running: map[string]*process{}}
	r.launch()
	until(tb, "it leads", func() bool { return r.leader() != "" })
	return r
}

// launch adds one process to the row.
func (r *relay) launch() {
	r.t.Helper()
	id := fmt.Sprint("p", r.launched)
	r.launched++
	r.running[id] = launch(r.t, r.url, id)
}

// pass ends one leader after the other with the signal, and returns how long the
// container waited for the first decision of each next one. Whatever was asked
// stands in the history exactly once.
func (r *relay) pass(sig syscall.Signal, leaders int) (took []time.Duration) {
	r.t.Helper()
	a := r.asker()
	rng := rand.New(rand.NewPCG(1, 2))
	for range leaders {
		r.launch()
		leader := ""
		until(r.t, "one leads and the other is ready", func() bool {
			leader = r.leader()
			for id, p := range r.running {
				if id != leader && p.log.count("leader="+leader) == 0 {
					return false
				}
			}
			return r.running[leader] != nil
		})
		// Leaders are to end at any moment between two extensions of the lease.
		a.hears(rng.IntN(100))
		r.woken = append(r.woken, r.wakeUp())
		epoch, at := a.newest(), time.Now()
		must(r.t, r.running[leader].Process.Signal(sig))
		took = append(took, a.after(epoch).Sub(at))
		<-r.running[leader].ended
		if code := r.running[leader].ProcessState.ExitCode(); sig == syscall.SIGTERM && code != 0 {
			r.t.Errorf("exit status %d", code)
		}
		delete(r.running, leader)
	}
	sent := a.stop()
	for _, p := range r.running {
		p.signal(syscall.SIGTERM)
	}
	r.wantOnce(sent)
	return took
}

// wantOnce checks that the history holds what was appended, everything once, and
// that all of it was accepted.
func (r *rig) wantOnce(sent []string) {
	r.t.Helper()
	var taken []string
	for _, rec := range r.audit() {
		if rec.Entry == "" {
			continue
		}
		taken = append(taken, rec.Entry)
		if rec.Refused != events.NoReason {
			r.t.Errorf("record %d was refused: %v", rec.Sequence, rec.Refused)
		}
	}
	if !slices.Equal(sent, taken) {
		r.t.Errorf("%d intents were appended, %d stand in the history", len(sent), len(taken))
	}
}

// wakeUp measures how long it takes until what is appended on one connection has
// woken another that waits for it.
func (r *rig) wakeUp() time.Duration {
	r.t.Helper()
	ctx := context.Background()
	waiting := r.rdb.Conn()
	defer waiting.Close()
	id, err := waiting.ClientID(ctx).Result()
	must(r.t, err)
	woke := make(chan time.Time, 1)
	go func() {
		waiting.XRead(ctx, &redis.XReadArgs{Streams: []string{"wake", "$"}, Count: 1, Block: patience})
		woke <- time.Now()
	}()
	until(r.t, "it waits", func() bool {
		for line := range strings.Lines(r.rdb.ClientList(ctx).Val()) {
			if strings.HasPrefix(line, fmt.Sprintf("id=%d ", id)) {
				return strings.Contains(line, " flags=b ")
			}
		}
		return false
	})
	at := time.Now()
	must(r.t, r.rdb.XAdd(ctx, &redis.XAddArgs{Stream: "wake", Values: []any{"i", "x"}}).Err())
	return (<-woke).Sub(at)
}
