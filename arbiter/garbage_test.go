package arbiter_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// whatever anybody appends to the inbox, it is recorded with the reason and a
// bounded part of the bytes, and the others do not notice.
func TestGarbageInTheInbox(t *testing.T) {
	forged := policy()
	forged.Limit = 1000
	intent := func(in events.Intent) []byte { return events.EncodeIntent(&in) }
	renew := func(counter uint64) []byte {
		return intent(events.Intent{Kind: events.Renew, Container: "victim", Counter: counter, Demand: events.Demand{Want: 1}})
	}
	future := bytes.Clone(renew(1000))
	future[2] = 9 // the schema version
	random := make([]byte, 300)
	rand.NewChaCha8([32]byte{1}).Read(random)

	for _, c := range []struct {
		name   string
		fields []any
		want   events.Reason
		size   int // bytes that came
		kept   int // bytes that stand in the history
	}{
		{"random bytes", []any{"i", random}, events.Unreadable, 300, 300},
		{"nothing", []any{"i", ""}, events.Unreadable, 0, 0},
		{"several fields", []any{"i", renew(1000), "j", "x"}, events.Unreadable, 0, 0},
		{"another field", []any{"I", renew(1000)}, events.Unreadable, 0, 0},
		{"truncated", []any{"i", renew(1000)[:6]}, events.Unreadable, 6, 6},
		{"trailing bytes", []any{"i", append(renew(1000), 0)}, events.Unreadable, 0, 0},
		{"just too large", []any{"i", bytes.Repeat([]byte{0xc0}, events.MaxEntryBytes+1)}, events.Oversize, events.MaxEntryBytes + 1, events.MaxParkedBytes},
		{"as large as can be", []any{"i", bytes.Repeat([]byte{0xc0}, events.MaxEntryBytes)}, events.Unreadable, events.MaxEntryBytes, events.MaxEntryBytes},
		{"far too large", []any{"i", make([]byte, 1<<20)}, events.Oversize, 1 << 20, events.MaxParkedBytes},
		{"a future version", []any{"i", future}, events.UnknownVersion, 0, 0},
		{"a forged policy", []any{"i", intent(events.Intent{Kind: events.SetPolicy, Policy: forged})}, events.Forged, 0, 0},
		{"a forged leader", []any{"i", intent(events.Intent{Kind: events.Lead, Arbiter: "me"})}, events.Forged, 0, 0},
		{"a forged resignation", []any{"i", intent(events.Intent{Kind: events.Resign, Arbiter: "a"})}, events.Forged, 0, 0},
		{"a forged incarnation", []any{"i", intent(events.Intent{Kind: events.Begin})}, events.Forged, 0, 0},
		{"a forged tick", []any{"i", intent(events.Intent{Kind: events.Tick})}, events.Forged, 0, 0},
		{"a duplicate", []any{"i", renew(3)}, events.Stale, 0, 0},
		{"out of order, or another's id with a lower counter", []any{"i", renew(2)}, events.Stale, 0, 0},
		{"no counter", []any{"i", renew(0)}, events.Stale, 0, 0},
		{"a stranger", []any{"i", intent(events.Intent{Kind: events.Renew, Container: "stranger", Counter: 5})}, events.UnknownSender, 0, 0},
		{"a request for nothing", []any{"i", intent(events.Intent{Kind: events.Request, Container: "asker", Counter: 2})}, events.ZeroRequest, 0, 0},
		{"an unprintable id", []any{"i", intent(events.Intent{Kind: events.Renew, Container: "a\x00b", Counter: 2})}, events.Unreadable, 0, 0},
		{"an unprintable service", []any{"i", intent(events.Intent{Kind: events.Register, Container: "x", Counter: 2, Introduce: events.Introduce{Service: "\n"}})}, events.Unreadable, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, servertest.SharedRedis(t).URL())
			n := start(t, r.url, "a").leads(t)
			victim, asker := r.container("victim"), r.container("asker")
			victim.register("api", 4, 0)
			asker.register("viewer", 2, 0)
			asker.answer()
			victim.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 4, Ceiling: 4}})
			victim.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 4, Ceiling: 4}})
			before := victim.answer()
			refused := n.State().Refused

			r.do(append([]any{"XADD", keys.Intents, "*"}, c.fields...)...)
			victim.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 4, Ceiling: 4, Incarnation: before.Incarnation, Seen: before.Sequence}})
			g := victim.answer()
			if g.Units != 4 || g.Lease != before.Lease || g.Epoch != before.Epoch {
				t.Errorf("the other container has %+v, before %+v", g, before)
			}
			until(t, "it is counted", func() bool { return n.State().Refused == refused+1 })
			if s := n.State(); !s.Leading || s.Epoch != before.Epoch {
				t.Errorf("the arbiter is %+v", s)
			}
			n.stop()
			var found *events.Record
			for _, rec := range r.audit() {
				if rec.Refused != events.NoReason {
					found = rec
				}
			}
			if found == nil || found.Refused != c.want {
				t.Fatalf("recorded %+v, want reason %v", found, c.want)
			}
			if found.Entry == "" || len(found.Intent) > events.MaxEntryBytes {
				t.Errorf("recorded entry %q with %d bytes", found.Entry, len(found.Intent))
			}
			if c.size > 0 && (found.Size != c.size || len(found.Intent) != c.kept) {
				t.Errorf("%d bytes of %d are recorded, want %d of %d", len(found.Intent), found.Size, c.kept, c.size)
			}
		})
	}
}

// A flood of garbage, with ids of its own choice, and all of it at once.
func TestFloodOfGarbage(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	n := start(t, r.url, "a").leads(t)
	c := r.container("c")
	c.register("api", 4, 0)
	c.answer()
	source := rand.New(rand.NewPCG(1, 2))
	const flood = 2000
	pipe := r.rdb.Pipeline()
	for range flood {
		garbage := make([]byte, source.IntN(400))
		for i := range garbage {
			garbage[i] = byte(source.Uint32())
		}
		if len(garbage) > 2 && source.IntN(2) == 0 {
			garbage[0], garbage[1], garbage[2] = 0x95, byte(1+source.IntN(10)), 1
		}
		pipe.Do(t.Context(), "XADD", keys.Intents, "*", "i", garbage)
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
	c.say(events.Intent{Kind: events.Request, Demand: events.Demand{Want: 6, Ceiling: 4}})
	if g := c.answer(); g.Units != 6 {
		t.Errorf("after the flood the container has %d", g.Units)
	}
	until(t, "all is counted", func() bool { return n.State().Refused == flood })
	n.stop()
	r.audit()
}
