package fold

import "github.com/conncord/conncord/events"

// What the database shows. The ledger has the rule (arbiter/ledger/observe.go);
// here it is followed as far as people see it, and as far as it says when the
// recovery barrier opens.

// silence notes containers whose heartbeats have stopped.
func (s *State) silence(tags []string) {
	if s.look.Window == 0 {
		return
	}
	for _, tag := range tags {
		if c := s.tags[tag]; c != nil && c.silent == 0 && c.charge > 0 {
			c.silent = s.sequence
		}
	}
}

// observe takes what the database shows.
func (s *State) observe(o *events.Observation, rec *events.Record) {
	clear(s.strangers)
	s.strange = 0
	s.look = *o
	s.look.Held = nil
	for _, c := range s.containers {
		if c.shown > 0 || c.over > 0 {
			s.change(c, func() { c.shown, c.over = 0, 0 })
		}
	}
	fell := map[string]bool{}
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		if c := s.containers[d.Container]; c != nil && d.Charge < c.charge {
			fell[c.id] = true
		}
	}
	for i := range o.Held {
		h := &o.Held[i]
		c := s.tags[h.Tag]
		if c == nil {
			s.meet(h.Tag, h.Conns)
			continue
		}
		s.change(c, func() {
			c.shown = h.Conns
			if o.Named && c.fell <= o.Since && !fell[c.id] {
				c.over = max(0, h.Conns-c.charge)
			}
			if h.Silent && c.silent != 0 && c.silent <= o.Since {
				c.asleep = true
			}
		})
	}
	if o.Clear && s.strange+s.over == 0 {
		s.barrier = min(s.barrier, s.now)
	}
}
