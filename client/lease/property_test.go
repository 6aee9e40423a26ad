package lease_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

// pointless ends an action that can do nothing now. To skip it would do, but a
// fuzzer can choose so many of these in a row that rapid takes it for a failure.
type pointless struct{}

func (w *world) join() {
	b := &box{
		id: fmt.Sprintf("c%d", len(w.fleet)), born: w.now, alive: true, stranger: true,
		rate: time.Duration(rapid.SampledFrom([]int{slowest, 100, 120}).Draw(w.T, "clock")),
	}
	cfg := lease.Config{
		Container: b.id, Service: rapid.SampledFrom([]string{"scraper", "api", "viewer", "reports"}).Draw(w.T, "service"),
		Strict: rapid.IntRange(0, 4).Draw(w.T, "strict") == 0,
		TTL:    time.Duration(rapid.SampledFrom([]int{0, 0, 1, 9}).Draw(w.T, "asked ttl")) * time.Second,
		Local:  rapid.IntRange(0, 3).Draw(w.T, "local"), JoinWithin: 3 * time.Second,
	}
	b.Machine = lease.New(cfg, b.clock(w.now), rapid.IntRange(0, 30).Draw(w.T, "want"))
	w.fleet = append(w.fleet, b)
}

func (w *world) some() *box {
	var able []*box
	for _, b := range w.fleet {
		if b.alive && !b.paused {
			able = append(able, b)
		}
	}
	if len(able) == 0 {
		panic(pointless{})
	}
	return rapid.SampledFrom(able).Draw(w.T, "box")
}

func (w *world) lost() bool { return rapid.IntRange(0, 4).Draw(w.T, "lost") == 0 }

// exchange is a round in which most things work.
func (w *world) exchange() {
	for _, b := range w.fleet {
		if b.alive && !b.paused {
			b.shrink(w.now)
			w.send(b, false)
		}
	}
	for range len(w.inbox) {
		w.take()
	}
	for _, b := range w.fleet {
		if b.alive && !b.paused {
			w.look(b)
			b.rings = nil
			b.open(w.now)
		}
	}
}

func (w *world) actions() map[string]func(*rapid.T) {
	acts := map[string]func(){
		"join": func() {
			if len(w.fleet) >= 8 {
				panic(pointless{})
			}
			w.join()
		},
		"want": func() {
			b := w.some()
			b.SetWant(b.clock(w.now), rapid.IntRange(0, 30).Draw(w.T, "want"))
		},
		"resize": func() { // up and down and up again, with intents in between
			b := w.some()
			for range 3 {
				b.SetWant(b.clock(w.now), rapid.IntRange(0, 30).Draw(w.T, "want"))
				if rapid.Bool().Draw(w.T, "shrink") {
					b.shrink(w.now)
				}
				w.send(b, w.lost())
				b.open(w.now)
				w.check()
			}
		},
		"send":   func() { w.send(w.some(), w.lost()) },
		"open":   func() { w.some().open(w.now) },
		"shrink": func() { w.some().shrink(w.now) },
		"use":    func() { b := w.some(); b.inUse = rapid.IntRange(0, b.held).Draw(w.T, "in use") },
		"look":   func() { w.look(w.some()) },
		"ring": func() {
			if b := w.some(); len(b.rings) > 0 {
				g := b.rings[0]
				b.rings = b.rings[1:]
				w.see(b, g)
			}
		},
		"deaf":     func() { w.some().rings = nil },
		"exchange": func() { w.exchange() },
		"leave":    func() { w.leave(w.some(), w.lost()) },
		"die":      func() { b := w.some(); b.alive, b.held = false, 0 },
		"pause":    func() { w.some().paused = true },
		"resume": func() {
			for _, b := range w.fleet {
				b.paused = false
				b.obey(w.now)
			}
		},
		"take":  func() { w.take() },
		"take3": func() { w.take(); w.take(); w.take() },
		"tick":  func() { w.tick() },
		"again": func() {
			if len(w.inbox) > 0 {
				w.inbox = append(w.inbox, rapid.SampledFrom(w.inbox).Draw(w.T, "again"))
			}
		},
		"swap": func() {
			if n := len(w.inbox); n > 1 {
				i := rapid.IntRange(1, n-1).Draw(w.T, "swap")
				w.inbox[i], w.inbox[i-1] = w.inbox[i-1], w.inbox[i]
			}
		},
		"pass":   func() { w.pass(time.Duration(rapid.IntRange(1, 3000).Draw(w.T, "ms")) * time.Millisecond) },
		"long":   func() { w.pass(time.Duration(rapid.IntRange(1, 30).Draw(w.T, "s")) * time.Second) },
		"leader": func() { w.leads = !w.leads },
		"wipe": func() {
			if w.lives < 3 && len(w.fleet) > 1 && rapid.IntRange(0, 3).Draw(w.T, "wipe") == 0 {
				w.wipe()
			}
		},
		"policy": func() {
			w.policy = drawPolicy(w.T)
			w.say(events.Intent{Kind: events.SetPolicy, Policy: w.policy})
		},
		"cleanup": func() {
			if rapid.IntRange(0, 3).Draw(w.T, "cleanup") == 0 {
				w.inbox = append(w.inbox, events.EncodeIntent(&events.Intent{Kind: events.Cleanup, Container: "operator"}))
			}
		},
	}
	out := map[string]func(*rapid.T){"": func(t *rapid.T) { w.T = t; w.check() }}
	for name, act := range acts {
		out[name] = func(t *rapid.T) {
			defer func() {
				if r := recover(); r != nil && r != (pointless{}) {
					panic(r)
				}
			}()
			w.T = t
			act()
		}
	}
	return out
}

