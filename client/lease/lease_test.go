package lease_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

// A bench is one machine in virtual time, and an arbiter that says what the test
// tells it to.
type bench struct {
	*testing.T
	*lease.Machine
	now      time.Time
	held     int
	sequence uint64
	sent     []*events.Intent
}

const (
	ttl   = 30 * time.Second
	drift = 2 * time.Second
)

func newBench(t *testing.T, want int, change ...func(*lease.Config)) *bench {
	cfg := lease.Config{Container: "c", Service: "api", Local: 3, JoinWithin: 3 * time.Second}
	for _, f := range change {
		f(&cfg)
	}
	b := &bench{T: t, now: time.Unix(1_000_000, 0)}
	b.Machine = lease.New(cfg, b.now, want)
	return b
}

// pass lets time pass.
func (b *bench) pass(d time.Duration) { b.now = b.now.Add(d) }

// say sends all that is due and returns how many intents that were.
func (b *bench) say() int {
	b.Helper()
	n := 0
	for {
		kind, due := b.Due(b.now, b.held)
		if !due {
			return n
		}
		b.sent = append(b.sent, b.Send(b.now, kind, lease.Usage{Held: b.held}))
		if n++; n > 3 {
			b.Fatalf("does not stop saying %v", kind)
		}
	}
}

// must says something, which has to be of the kind, and returns it.
func (b *bench) must(kind events.Kind) *events.Intent {
	b.Helper()
	if n := b.say(); n != 1 {
		b.Fatalf("says %d things, want one %v", n, kind)
	}
	in := b.sent[len(b.sent)-1]
	if in.Kind != kind {
		b.Fatalf("says %v, want %v", in.Kind, kind)
	}
	return in
}

func (b *bench) silent() {
	b.Helper()
	if kind, due := b.Due(b.now, b.held); due {
		b.Fatalf("wants to say %v", kind)
	}
}

// grant answers the newest intent.
func (b *bench) grant(units int, change ...func(*events.Grant)) bool {
	b.sequence++
	g := &events.Grant{
		Verb: events.Renewed, Container: "c", Incarnation: 1, Epoch: 1, Sequence: b.sequence,
		Ack: b.Counter(), Anchor: b.Counter(), Lease: "l1", Units: units, Charge: units, Want: b.Want(), Fallback: min(2, units),
		TTL: ttl, Margin: drift,
	}
	for _, f := range change {
		f(g)
	}
	return b.Accept(b.now, g)
}

func (b *bench) limit(want int, mode lease.Mode) {
	b.Helper()
	if got := b.Limit(b.now); got != want || b.Mode(b.now) != mode {
		b.Fatalf("may hold %d in mode %v, want %d in %v", got, b.Mode(b.now), want, mode)
	}
}

// joined returns a machine with a lease on so many units, all of them held.
func joined(t *testing.T, units int) *bench {
	b := newBench(t, units)
	if in := b.must(events.Register); in.Ceiling != 0 || in.Want != units {
		t.Fatalf("registers with %+v", in)
	}
	b.grant(units)
	b.limit(units, lease.Leased)
	b.held = units
	b.silent()
	return b
}

func charge(n int) func(*events.Grant)         { return func(g *events.Grant) { g.Charge = n } }
func verb(v events.Verb) func(*events.Grant)   { return func(g *events.Grant) { g.Verb = v } }
func why(r events.Reason) func(*events.Grant)  { return func(g *events.Grant) { g.Reason = r } }
func incarnation(n uint64) func(*events.Grant) { return func(g *events.Grant) { g.Incarnation = n } }
func unknown(g *events.Grant) {
	*g = events.Grant{Verb: events.Noted, Container: g.Container, Incarnation: g.Incarnation, Sequence: g.Sequence, Ack: g.Ack, TTL: g.TTL, Margin: g.Margin, Reason: events.UnknownSender}
}

func TestRenewsAtAThird(t *testing.T) {
	b := joined(t, 5)
	b.pass(ttl/3 - time.Millisecond)
	b.silent()
	if next := b.Next(b.now); !next.Equal(b.now.Add(time.Millisecond)) {
		t.Fatalf("next is in %v", next.Sub(b.now))
	}
	b.pass(time.Millisecond)
	b.must(events.Renew)
	b.silent()
	b.grant(5)
	b.silent()
}

