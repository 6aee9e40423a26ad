package lease_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

const (
	// margin is the drift margin of every policy here, and slowest (percent) the
	// slowest clock that it covers under the longest TTL.
	margin  = 2 * time.Second
	maxTTL  = 20 * time.Second
	slowest = 90

	// tickTime is how often containers look at their clocks while time passes.
	tickTime = 200 * time.Millisecond
)

// A world is the real ledger and a fleet of machines around it, with an inbox
// that loses, repeats and swaps intents, mailboxes that are read late, rings that
// come after newer ones were seen, arbiters that are away, and a Redis that
// forgets. After each step it checks what must always hold.
type world struct {
	*rapid.T
	l      *ledger.Ledger
	policy events.Policy
	now    time.Duration // real time
	led    time.Duration // ledger time
	leads  bool
	lives  uint64 // incarnations so far
	floor  int64  // ledger time until which minimums are kept back

	fleet   []*box
	inbox   [][]byte
	entries int
	bound   int // what the sum of all connections may not exceed
}

// A box is one container.
type box struct {
	*lease.Machine
	id          string
	born        time.Duration
	rate        time.Duration // percent
	held, inUse int
	alive       bool
	paused      bool

	mailbox *events.Grant
	rings   []*events.Grant // on their way
	past    []*events.Grant // all that were ever in the mailbox

	// stranger: the ledger does not count what the container holds, as it must
	// not hold anything that was not given back to it by a grant: before it is
	// heard for the first time (local mode), and after it was forgotten.
	// unheard: the ledger of the present incarnation has not heard it, and its
	// barrier covers for what it holds.
	stranger, unheard bool
	from              uint64 // counter from which on it counts as heard
}

func (b *box) clock(now time.Duration) time.Time {
	return time.Unix(1_000_000, 0).Add((now - b.born) * b.rate / 100)
}

