package arbiter_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/events"
)

const budget = "b"

var keys = events.NewKeys(budget)

// A rig is what a test has beside the arbiters.
type rig struct {
	t   testing.TB
	url string
	rdb *redis.Client
}

func newRig(t testing.TB, url string) *rig {
	t.Helper()
	rdb, err := events.OpenRedis(url, 20)
	must(t, err)
	t.Cleanup(func() { rdb.Close() })
	return &rig{t, url, rdb}
}

// do sends Redis a command that must succeed.
func (r *rig) do(args ...any) {
	r.t.Helper()
	must(r.t, r.rdb.Do(context.Background(), args...).Err())
}

func (r *rig) raw() []redis.XMessage {
	r.t.Helper()
	messages, err := r.rdb.XRange(context.Background(), keys.Grants, "-", "+").Result()
	must(r.t, err)
	return messages
}

// audit reads the whole history, and checks that it is one: no gap, every record
// re-derived to the byte by a fresh ledger, epochs that never go back within an
// incarnation, no counter accepted twice, no inbox entry taken twice.
func (r *rig) audit() []*events.Record {
	r.t.Helper()
	var records []*events.Record
	type said struct {
		incarnation uint64
		container   string
		counter     uint64
	}
	accepted, taken := map[said]bool{}, map[string]bool{}
	led := map[[2]uint64]bool{} // incarnations and epochs that are over
	v, err := audit.NewVerifier(nil)
	must(r.t, err)
	for _, m := range r.raw() {
		data, _ := m.Values["r"].(string)
		must(r.t, v.Add([]byte(data)))
		rec, err := events.DecodeRecord([]byte(data))
		must(r.t, err)
		if n := len(records); n > 0 && rec.Sequence != records[n-1].Sequence+1 {
			r.t.Fatalf("record %d follows record %d", rec.Sequence, records[n-1].Sequence)
		}
		if rec.Entry != "" {
			if taken[rec.Entry] {
				r.t.Fatalf("record %d: entry %s was taken twice", rec.Sequence, rec.Entry)
			}
			taken[rec.Entry] = true
		}
		if in, err := events.DecodeIntent(rec.Intent); err == nil && rec.Refused == events.NoReason {
			if in.Container != "" {
				key := said{rec.Incarnation, in.Container, in.Counter}
				if accepted[key] {
					r.t.Fatalf("record %d: intent %d of %s was accepted twice", rec.Sequence, in.Counter, in.Container)
				}
				accepted[key] = true
			}
			if in.Kind == events.Lead {
				key := [2]uint64{rec.Incarnation, rec.Epoch}
				if led[key] {
					r.t.Fatalf("record %d: epoch %d was issued twice", rec.Sequence, rec.Epoch)
				}
				led[key] = true
			}
		}
		records = append(records, rec)
	}
	must(r.t, v.Finish())
	if report := v.Report(); !report.Proved() {
		r.t.Fatal(&report)
	}
	return records
}

// own returns the arbiter's own intents of a kind, oldest first.
func own(records []*events.Record, kind events.Kind) (found []*events.Intent) {
	for _, rec := range records {
		if rec.Entry != "" {
			continue
		}
		if in, err := events.DecodeIntent(rec.Intent); err == nil && in.Kind == kind {
			found = append(found, in)
		}
	}
	return found
}

// A container is one that does not hold connections, but says what it is told
// to.
type container struct {
	rig     *rig
	id      string
	post    *events.Post
	counter uint64
}

func (r *rig) container(id string) *container {
	r.t.Helper()
	post, err := events.OpenPost(r.url, budget, id)
	must(r.t, err)
	r.t.Cleanup(func() { post.Close() })
	return &container{rig: r, id: id, post: post}
}

// say sends an intent under the next counter.
func (c *container) say(in events.Intent) {
	c.rig.t.Helper()
	c.counter++
	in.Container, in.Counter = c.id, c.counter
	must(c.rig.t, c.post.Send(context.Background(), events.EncodeIntent(&in)))
}

// register says hello as a container that holds so many connections.
func (c *container) register(service string, want, holds int) {
	c.rig.t.Helper()
	c.say(events.Intent{Kind: events.Register, Introduce: events.Introduce{Service: service}, Demand: events.Demand{Want: want, Ceiling: holds}})
}

// answer waits for the answer to the newest intent.
func (c *container) answer() *events.Grant {
	c.rig.t.Helper()
	return c.await("the answer", func(g *events.Grant) bool { return g.Ack == c.counter })
}

// await waits until the container's mailbox holds such a grant.
func (c *container) await(what string, such func(*events.Grant) bool) (g *events.Grant) {
	c.rig.t.Helper()
	until(c.rig.t, what+" for "+c.id, func() bool {
		look, err := c.post.Look(context.Background())
		if err != nil || look.Grant == nil || look.Grant.Incarnation != look.Incarnation {
			return false
		}
		g = look.Grant
		return such(g)
	})
	return g
}
