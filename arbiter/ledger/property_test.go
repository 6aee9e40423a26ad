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
	p := defaults(rapid.SampledFrom([]int{13, 13, 20, 60, 200}).Draw(t, "limit"))
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

// actions are what can happen in a world. How often, is a matter of weights.
func (w *world) actions() map[string]func(*rapid.T) {
	acts := []struct {
		weight int
		name   string
		act    func()
	}{
		{1, "join", func() {
			if len(w.fleet) < 12 {
				w.send(w.join(), events.Register, false)
			}
		}},
		{4, "exchange", func() { w.exchange(w.some()) }},
		{3, "send", func() { w.speak(w.some()) }},
		{3, "want", func() { m := w.some(); m.want = rapid.IntRange(0, 30).Draw(w.T, "want"); w.exchange(m) }},
		{3, "see", func() { m := w.some(); m.see(w.now); w.connect(m) }},
		{1, "close", func() {
			m := w.some()
			m.phys = rapid.IntRange(0, m.phys).Draw(w.T, "left")
			m.have(w.now)
		}},
		{3, "take", func() { w.take(rapid.IntRange(0, 3).Draw(w.T, "which")) }},
		{2, "tick", func() { w.tick() }},
		{2, "pass", func() { w.pass(rapid.Int64Range(1, 4000).Draw(w.T, "ms"), true) }},
		{1, "long", func() { w.pass(rapid.Int64Range(1, 30_000).Draw(w.T, "ms"), rapid.Bool().Draw(w.T, "led")) }},
		{1, "again", func() {
			if n := len(w.sent); n > 0 {
				w.inbox = append(w.inbox, w.sent[n-1-rapid.IntRange(0, min(n-1, 20)).Draw(w.T, "again")])
			}
		}},
		{2, "beat", func() { m := w.some(); m.beat(w.now); w.connect(m) }},
		{3, "watch", func() {
			if w.l.look.Usable > 0 {
				w.watch()
			}
		}},
		{1, "rare", func() { w.rare() }},
	}
	out := map[string]func(*rapid.T){}
	for _, a := range acts {
		for i := range a.weight {
			out[fmt.Sprint(a.name, i)] = func(t *rapid.T) { w.T = t; a.act(); w.checkHeld() }
		}
	}
	return out
}

// rare is what seldom happens.
func (w *world) rare() {
	switch rapid.IntRange(0, 5).Draw(w.T, "rare") {
	case 0:
		m := w.some()
		m.alive, m.phys = false, 0
	case 1:
		w.send(w.some(), events.Release, false)
	case 2:
		w.inbox = append(w.inbox, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(w.T, "garbage"))
	case 3:
		w.inbox = append(w.inbox, events.EncodeIntent(&events.Intent{Kind: events.Cleanup, Container: "op"}))
	case 4:
		w.say(events.Intent{Kind: events.SetPolicy, Policy: drawPolicy(w.T)})
	case 5:
		w.say(events.Intent{Kind: events.Lead, Arbiter: "a", Host: "h"})
	}
}

// speak lets a member say something.
func (w *world) speak(m *peer) {
	kind := events.Release
	if !m.leaving {
		kind = rapid.SampledFrom([]events.Kind{events.Renew, events.Renew, events.Request, events.Register}).Draw(w.T, "kind")
	}
	w.send(m, kind, rapid.Bool().Draw(w.T, "lower"))
}

// exchange is the usual course of things: a member speaks, is answered at once,
// reads the answer and uses it.
func (w *world) exchange(m *peer) {
	w.speak(m)
	w.take(len(w.inbox) - 1)
	if rapid.IntRange(0, 3).Draw(w.T, "answered") > 0 {
		m.see(w.now)
	}
	w.connect(m)
}

// connect opens all or some of the connections that the member may have; now
// and then it closes some first.
func (w *world) connect(m *peer) {
	n := m.allowed(w.now)
	if m.phys <= n {
		n = m.can(w.now)
	}
	if m.phys > n {
		m.phys = rapid.SampledFrom([]int{n, m.phys, (n + m.phys) / 2}).Draw(w.T, "closing")
	} else if !m.leaving {
		m.phys = rapid.SampledFrom([]int{n, n, n, m.phys}).Draw(w.T, "opening")
	}
	m.have(w.now)
}

// settle lets everybody who is alive listen and speak, for so many seconds.
func (w *world) settle(seconds int) {
	for range seconds {
		for len(w.inbox) > 0 {
			w.take(0)
		}
		for _, m := range w.fleet {
			if m.alive {
				m.beat(w.now)
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
		if w.l.look.Usable > 0 {
			w.declare()
			w.look()
			w.report()
		}
		w.tick()
	}
}

// TestFleet runs random histories and, at the end, lets the fleet heal.
func TestFleet(t *testing.T) { rapid.Check(t, fleet) }

// FuzzFleet looks for histories that reach code which no other has reached.
func FuzzFleet(f *testing.F) { f.Fuzz(rapid.MakeFuzz(fleet)) }

func fleet(t *rapid.T) {
	w := newWorld(t, drawPolicy(t))
	for range rapid.IntRange(2, 5).Draw(t, "fleet") {
		w.exchange(w.join())
	}
	t.Repeat(w.actions())
	w.T = t
	if rapid.IntRange(0, 4).Draw(t, "heal") == 0 {
		w.heal()
	}
}

// heal: a healed system converges, and then everybody has what the rule says.
func (w *world) heal() {
	w.settle(2*20 + 1) // those that died expire, and then lapse
	w.settle(6)
	if w.l.dead != 0 || w.l.slack != 0 {
		w.Fatalf("after healing %d are dead and %d not given up", w.l.dead, w.l.slack)
	}
	demand, sum, minimums := 0, 0, 0
	for _, s := range w.l.services {
		minimums += min(s.want, s.rule.Minimum)
	}
	for _, s := range w.l.services {
		sum += s.target
		demand += s.want
		if s.units < min(s.want, s.rule.Minimum) && minimums <= w.l.available() { // else others leave no room
			w.Fatalf("service %s has %d of its minimum of %d", s.rule.Name, s.units, s.rule.Minimum)
		}
		if s.need > 0 {
			w.Fatalf("service %s still needs %d", s.rule.Name, s.need)
		}
	}
	if demand > w.l.available() && sum == w.l.available() {
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
