package simulation

import (
	"bytes"
	"fmt"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A judge sees everything at once and with the true time, and knows what must
// hold: it follows the history as it is written, and compares what containers
// really have with what the history charges for them.
type judge struct {
	w *world

	ledger  *ledger.Ledger // of the history in force; nil: Redis lost it
	leaders map[leadership]string
	bound   int            // what all containers together may have
	barrier time.Duration  // of the history in force
	floor   int64          // ledger time until which minimums are kept back
	said    map[string]int // how often each intent was appended
	records int
	clock   reading       // the ledger time of the first record of this leadership after the world was healed
	missed  time.Duration // when it was last seen how many connections others have
	begun   bool          // there was a history
}

// A leadership names an epoch for good.
type leadership struct{ incarnation, epoch uint64 }

func newJudge(w *world) *judge {
	return &judge{w: w, leaders: map[leadership]string{}, said: map[string]int{}}
}

// appended listens to what is written to Redis.
func (j *judge) appended(key, id string, fields []string) {
	switch key {
	case j.w.keys.Grants:
		if len(fields) == 2 && fields[0] == "r" {
			j.record([]byte(fields[1]))
		}
	case j.w.keys.Intents:
		if len(fields) == 2 && fields[0] == "i" {
			if in, err := events.DecodeIntent([]byte(fields[1])); err == nil {
				j.heard(in)
			}
		}
	}
}

// heard: a container says each thing once. (Faults that repeat what it said are
// made by the world, which says so.)
func (j *judge) heard(in *events.Intent) {
	if in.Container == "" || in.Counter == 0 {
		return
	}
	name := fmt.Sprint(in.Container, "/", in.Counter)
	j.said[name]++
	if j.said[name] > 1 {
		j.w.fail("once", "%s said its intent %d twice", in.Container, in.Counter)
	}
}

// lose: Redis has lost the history, or may have.
func (j *judge) lose() {
	if j.ledger != nil {
		for _, b := range j.w.boxes {
			j.freeze(b)
		}
	}
	j.ledger = nil
}

// freeze: until the next incarnation hears the container, it has at most what it
// was charged for.
func (j *judge) freeze(b *box) {
	g := &b.ghost
	g.outlived = false
	if g.stranger || g.unheard {
		g.from = b.m.Counter() + 1
		return
	}
	c, _ := j.ledger.Container(b.id)
	g.unheard, g.frozen, g.from = true, c.Charge, b.m.Counter()+1
}

// behind: a container may learn only now of a grant of a history that was lost.
// What it said before it knew of that grant does not count it.
func (j *judge) behind(b *box, grant *events.Grant) {
	g := &b.ghost
	if j.ledger != nil && j.ledger.Incarnation() == grant.Incarnation {
		return
	}
	g.from = b.m.Counter() + 1
	if g.stranger {
		return
	}
	if !g.unheard {
		g.frozen = 0
		if j.ledger != nil { // what is charged for it stays its own until it is heard again
			c, _ := j.ledger.Container(b.id)
			g.frozen = c.Charge
		}
		g.unheard = true
	}
	if !b.excused() {
		g.frozen = max(g.frozen, grant.Charge)
	}
}

// record takes a new record of the history: it must follow from what was before.
func (j *judge) record(data []byte) {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		j.w.fail("history", "a record cannot be read: %v", err)
		return
	}
	j.records++
	in, unreadable := events.DecodeIntent(rec.Intent)
	if rec.Entry == "" && unreadable == nil && in.Kind == events.Begin {
		j.begin(rec, in)
	}
	if j.ledger == nil || rec.Incarnation != j.ledger.Incarnation() {
		j.w.fail("fence", "record %d of incarnation %x, epoch %d, goes on with a history that was lost", rec.Sequence, rec.Incarnation, rec.Epoch)
		return
	}
	now := leadership{rec.Incarnation, rec.Epoch}
	if rec.Entry == "" && unreadable == nil && in.Kind == events.Lead {
		if who, used := j.leaders[now]; used {
			j.w.fail("epoch", "epoch %d of incarnation %x is given to %s, and was to %s", rec.Epoch, rec.Incarnation, in.Arbiter, who)
		}
		j.leaders[now] = in.Arbiter
	}
	if head := j.w.head(); head != now {
		j.w.fail("fence", "record %d is of epoch %d of incarnation %x, in force is %d of %x", rec.Sequence, rec.Epoch, rec.Incarnation, head.epoch, head.incarnation)
	}
	if rec.Epoch < j.ledger.Epoch() {
		j.w.fail("fence", "record %d goes back from epoch %d to %d", rec.Sequence, j.ledger.Epoch(), rec.Epoch)
	}
	if rec.Sequence != j.ledger.Sequence()+1 {
		j.w.fail("history", "record %d follows record %d", rec.Sequence, j.ledger.Sequence())
		return
	}
	input := ledger.Input{Epoch: rec.Epoch, Now: rec.Ledger, Wall: rec.Wall, Entry: rec.Entry, Intent: rec.Intent}
	if rec.Size > len(rec.Intent) {
		input.Size = rec.Size
	}
	before, lost := j.ledger.Charged(), false
	if unreadable == nil {
		c, _ := j.ledger.Container(in.Container)
		lost = c.Lost // what it says is counted, whatever others have by now
	}
	opens, barred := j.ledger.Barrier()
	step := j.ledger.Apply(input)
	if !bytes.Equal(step.Encoded, data) {
		j.w.fail("history", "record %d of epoch %d cannot be re-derived", rec.Sequence, rec.Epoch)
		return
	}
	for i := range step.Grants {
		if b := j.w.find(step.Grants[i].Container); b != nil {
			b.ghost.granted(b, &step.Grants[i])
		}
	}
	if j.w.trace != nil {
		j.w.tellf("record %d, epoch %d, time %d: %s", rec.Sequence, rec.Epoch, rec.Ledger, describe(rec, in))
	}
	j.tick(rec)
	if _, still := j.ledger.Barrier(); barred && !still && j.ledger.Now() < opens {
		j.clear() // a look opened it, before its time
	}
	said := j.hear(rec, in, unreadable == nil)
	j.spend(before, said || lost)
	if rec.Entry == "" && unreadable == nil {
		j.drift(in)
	}
}

