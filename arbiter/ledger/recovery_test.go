package ledger

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

// TestRecovery loses the history of a settled fleet. Some members are cut off
// and never heard again; they live on their lease and then on their fallback.
// Until the floor is lifted, all connections together never exceed what is
// available (I8).
func TestRecovery(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		w := newWorld(t, p)
		for range rapid.IntRange(2, 8).Draw(t, "fleet") {
			m := w.join()
			m.local, m.phys = 0, 0
			w.exchange(m)
		}
		w.settle(6)
		for _, m := range w.fleet {
			m.phys = m.allowed(w.now)
		}
		w.settle(1)
		w.lose(p)
		cut := map[*peer]bool{}
		for _, m := range w.fleet {
			cut[m] = rapid.IntRange(0, 2).Draw(t, "cut off") == 0
		}
		for range rapid.IntRange(10, 60).Draw(t, "steps") {
			w.recover(cut)
			if w.led >= w.l.floorUntil {
				break
			}
			sum := 0
			for _, m := range w.fleet {
				sum += m.phys
			}
			if sum > p.Available() {
				t.Fatalf("%d connections of %d, charged are %d", sum, p.Available(), w.l.charged)
			}
		}
	})
}

// lose begins a new incarnation that knows nothing.
func (w *world) lose(p events.Policy) {
	w.l = New(w.l.incarnation+1, w.l.sequence)
	w.inbox = nil
	for _, m := range w.fleet {
		m.ghost, m.ghostFrom = true, m.counter+1
	}
	w.say(events.Intent{Kind: events.Begin, Barrier: p.TTL})
	w.say(events.Intent{Kind: events.SetPolicy, Policy: p})
}

// recover is one step of a fleet after a loss.
func (w *world) recover(cut map[*peer]bool) {
	m := rapid.SampledFrom(w.fleet).Draw(w.T, "member")
	switch {
	case rapid.IntRange(0, 2).Draw(w.T, "pass") == 0:
		w.pass(rapid.Int64Range(1, 3000).Draw(w.T, "ms"), true)
		w.tick()
	case cut[m]:
		w.connect(m)
	case rapid.Bool().Draw(w.T, "exchange"):
		w.exchange(m)
	default:
		m.want = rapid.IntRange(0, 30).Draw(w.T, "want")
		m.see(w.now)
		w.connect(m)
	}
}
