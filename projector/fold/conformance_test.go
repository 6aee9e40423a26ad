package fold

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// histories is how many random histories TestConformance folds.
const histories = 2000

// TestConformance folds random histories of a real ledger and compares, after
// each record, all that people see with the ledger's own state.
func TestConformance(t *testing.T) {
	t.Parallel()
	records, seen := 0, map[string]int{}
	for seed := range uint64(histories) {
		a := newAuthor(seed)
		s := New()
		for step := range 30 {
			data := a.write()
			records++
			if err := s.Apply(data); err != nil {
				t.Fatalf("history %d, step %d: %v", seed, step, err)
			}
			snap := a.ledger.Snapshot()
			// DeepEqual first: it is several times faster than a diff.
			if want, got := shown(snap, a.available, a.ledger.Charged()), view(s); !reflect.DeepEqual(want, got) {
				t.Fatalf("history %d, step %d, %s: the state (-ledger +fold):\n%s", seed, step, a.last, cmp.Diff(want, got))
			}
			// What a charge was between an intent and the growth that followed it,
			// stands nowhere; so the fold may come to another number of backends too
			// many, until the next look. Behind the barrier, which they can keep
			// closed, nobody grows.
			if over, strange := a.ledger.Uncounted(); s.strange != strange || snap.Barrier > snap.Now && s.over != over {
				t.Fatalf("history %d, step %d, %s: %d backends of strangers and %d too many; the ledger has %d and %d",
					seed, step, a.last, s.strange, s.over, strange, over)
			}
			a.note(seen, snap)
			if step%10 == 9 { // from here on from the snapshot
				if data, err := events.DecodeSnapshot(events.EncodeSnapshot(snap)); err != nil {
					t.Fatal(err)
				} else if rand.N(2) == 0 {
					restored := Restore(data)
					restored.available, restored.wall = s.available, s.wall
					if diff := cmp.Diff(view(s), view(restored)); diff != "" {
						t.Fatalf("history %d, step %d: restored (-before +after):\n%s", seed, step, diff)
					}
					s = restored
				}
			}
		}
	}
	t.Logf("%d histories, %d records, states: %v", histories, records, seen)
	for _, what := range []string{"lost", "silent", "asleep", "recalling", "waiting", "behind the barrier", "strangers", "uncounted"} {
		if seen[what] < histories/30 {
			t.Errorf("%q was seen after %d records only: the histories are too tame", what, seen[what])
		}
	}
}

// A picture is what the fold must know just as the ledger does.
type picture struct {
	Incarnation, Epoch, Sequence, Refused uint64
	Now                                   int64
	Available, Charged                    int
	Barrier                               int64 // left
	Policy                                events.Policy
	Look                                  events.Observation
	Containers                            []events.ContainerState
}

func shown(snap *events.Snapshot, available, charged int) picture {
	p := picture{
		Incarnation: snap.Incarnation, Epoch: snap.Epoch, Sequence: snap.Sequence, Refused: snap.Refused, Now: snap.Now,
		Available: available, Charged: charged, Barrier: max(0, snap.Barrier-snap.Now), Policy: snap.Policy, Look: snap.Look,
	}
	p.Look.Held = nil
	for _, c := range snap.Containers {
		p.Containers = append(p.Containers, events.ContainerState{
			ID: c.ID, Host: c.Host, Service: c.Service, Strict: c.Strict, Lost: c.Lost, Lease: c.Lease,
			Want: c.Want, Units: c.Units, Charge: c.Charge, Fallback: c.Fallback,
			Held: c.Held, InUse: c.InUse, Waiting: c.Waiting, Silent: c.Silent, Asleep: c.Asleep, Shown: c.Shown,
		})
	}
	return p
}

func view(s *State) picture {
	p := picture{
		Incarnation: s.incarnation, Epoch: s.epoch, Sequence: s.sequence, Refused: s.refused, Now: s.now,
		Available: s.available, Charged: s.charged, Barrier: max(0, s.barrier-s.now), Policy: s.policy, Look: s.look,
	}
	byRank := map[uint64]*container{}
	for _, c := range s.containers {
		byRank[c.rank] = c
	}
	for rank := range s.ranks + 1 {
		if c := byRank[rank]; c != nil {
			p.Containers = append(p.Containers, events.ContainerState{
				ID: c.id, Host: c.host, Service: c.service.name, Strict: c.strict, Lost: c.lost, Lease: c.lease,
				Want: c.want, Units: c.units, Charge: c.charge, Fallback: c.fallback,
				Held: c.held, InUse: c.inUse, Waiting: c.waiting, Silent: c.silent, Asleep: c.asleep, Shown: c.shown,
			})
		}
	}
	return p
}

// An author writes a random history.
type author struct {
	*rand.Rand
	ledger     *ledger.Ledger
	now, wall  int64
	epoch      uint64
	counters   map[string]uint64
	available  int
	last       string
	containers []string
}

func newAuthor(seed uint64) *author {
	a := &author{Rand: rand.New(rand.NewPCG(seed, 1)), counters: map[string]uint64{}, wall: 1_700_000_000_000}
	for i := range 8 {
		a.containers = append(a.containers, fmt.Sprintf("c%d", i))
	}
	return a
}

