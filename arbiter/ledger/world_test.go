package ledger

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

// A world is a ledger with a fleet of honest containers, an inbox that repeats
// and swaps intents, and mailboxes that are read late or never. After every
// record it checks what must always hold.
type world struct {
	*rapid.T
	l        *Ledger
	now      int64 // real time, milliseconds
	led      int64 // ledger time: real time while somebody leads
	fleet    []*peer
	inbox    [][]byte
	sent     [][]byte // all that members ever said
	entries  int
	recalled bool // by the newest record

	usable, external int // connections that the database gives in all, and those of others
	glance           *glance
}

func newWorld(t *rapid.T, p events.Policy) *world {
	w := &world{T: t, l: New(7<<56, 0), now: 1_000_000, usable: p.Limit}
	w.say(events.Intent{Kind: events.SetPolicy, Policy: p})
	if rapid.Bool().Draw(t, "observed") {
		w.look()
		w.report()
	}
	return w
}

// say applies one of the arbiter's own intents.
func (w *world) say(in events.Intent) { w.apply("", events.EncodeIntent(&in)) }

// send puts what a member says into the inbox.
func (w *world) send(m *peer, kind events.Kind, lower bool) {
	in := m.intent(kind, w.now, lower)
	w.inbox = append(w.inbox, events.EncodeIntent(&in))
	w.sent = append(w.sent, w.inbox[len(w.inbox)-1])
}

// take applies the i-th intent of the inbox.
func (w *world) take(i int) {
	if i >= len(w.inbox) {
		return
	}
	data := w.inbox[i]
	w.inbox = slices.Delete(w.inbox, i, i+1)
	w.entries++
	w.apply(fmt.Sprintf("%d-0", w.entries), data)
}

// pass lets time pass. Lease deadlines of containers come no later than the
// ledger's.
func (w *world) pass(ms int64, led bool) {
	w.now += ms
	if led {
		w.led += ms
	}
	for _, m := range w.fleet {
		m.shrink(w.now)
		m.have(w.now)
	}
}

// tick lets the arbiter do what is due.
func (w *world) tick() {
	for due, ok := w.l.Next(); ok && due <= w.led; due, ok = w.l.Next() {
		w.say(events.Intent{Kind: events.Tick})
	}
}

func (w *world) apply(entry string, data []byte) {
	in := Input{Epoch: 1, Now: w.led, Wall: w.now, Entry: entry, Intent: data}
	before := w.l.Snapshot()
	step := w.l.Apply(in)
	for _, d := range step.Record.Decisions {
		if d.Verb == events.Ended && w.glance != nil {
			w.glance.ended[events.Tag(d.Container)] = true
		}
	}
	if err := check(w.l); err != nil {
		w.Fatal(err)
	}
	after := w.l.Snapshot()
	w.checkTwin(before, after, in, step)
	w.checkStep(before, after, step)
	w.checkSums(before, after, step)
	for i := range step.Grants {
		w.deliver(&step.Grants[i])
	}
	w.forget(step)
	w.remember(step)
	w.checkHeld()
}

func (w *world) deliver(g *events.Grant) {
	for _, m := range w.fleet {
		if m.id == g.Container {
			m.mailbox = g
		}
	}
}

// forget notes which members the ledger no longer charges although they may
// still have their fallback: after one more TTL, or by an operator.
func (w *world) forget(step Step) {
	for _, d := range step.Record.Decisions {
		if d.Verb == events.Ended && (d.Reason == events.Lapsed || d.Reason == events.Cleaned) {
			for _, m := range w.fleet {
				if m.id == d.Container {
					m.ghost, m.ghostFrom = true, m.counter+1
				}
			}
		}
	}
}

// remember notes that the ledger heard a member again.
func (w *world) remember(step Step) {
	in, err := events.DecodeIntent(step.Record.Intent)
	if err != nil || step.Record.Refused != 0 {
		return
	}
	for _, m := range w.fleet {
		if m.id == in.Container {
			m.beaten = w.now
			if in.Counter >= m.ghostFrom {
				m.ghost = false
			}
		}
	}
}

func charges(s *events.Snapshot) (sum int) {
	for i := range s.Containers {
		sum += s.Containers[i].Charge
	}
	return sum
}

func find(s *events.Snapshot, id string) (events.ContainerState, bool) {
	for i := range s.Containers {
		if s.Containers[i].ID == id {
			return s.Containers[i], true
		}
	}
	return events.ContainerState{}, false
}