func TestRetriesBackOff(t *testing.T) {
	b := newBench(t, 5)
	b.must(events.Register)
	var pauses []time.Duration
	for at := b.now; len(pauses) < 7; {
		b.now = b.Next(b.now)
		if b.say() > 0 {
			pauses = append(pauses, b.now.Sub(at))
			at = b.now
		}
	}
	// In local mode after 3 s it says at once what it is about to hold.
	want := []time.Duration{500, 1000, 1500, 2000, 4000, 8000, 10000}
	for i := range want {
		if pauses[i] != want[i]*time.Millisecond {
			t.Fatalf("retries after %v", pauses)
		}
	}
	b.Reached()
	b.pass(500 * time.Millisecond)
	b.must(events.Register)
}

func TestWantsInARowDoNotSlowRetriesDown(t *testing.T) {
	b := joined(t, 5)
	for n := range 10 {
		b.SetWant(b.now, 6+n)
		b.must(events.Request)
		b.pass(time.Millisecond)
	}
	b.pass(500 * time.Millisecond)
	b.must(events.Request)
}

func TestNothingTwiceWhileNobodyLeads(t *testing.T) {
	b := joined(t, 5)
	b.SetWant(b.now, 8)
	b.must(events.Request)
	b.Learn(events.Look{Incarnation: 1})
	for range 200 {
		b.pass(100 * time.Millisecond)
		b.silent()
	}
	b.Learn(events.Look{Incarnation: 1, Led: true})
	b.must(events.Request)
}

func TestRefusalBacksOff(t *testing.T) {
	b := newBench(t, 5)
	b.must(events.Register)
	b.grant(0, unknown, why(events.UnlistedRefused))
	b.pass(10*time.Second - time.Millisecond)
	b.silent()
	b.limit(0, lease.Joining) // an arbiter that refuses does not leave it on its own
	b.pass(time.Millisecond)
	b.must(events.Register)
	b.grant(5)
	b.limit(5, lease.Leased)
}

func TestPromise(t *testing.T) {
	b := joined(t, 10)
	b.SetWant(b.now, 4)
	b.limit(4, lease.Leased)
	b.held = 6 // two in use are not returned yet
	if in := b.must(events.Request); in.Ceiling != 6 || in.Want != 4 {
		t.Fatalf("%+v", in)
	}
	b.SetWant(b.now, 10)
	b.limit(6, lease.Leased) // what it promised, though nobody has heard it
	if in := b.must(events.Request); in.Ceiling != 6 {
		t.Fatalf("%+v", in)
	}
	b.pass(time.Second)
	b.limit(6, lease.Leased)
	b.grant(9)
	b.limit(9, lease.Leased)
}

// A promise that was heard by an arbiter that is gone holds under the next one.
func TestPromiseOutlivesAnIncarnation(t *testing.T) {
	b := joined(t, 10)
	b.SetWant(b.now, 4)
	b.held = 4
	b.must(events.Request)
	b.sequence = 0
	b.grant(0, incarnation(2), unknown)
	b.SetWant(b.now, 10)
	b.limit(4, lease.Leased)
	if in := b.must(events.Register); in.Ceiling != 4 || in.Incarnation != 1 {
		t.Fatalf("%+v", in)
	}
	b.grant(4, incarnation(2))
	b.limit(4, lease.Leased)
	if b.grant(10, func(g *events.Grant) { g.Sequence += 100 }) {
		t.Fatal("goes by a grant of the former incarnation")
	}
}

func TestRecall(t *testing.T) {
	b := joined(t, 10)
	b.pass(time.Second)
	b.grant(4, verb(events.Recalling), charge(10))
	b.limit(4, lease.Leased)
	b.silent()
	b.held = 7
	if in := b.must(events.Renew); in.Ceiling != 7 || in.Seen != 2 {
		t.Fatalf("%+v", in)
	}
	b.grant(4, charge(7))
	b.held = 6
	b.pass(99 * time.Millisecond)
	b.silent() // in part: at most so often
	b.held = 4
	if in := b.must(events.Renew); in.Ceiling != 4 {
		t.Fatalf("%+v", in)
	}
	b.grant(4)
	b.silent()
}