func (a *author) write() []byte {
	if a.ledger == nil || a.IntN(60) == 0 {
		sequence := uint64(0)
		if a.ledger != nil {
			sequence = a.ledger.Sequence()
		}
		a.ledger = ledger.New(a.Uint64(), sequence)
		return a.own(events.Intent{Kind: events.Begin, Barrier: time.Duration(a.IntN(4)) * 5 * time.Second})
	}
	if a.ledger.Policy().Rule == 0 {
		return a.own(events.Intent{Kind: events.SetPolicy, Policy: a.policy()})
	}
	a.now += int64(a.IntN(400))
	switch a.IntN(24) {
	case 0:
		return a.own(events.Intent{Kind: events.SetPolicy, Policy: a.policy()})
	case 1:
		a.epoch++
		return a.own(events.Intent{Kind: events.Lead, Arbiter: fmt.Sprint("arbiter-", a.epoch), Host: "host"})
	case 2:
		return a.own(events.Intent{Kind: events.Resign, Arbiter: "arbiter"})
	case 3, 4:
		a.now += int64(a.IntN(6000))
		return a.own(events.Intent{Kind: events.Tick})
	case 5, 6:
		return a.own(events.Intent{Kind: events.Silence, Tags: a.tags()})
	case 7, 8, 9:
		a.now += int64(a.IntN(2) * a.IntN(4000))
		return a.own(events.Intent{Kind: events.Observe, Observation: a.observation()})
	case 10:
		return a.said(make([]byte, a.IntN(30)))
	}
	return a.said(events.EncodeIntent(a.intent()))
}

func (a *author) policy() events.Policy {
	p := events.Policy{
		Rule: events.RuleVersion, Plan: "free", Limit: 20 + a.IntN(60), Reserve: 2, TTL: time.Duration(4+a.IntN(8)) * time.Second,
		Margin: 100 * time.Millisecond, Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
	p.Services[a.IntN(len(p.Services))].Maximum = 6
	return p
}

func (a *author) tags() (tags []string) {
	for _, id := range a.containers {
		if a.IntN(4) == 0 {
			tags = append(tags, events.Tag(id))
		}
	}
	return tags
}

func (a *author) observation() events.Observation {
	if a.IntN(12) == 0 {
		return events.Observation{}
	}
	o := events.Observation{
		Since: a.ledger.Sequence() - min(a.ledger.Sequence(), uint64(a.IntN(4))), Window: time.Second, Headroom: a.IntN(3),
		Usable: 20 + a.IntN(60), Bound: events.MaxUnits, Platform: a.IntN(4), External: a.IntN(6),
		Named: a.IntN(5) > 0, Clear: a.IntN(2) == 0,
	}
	held := map[string]events.Held{}
	for _, id := range append(a.containers, "stranger") {
		if a.IntN(3) == 0 {
			tag := events.Tag(id)
			held[tag] = events.Held{Tag: tag, Conns: a.IntN(2) * a.IntN(12), Silent: a.IntN(2) == 0}
		}
	}
	for _, tag := range sorted(held) {
		o.Held = append(o.Held, held[tag])
	}
	return o
}

func (a *author) intent() *events.Intent {
	id := a.containers[a.IntN(len(a.containers))]
	if a.IntN(12) > 0 {
		a.counters[id]++
	}
	kinds := []events.Kind{events.Register, events.Register, events.Request, events.Renew, events.Renew, events.Renew, events.Release, events.Cleanup}
	in := &events.Intent{
		Kind: kinds[a.IntN(len(kinds))], Container: id, Counter: max(1, a.counters[id]), Host: "h" + id,
		Demand: events.Demand{
			Want: a.IntN(90), Ceiling: a.IntN(2) * a.IntN(20), Held: a.IntN(20), InUse: a.IntN(20), Waiting: a.IntN(5),
		},
		Introduce: events.Introduce{
			Service: []string{"scraper", "api", "viewer", "reports"}[len(id)*int(id[1])%4], Strict: a.IntN(5) == 0,
			TTL: time.Duration(a.IntN(3)) * 2 * time.Second,
		},
	}
	if a.IntN(6) > 0 { // it has seen about what there is
		in.Incarnation = a.ledger.Incarnation()
		in.Seen = a.ledger.Sequence() - min(a.ledger.Sequence(), uint64(a.IntN(6)))
		if c, ok := a.ledger.Container(id); ok && a.IntN(2) == 0 {
			in.Ceiling, in.Seen = c.Units, a.ledger.Sequence()
		}
	}
	return in
}

func (a *author) own(in events.Intent) []byte {
	return a.apply(ledger.Input{Intent: events.EncodeIntent(&in)}, in.Kind.String())
}

func (a *author) said(body []byte) []byte {
	return a.apply(ledger.Input{Entry: "1-1", Intent: body}, "said")
}

func (a *author) apply(in ledger.Input, what string) []byte {
	a.wall += int64(a.IntN(1000))
	in.Epoch, in.Now, in.Wall = a.epoch, a.now, a.wall
	step := a.ledger.Apply(in)
	a.available = step.Record.Available
	a.last = fmt.Sprintf("%s, refused %q", what, step.Record.Refused)
	return step.Encoded
}

// note counts which states the histories come through.
func (a *author) note(seen map[string]int, snap *events.Snapshot) {
	count := func(what string, is bool) {
		if is {
			seen[what]++
		}
	}
	for _, c := range snap.Containers {
		count("lost", c.Lost)
		count("silent", c.Silent != 0)
		count("asleep", c.Asleep)
		count("recalling", c.Charge > c.Units && !c.Lost)
		count("waiting", c.Want > c.Units && !c.Lost)
	}
	over, strange := a.ledger.Uncounted()
	count("behind the barrier", snap.Barrier > snap.Now)
	count("strangers", strange > 0)
	count("uncounted", over > 0)
}

func sorted(held map[string]events.Held) []string { return slices.Sorted(maps.Keys(held)) }