// TestFleet runs random histories of machines and the real ledger, and lets them
// heal at the end.
func TestFleet(t *testing.T) { rapid.Check(t, fleet) }

// FuzzFleet looks for histories that reach code which no other has reached.
func FuzzFleet(f *testing.F) { f.Fuzz(rapid.MakeFuzz(fleet)) }

func fleet(t *rapid.T) {
	w := newWorld(t)
	t.Repeat(w.actions())
	w.T = t
	w.heal()
}

// work lets everything work.
func (w *world) work(d time.Duration) {
	const round = 500 * time.Millisecond
	for ; d > 0; d -= round {
		w.exchange()
		w.pass(round)
		w.tick()
	}
}

// heal: when everything works again, everybody soon has what it is due, and says
// no more than it must.
func (w *world) heal() {
	w.leads = true
	for _, b := range w.fleet {
		b.paused, b.inUse = false, 0
		b.obey(w.now)
	}
	w.work(3 * maxTTL) // the dead lapse, barriers open
	before := w.entries
	const quiet = 10 * time.Second
	w.work(quiet)
	want, units := 0, 0
	for _, b := range w.fleet {
		if !b.alive || b.Mode(b.clock(w.now)) == lease.Released {
			continue
		}
		c, known := w.l.Container(b.id)
		limit := b.Limit(b.clock(w.now))
		if !known || b.Mode(b.clock(w.now)) != lease.Leased || limit != c.Units || b.held != limit || c.Charge != c.Units || c.Want != min(b.Want(), w.policy.Limit) {
			w.Fatalf("not healed: %s holds %d and may hold %d of %d, mode %v\nledger %+v\ngrant %+v", b.id, b.held, limit, b.Want(), b.Mode(b.clock(w.now)), c, b.Grant())
		}
		want += c.Want
		units += c.Units
	}
	if units != min(want, w.policy.Available()) {
		w.Fatalf("%d of %d are in use although %d are wanted", units, w.policy.Available(), want)
	}
	// The shortest lease here lasts 8 s: at most four renewals in the quiet time.
	if said := w.entries - before; said > 5*len(w.fleet) {
		w.Fatalf("%d containers say %d things in %v", len(w.fleet), said, quiet)
	}
}
