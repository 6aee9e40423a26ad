package lease_test

import (
	"testing"
	"time"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

const window = 1500 * time.Millisecond

// beatingBench is one whose lease of ten was granted at once, with a window.
func beatingBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, 10)
	b.must(events.Register)
	b.grant(10, windowed)
	return b
}

func windowed(g *events.Grant)  { g.Window = window }
func suspended(g *events.Grant) { g.Suspended = true }

// opens reports whether connections may be opened now.
func (b *bench) opens() bool {
	a := b.Admission(b.now)
	return a.Until.IsZero() || b.now.Before(a.Until)
}

// beat is a heartbeat whose look finds the newest grant.
func (b *bench) beat() {
	b.Beat()
	b.Beaten(b.now, b.now, events.Look{Grant: b.Grant(), Incarnation: 1, Led: true})
}

// TestHeartbeatsKeepAdmission: each extends it, and one that comes too late does
// not bring it back, because an arbiter may have given away what is not open, and
// Redis have lost the record of it. An arbiter has to hear the container.
func TestHeartbeatsKeepAdmission(t *testing.T) {
	b := beatingBench(t)
	for range 4 {
		b.pass(window / 2)
		b.beat()
	}
	if !b.opens() {
		t.Fatal("it beats, and may open nothing")
	}
	b.pass(window)
	b.beat()
	if b.opens() {
		t.Fatal("a heartbeat brought back what had lapsed")
	}
	b.must(events.Renew)
	b.grant(10, windowed)
	if !b.opens() {
		t.Error("it was heard, and may open nothing")
	}
}

// TestSuspendedWithoutWindow: the leader does not see the database any more, but
// what the one before it took from the container is gone all the same.
func TestSuspendedWithoutWindow(t *testing.T) {
	b := beatingBench(t)
	b.pass(4 * window)
	b.grant(10, suspended)
	if b.opens() {
		t.Error("it is suspended, and opens connections")
	}
}

// TestWindowIsKept: a leader that does not see the database grants without one, but
// the next leader may see it, and knows from former heartbeats that the container
// beats.
func TestWindowIsKept(t *testing.T) {
	b := beatingBench(t)
	b.grant(10)
	if b.BeatEvery() == 0 {
		t.Error("it beats no more")
	}
	b.pass(2 * window)
	if b.opens() {
		t.Error("it does not beat, and opens connections")
	}
}

// TestReassertAfterLapse: what a container does not have when it has lapsed, it
// does not re-assert to another incarnation; what it can open by a connection
// that it has, it does.
func TestReassertAfterLapse(t *testing.T) {
	for _, c := range []struct {
		held, ceiling int
		beats         bool
	}{{0, 0, false}, {1, 2, false}, {7, 7, false}, {0, 10, true}} {
		b := beatingBench(t)
		b.held = c.held
		for range 4 {
			b.pass(window / 2)
			if c.beats {
				b.beat()
			}
		}
		b.Learn(events.Look{Incarnation: 2, Led: true})
		if in := b.must(events.Register); in.Ceiling != c.ceiling {
			t.Errorf("%+v: it re-asserts %d", c, in.Ceiling)
		}
	}
}

// TestToldIsNotAlone: a container whose lease has ended for so long that it goes on
// alone may open its fallback, and says so; as soon as an arbiter tells it anything,
// it may not, whatever it is told.
func TestToldIsNotAlone(t *testing.T) {
	for _, c := range []struct {
		name    string
		told    func(*events.Grant)
		ceiling int
	}{
		{"nothing", nil, 2},
		{"ended", func(g *events.Grant) { g.Verb, g.Units, g.Suspended = events.Ended, 0, true }, 0},
		{"unknown", func(g *events.Grant) { unknown(g); g.Suspended = true }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := beatingBench(t)
			b.pass(ttl + 4*time.Second)
			if b.Mode(b.now) != lease.Fallback {
				t.Fatal("its lease has not ended")
			}
			b.pass(4 * time.Second)
			if !b.Admission(b.now).Alone {
				t.Fatal("it is not alone")
			}
			if c.told != nil {
				b.grant(0, c.told)
				if b.Admission(b.now).Alone {
					t.Error("it was told something, and is alone")
				}
			}
			b.Learn(events.Look{Incarnation: 2, Led: true})
			if in := b.must(events.Register); in.Ceiling != c.ceiling {
				t.Errorf("it says that it may have %d", in.Ceiling)
			}
			b.pass(4 * time.Second)
			if !b.Admission(b.now).Alone {
				t.Error("it was told nothing any more, and is not alone")
			}
		})
	}
}