func TestDeadline(t *testing.T) {
	b := joined(t, 10)
	sent := b.now
	b.pass(4 * time.Second) // the next two are sent later, and the first of them is taken
	b.SetWant(b.now, 11)
	b.must(events.Request)
	anchor, at := b.Counter(), b.now
	b.pass(4 * time.Second)
	b.SetWant(b.now, 12)
	b.must(events.Request)
	if want := sent.Add(ttl - drift); !b.Machine.Deadline().Equal(want) {
		t.Fatalf("the lease ends %v, want %v", b.Machine.Deadline(), want)
	}
	b.grant(10, func(g *events.Grant) { g.Ack, g.Anchor = anchor, anchor })
	if want := at.Add(ttl - drift); !b.Machine.Deadline().Equal(want) {
		t.Fatalf("the lease ends %v, want %v", b.Machine.Deadline(), want)
	}
	end := b.Machine.Deadline()
	b.now = end.Add(-5 * time.Second).Add(-time.Millisecond)
	b.limit(10, lease.Leased)
	b.now = end.Add(-5 * time.Second) // 2 s to be cut in, and 3 s before to return what is in use
	b.limit(2, lease.Fallback)
	if b.Overdue(b.now) {
		t.Fatal("cuts at once")
	}
	b.now = end.Add(-2 * time.Second)
	if !b.Overdue(b.now) {
		t.Fatal("does not cut before the lease ends")
	}
}

// A grant that comes after its own lease's end may be very old: what it allows as
// a fallback, others may have by now.
func TestLateGrantRaisesNothing(t *testing.T) {
	b := newBench(t, 10)
	b.must(events.Register)
	b.pass(ttl - drift)
	b.grant(10, func(g *events.Grant) { g.Fallback = 5 })
	b.limit(0, lease.Fallback)
	b.must(events.Renew)
	b.grant(10, func(g *events.Grant) { g.Fallback = 5 })
	b.limit(10, lease.Leased)
	b.pass(ttl)
	b.limit(5, lease.Fallback)
}

func TestLost(t *testing.T) {
	b := joined(t, 10)
	b.grant(0, verb(events.Lost), func(g *events.Grant) { g.Fallback, g.Charge, g.Ack = 5, 5, 0+b.Counter() })
	b.limit(2, lease.Fallback) // never more than before
	if !b.Overdue(b.now) {
		t.Fatal("does not cut at once")
	}
	b.held = 2
	b.pass(500 * time.Millisecond)
	if in := b.must(events.Register); in.Ceiling != 2 {
		t.Fatalf("%+v", in)
	}
	b.grant(7)
	b.limit(7, lease.Leased)
}

// The arbiter charges nothing any more for a container that gave everything up.
func TestEndedAfterEverythingWasGivenUp(t *testing.T) {
	b := joined(t, 5)
	b.SetWant(b.now, 0)
	b.held = 0
	if in := b.must(events.Renew); in.Want != 0 || in.Ceiling != 0 { // not a request for nothing
		t.Fatalf("%+v", in)
	}
	b.grant(0, verb(events.Ended), why(events.Expired))
	b.SetWant(b.now, 5)
	b.limit(0, lease.Fallback)
	b.must(events.Register)
}

func TestStrict(t *testing.T) {
	strict := func(c *lease.Config) { c.Strict = true }
	b := newBench(t, 5, strict)
	b.pass(time.Minute)
	b.limit(0, lease.Local)
	b.must(events.Register)
	b.grant(5)
	b.limit(5, lease.Leased)
	b.pass(ttl)
	b.limit(0, lease.Fallback)
}

func TestLocalMode(t *testing.T) {
	b := newBench(t, 5)
	b.must(events.Register)
	b.pass(3*time.Second - time.Millisecond)
	b.limit(0, lease.Joining)
	b.pass(time.Millisecond)
	b.limit(3, lease.Local)
	if in := b.must(events.Register); in.Ceiling != 3 {
		t.Fatalf("goes local with %+v", in)
	}
	b.silent()
	b.held = 3
	b.grant(0)
	b.limit(0, lease.Leased)
	b.pass(time.Second)
	if in := b.must(events.Renew); in.Ceiling != 3 { // these are not counted yet
		t.Fatalf("%+v", in)
	}
	b.grant(3)
	b.pass(time.Second)
	b.silent()
}

func TestReleaseAndRejoin(t *testing.T) {
	b := joined(t, 5)
	b.SetWant(b.now, 0)
	b.held = 0
	b.sent = append(b.sent, b.Send(b.now, events.Release, lease.Usage{}))
	b.limit(0, lease.Released)
	b.silent()
	b.SetWant(b.now, 4)
	if b.grant(5, func(g *events.Grant) { g.Ack-- }) {
		t.Fatal("goes by a grant of the lease that it gave back")
	}
	b.limit(0, lease.Joining)
	if in := b.must(events.Register); in.Want != 4 || in.Ceiling != 0 {
		t.Fatalf("%+v", in)
	}
	b.grant(4)
	b.limit(4, lease.Leased)
}