func drawPolicy(t *rapid.T) events.Policy {
	p := events.Policy{
		Rule: events.RuleVersion, Limit: rapid.SampledFrom([]int{15, 20, 30, 60}).Draw(t, "limit"),
		TTL: time.Duration(rapid.IntRange(8, 20).Draw(t, "ttl")) * time.Second, Margin: margin,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
	p.Reserve = (p.Limit + 9) / 10
	return p
}

func newWorld(t *rapid.T) *world {
	w := &world{T: t, policy: drawPolicy(t), now: time.Hour, leads: true}
	w.begin(0)
	return w
}

// begin begins an incarnation.
func (w *world) begin(barrier time.Duration) {
	w.lives++
	sequence := uint64(0)
	if w.l != nil {
		sequence = w.l.Sequence() - min(w.l.Sequence(), 3) // some of the newest records were lost
	}
	w.l, w.led = ledger.New(w.lives<<48, sequence), 0
	w.floor = 2 * barrier.Milliseconds()
	w.say(events.Intent{Kind: events.Begin, Barrier: barrier})
	w.say(events.Intent{Kind: events.SetPolicy, Policy: w.policy})
}

func (w *world) say(in events.Intent) { w.apply("", events.EncodeIntent(&in)) }

func (w *world) apply(entry string, data []byte) {
	in, err := events.DecodeIntent(data)
	if err != nil {
		w.Fatal(err)
	}
	step := w.l.Apply(ledger.Input{Epoch: 1, Now: w.led.Milliseconds(), Entry: entry, Intent: data})
	claimed := false
	for _, d := range step.Record.Decisions {
		if b := w.find(d.Container); b != nil && d.Verb == events.Ended && (d.Reason == events.Lapsed || d.Reason == events.Cleaned) {
			b.stranger, b.from = true, b.Counter()+1
		}
	}
	if b := w.find(in.Container); b != nil && step.Record.Refused == 0 {
		if _, known := w.l.Container(b.id); known && in.Counter >= b.from && (b.stranger || b.unheard) {
			claimed = b.stranger
			b.stranger, b.unheard = false, false
			if in.Ceiling > w.policy.Limit { // of one claim, the ledger counts no more than all there is
				b.stranger, b.from = true, b.Counter()+1
			}
		}
	}
	for i := range step.Grants {
		g := &step.Grants[i]
		if b := w.find(g.Container); b != nil {
			b.mailbox = g
			b.rings = append(b.rings, g)
			b.past = append(b.past, g)
		}
	}
	_, barrier := w.l.Barrier()
	switch charged := w.l.Charged(); {
	case claimed:
		w.bound = max(w.bound, charged)
	case charged <= w.policy.Available() && !barrier:
		w.bound = w.policy.Available()
	default:
		w.bound = max(w.bound, w.policy.Available())
	}
	w.check()
}

func (w *world) find(id string) *box {
	for _, b := range w.fleet {
		if b.id == id {
			return b
		}
	}
	return nil
}

// check: nobody has, or may open, more than is charged for it, and all together
// not more than there is.
func (w *world) check() {
	total := 0
	for _, b := range w.fleet {
		if !b.alive {
			continue
		}
		if b.unheard && w.led.Milliseconds() >= w.floor {
			b.stranger, b.unheard, b.from = true, false, b.Counter()+1
		}
		if b.Mode(b.clock(w.now)) == lease.Local {
			b.stranger, b.from = true, b.Counter()+1
		}
		c, _ := w.l.Container(b.id)
		switch {
		case b.stranger:
			continue
		case b.paused:
			// A process that does not run cannot close anything.
			total += min(b.held, c.Charge)
			continue
		case b.unheard:
			total += b.held
			continue
		}
		limit := b.Limit(b.clock(w.now))
		if b.held > c.Charge || limit > c.Charge {
			w.Fatalf("%s holds %d and may hold %d, charged are %d\nledger %+v\nmode %v grant %+v", b.id, b.held, limit, c.Charge, c, b.Mode(b.clock(w.now)), b.Grant())
		}
		total += b.held
	}
	if total > w.bound {
		w.Fatalf("all together hold %d of %d", total, w.bound)
	}
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	for ; d > 0; d -= tickTime {
		w.now += min(d, tickTime)
		if w.leads {
			w.led += min(d, tickTime)
		}
		for _, b := range w.fleet {
			b.obey(w.now)
		}
		w.check()
	}
}

// obey closes by force what must not be there any more.
func (b *box) obey(now time.Duration) {
	if b.alive && !b.paused && b.Overdue(b.clock(now)) {
		b.held = min(b.held, b.Limit(b.clock(now)))
	}
	b.inUse = min(b.inUse, b.held)
}

// open opens all that may be opened.
func (b *box) open(now time.Duration) { b.held = max(b.held, b.Limit(b.clock(now))) }

// shrink closes what is above the limit and not in use.
func (b *box) shrink(now time.Duration) {
	b.held = min(b.held, max(b.Limit(b.clock(now)), b.inUse))
}

// see takes a grant in.
func (w *world) see(b *box, g *events.Grant) {
	if g == nil {
		return
	}
	b.Accept(b.clock(w.now), g)
	b.obey(w.now)
}

// look reads the mailbox.
func (w *world) look(b *box) {
	b.Learn(events.Look{Incarnation: w.l.Incarnation(), Led: w.leads})
	w.see(b, b.mailbox)
}

// send sends what is due, and reports whether something was.
func (w *world) send(b *box, lost bool) bool {
	now := b.clock(w.now)
	kind, due := b.Due(now, b.held)
	if due {
		w.post(b.Send(now, kind, lease.Usage{Held: b.held, InUse: b.inUse}), lost)
	}
	return due
}

func (w *world) post(in *events.Intent, lost bool) {
	if !lost {
		w.inbox = append(w.inbox, events.EncodeIntent(in))
	}
}

// leave gives everything back.
func (w *world) leave(b *box, lost bool) {
	now := b.clock(w.now)
	b.SetWant(now, 0)
	b.inUse = 0
	b.held = 0
	w.post(b.Send(now, events.Release, lease.Usage{}), lost)
}

func (w *world) take() {
	if !w.leads || len(w.inbox) == 0 {
		return
	}
	data := w.inbox[0]
	w.inbox = w.inbox[1:]
	w.entries++
	w.apply(fmt.Sprintf("%d-0", w.entries), data)
}

func (w *world) tick() {
	for w.leads {
		due, ok := w.l.Next()
		if !ok || due > w.led.Milliseconds() {
			return
		}
		w.say(events.Intent{Kind: events.Tick})
	}
}

// wipe: Redis forgets, and a new incarnation begins behind a barrier.
func (w *world) wipe() {
	for _, b := range w.fleet {
		if !b.stranger {
			b.unheard = true
		}
		b.from = b.Counter() + 1
		b.mailbox = nil
		if n := len(b.past); n > 0 && rapid.Bool().Draw(w.T, "an old mailbox") {
			b.mailbox = b.past[rapid.IntRange(0, n-1).Draw(w.T, "which")]
		}
	}
	if rapid.Bool().Draw(w.T, "the inbox too") {
		w.inbox = nil
	}
	w.begin(w.policy.TTL)
}