// A reading is a ledger time and the true time at which it was recorded.
type reading struct {
	epoch  leadership
	true   time.Duration
	ledger int64
}

// slack is how late a record may be in a world in which everything works, and
// settle how long it takes until none is under way that was made before.
const (
	slack  = time.Second
	settle = 5 * time.Second
)

// tick: while somebody leads and everything works, ledger time passes.
func (j *judge) tick(rec *events.Record) {
	now := reading{leadership{rec.Incarnation, rec.Epoch}, j.w.now, rec.Ledger}
	if j.w.healed == 0 || j.w.now < j.w.healed+settle {
		return
	}
	if j.clock.epoch != now.epoch {
		j.clock = now
	}
	passed, counted := now.true-j.clock.true, events.Millis(now.ledger-j.clock.ledger)
	if counted < passed-slack || counted > passed*11/10+slack {
		j.w.fail("time", "%v passed, ledger time counts %v", passed, counted)
	}
}

func describe(rec *events.Record, in *events.Intent) string {
	s := "garbage"
	if in != nil {
		s = fmt.Sprintf("%v %s %d", in.Kind, in.Container, in.Counter)
	}
	if rec.Refused != 0 {
		s += fmt.Sprintf(", refused: %v", rec.Refused)
	}
	for _, d := range rec.Decisions {
		s += fmt.Sprintf("; %s %v: %d units, charge %d, fallback %d", d.Container, d.Verb, d.Units, d.Charge, d.Fallback)
	}
	return s + fmt.Sprintf("; charged %d of %d", rec.Charged, rec.Available)
}

// begin: a new incarnation.
func (j *judge) begin(rec *events.Record, in *events.Intent) {
	if j.ledger != nil {
		for _, b := range j.w.boxes {
			j.freeze(b)
		}
	}
	j.ledger = ledger.New(rec.Incarnation, rec.Sequence-1)
	barrier := in.Barrier
	if j.begun && barrier == 0 {
		barrier = shortestTTL(j.w.plan) // there should be one
	}
	j.begun = true
	j.barrier, j.floor = barrier, 2*barrier.Milliseconds()
}