// Somebody wants connections again before the goodbye is made.
func TestReleaseWithARequestBetween(t *testing.T) {
	b := joined(t, 5)
	b.SetWant(b.now, 0)
	b.held = 0
	b.SetWant(b.now, 4)
	b.Send(b.now, events.Release, lease.Usage{})
	b.limit(0, lease.Joining)
	b.must(events.Register)
}

func TestRegistersAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		happen func(*bench)
	}{
		{"unknown", func(b *bench) { b.grant(0, unknown) }},
		{"ended", func(b *bench) { b.grant(0, verb(events.Ended), why(events.Lapsed)) }},
		{"cleaned", func(b *bench) { b.grant(0, verb(events.Ended), why(events.Cleaned)) }},
		{"another incarnation", func(b *bench) { b.Learn(events.Look{Incarnation: 9, Led: true}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := joined(t, 5)
			b.pass(ttl / 3)
			b.must(events.Renew)
			test.happen(b)
			b.must(events.Register)
			b.Learn(events.Look{Incarnation: 9, Led: true})
			b.grant(5, incarnation(9))
			b.limit(5, lease.Leased)
			b.silent()
		})
	}
}

func TestSaying(t *testing.T) {
	b := joined(t, 5)
	if b.Saying() != b.Counter() {
		t.Fatal("has to say again what it said")
	}
	b.SetWant(b.now, 6)
	b.SetWant(b.now, 6) // twice, before it is sent
	if b.Saying() != b.Counter()+1 {
		t.Fatal("takes for said what is not")
	}
}

func TestIgnores(t *testing.T) {
	b := joined(t, 5)
	for name, change := range map[string]func(*events.Grant){
		"another container's": func(g *events.Grant) { g.Container = "d" },
		"an old one":          func(g *events.Grant) { g.Sequence = 1 },
		"what it never said":  func(g *events.Grant) { g.Ack++ },
	} {
		if b.grant(9, change) {
			t.Errorf("takes in %s", name)
		}
	}
	b.limit(5, lease.Leased)
}

// TestImports: a container must not carry the arbiter along.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/conncord/conncord/client/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "conncord/arbiter") {
			t.Errorf("the client depends on %s", line)
		}
	}
	out, err = exec.Command("go", "list", "-deps", "github.com/conncord/conncord/client/lease").Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "conncord/client/internal") {
		t.Error("the machine depends on the pools")
	}
}

func TestReport(t *testing.T) {
	b := newBench(t, 5)
	b.must(events.Register)
	b.grant(5)
	if b.Report(lease.Usage{}) {
		t.Error("nothing has changed, and it is news")
	}
	if !b.Report(lease.Usage{InUse: 2}) || b.Report(lease.Usage{InUse: 3}) {
		t.Error("that two are in use must be news once")
	}
	b.silent()
	if next := b.Next(b.now); next.After(b.now.Add(15 * time.Second)) {
		t.Errorf("it wakes only in %v", next.Sub(b.now))
	}
	b.pass(9 * time.Second)
	b.Report(lease.Usage{})
	b.silent() // it looks as it did when that was said
}

func TestReportIsSent(t *testing.T) {
	b := newBench(t, 5, func(c *lease.Config) { c.TTL = 10 * time.Minute })
	b.must(events.Register)
	b.grant(5, func(g *events.Grant) { g.TTL = 10 * time.Minute })
	b.Report(lease.Usage{InUse: 2})
	b.pass(14 * time.Second)
	b.silent()
	b.pass(time.Second)
	b.must(events.Renew)
	b.grant(5, func(g *events.Grant) { g.TTL = 10 * time.Minute })
	b.pass(20 * time.Second)
	b.silent() // that is what was said
}

// TestCleanup asks for a cleanup while the want changes: neither is lost.
func TestCleanup(t *testing.T) {
	b := newBench(t, 5)
	b.must(events.Register)
	b.grant(5)
	b.SetWant(b.now, 8)
	in := b.Cleanup(b.now)
	if in.Kind != events.Cleanup || in.Counter != 2 || b.Answered(2) {
		t.Errorf("says %+v, answered: %v", in, b.Answered(2))
	}
	if in := b.must(events.Request); in.Want != 8 || in.Counter != 3 {
		t.Errorf("then says %+v", in)
	}
	b.grant(8)
	if !b.Answered(2) {
		t.Error("the answer to a later intent does not answer the cleanup")
	}
}
