package ledger

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

// names are the services that members belong to; the last is not listed.
var names = []string{"scraper", "api", "viewer", "monitoring", "external", "reports"}

func drawPolicy(t *rapid.T) events.Policy {
	p := defaults(rapid.SampledFrom([]int{13, 20, 60, 200}).Draw(t, "limit"))
	p.TTL = events.Millis(rapid.Int64Range(4, 20).Draw(t, "ttl") * 1000)
	if rapid.Bool().Draw(t, "own services") {
		left := p.Available()
		for i := range p.Services {
			s := &p.Services[i]
			s.Priority = rapid.IntRange(1, 5).Draw(t, "priority")
			s.Minimum = rapid.IntRange(0, min(left, 6)).Draw(t, "minimum")
			left -= s.Minimum
			if rapid.IntRange(0, 3).Draw(t, "bounded") == 0 {
				s.Maximum = max(1, s.Minimum+rapid.IntRange(0, 10).Draw(t, "maximum"))
			}
		}
	}
	p.Unlisted.Priority = rapid.IntRange(0, 2).Draw(t, "unlisted")
	return p
}

// join lets a new member appear, perhaps one that began in local mode.
func (w *world) join() *peer {
	m := newPeer(fmt.Sprintf("c%d", len(w.fleet)), rapid.SampledFrom(names).Draw(w.T, "service"))
	m.strict = rapid.IntRange(0, 4).Draw(w.T, "strict") == 0
	m.slow = rapid.Bool().Draw(w.T, "slow clock")
	m.ttl = rapid.SampledFrom([]int64{0, 0, 1000, 3000}).Draw(w.T, "asked ttl")
	m.want = rapid.IntRange(0, 30).Draw(w.T, "want")
	m.ghost = true // until it is heard for the first time
	if rapid.IntRange(0, 9).Draw(w.T, "local mode") == 0 {
		m.local = rapid.IntRange(1, 3).Draw(w.T, "local")
		m.phys = rapid.IntRange(0, m.local).Draw(w.T, "phys")
	}
	w.fleet = append(w.fleet, m)
	return m
}

func (w *world) some() *peer {
	var alive []*peer
	for _, m := range w.fleet {
		if m.alive {
			alive = append(alive, m)
		}
	}
	if len(alive) == 0 {
		w.Skip("nobody is alive")
	}
	return rapid.SampledFrom(alive).Draw(w.T, "member")
}

// actions are what can happen in a world.
func (w *world) actions() map[string]func(*rapid.T) {
	kinds := []events.Kind{events.Renew, events.Renew, events.Request, events.Register}
	acts := map[string]func(){
		"join": func() {
			if len(w.fleet) >= 12 {
				w.Skip("enough")
			}
			w.send(w.join(), events.Register, false)
		},
		"send": func() {
			m := w.some()
			kind := events.Release
			if !m.leaving {
				kind = rapid.SampledFrom(kinds).Draw(w.T, "kind")
			}
			w.send(m, kind, rapid.Bool().Draw(w.T, "lower"))
		},
		"want": func() {
			m := w.some()
			m.want = rapid.IntRange(0, 40).Draw(w.T, "want")
		},
		"see":     func() { w.some().see(w.now) },
		"connect": func() { m := w.some(); w.connect(m) },
		"close": func() {
			m := w.some()
			m.phys = rapid.IntRange(0, m.phys).Draw(w.T, "left")
		},
		"take":  func() { w.take() },
		"take2": func() { w.take(); w.take() },
		"tick":  func() { w.tick() },
		"pass":  func() { w.pass(rapid.Int64Range(1, 6000).Draw(w.T, "ms"), true) },
		"long": func() {
			w.pass(rapid.Int64Range(1, 30_000).Draw(w.T, "ms"), rapid.Bool().Draw(w.T, "led"))
		},
		"again": func() {
			if len(w.inbox) == 0 {
				w.Skip("empty")
			}
			w.inbox = append(w.inbox, rapid.SampledFrom(w.inbox).Draw(w.T, "again"))
		},
		"swap": func() {
			if n := len(w.inbox); n > 1 {
				i := rapid.IntRange(1, n-1).Draw(w.T, "swap")
				w.inbox[i], w.inbox[i-1] = w.inbox[i-1], w.inbox[i]
			}
		},
		"die": func() {
			m := w.some()
			m.alive, m.phys = false, 0
		},
		"leave":   func() { w.send(w.some(), events.Release, false) },
		"garbage": func() { w.inbox = append(w.inbox, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(w.T, "garbage")) },
		"cleanup": func() { w.inbox = append(w.inbox, events.EncodeIntent(&events.Intent{Kind: events.Cleanup, Container: "op"})) },
		"policy":  func() { w.say(events.Intent{Kind: events.SetPolicy, Policy: drawPolicy(w.T)}) },
	}
	out := map[string]func(*rapid.T){"": func(*rapid.T) { w.checkHeld() }}
	for name, act := range acts {
		out[name] = func(t *rapid.T) { w.T = t; act() }
	}
	return out
}

// connect opens connections, as far as the member may.
func (w *world) connect(m *peer) {
	if n := m.allowed(w.now); n > m.phys && !m.leaving {
		m.phys = rapid.IntRange(m.phys, n).Draw(w.T, "phys")
	}
}

// settle lets everybody who is alive listen and speak, for so many seconds.
func (w *world) settle(seconds int) {
	for range seconds {
		for len(w.inbox) > 0 {
			w.take()
		}
		for _, m := range w.fleet {
			if m.alive {
				m.see(w.now)
				m.phys = min(m.phys, m.allowed(w.now))
				if m.leaving {
					m.phys = 0
					w.send(m, events.Release, false)
				} else {
					w.send(m, events.Renew, false)
				}
			}
		}
		w.pass(1000, true)
		w.tick()
	}
}

// TestFleet runs random histories and, at the end, lets the fleet heal.
func TestFleet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, drawPolicy(t))
		t.Repeat(w.actions())
		w.T = t
		w.heal()
	})
}

// heal: a healed system converges, and then everybody has what the rule says.
func (w *world) heal() {
	w.settle(2*20 + 1) // those that died expire, and then lapse
	w.settle(6)
	if w.l.dead != 0 || w.l.slack != 0 {
		w.Fatalf("after healing %d are dead and %d not given up", w.l.dead, w.l.slack)
	}
	demand, sum := 0, 0
	for _, s := range w.l.services {
		sum += s.target
		demand += s.want
		if s.units < min(s.want, s.rule.Minimum) {
			w.Fatalf("service %s has %d of its minimum of %d", s.rule.Name, s.units, s.rule.Minimum)
		}
		if s.need > 0 {
			w.Fatalf("service %s still needs %d", s.rule.Name, s.need)
		}
	}
	if demand > w.l.policy.Available() && sum == w.l.policy.Available() {
		for id := range w.l.containers {
			if c, _ := w.l.Container(id); c.Units != target(w.l, id) {
				w.Fatalf("%s has %d, its target is %d", id, c.Units, target(w.l, id))
			}
		}
	}
	for range 3 {
		w.settle(1)
		if w.recalled {
			w.Fatal("still recalling")
		}
	}
}
