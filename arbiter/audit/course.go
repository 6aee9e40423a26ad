package audit

import (
	"cmp"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// A course sums up what one ledger decided over ledger time.
type course struct {
	tally     *tally
	services  map[string]*measure
	whole     measure
	available int
	now       int64
	led       int64 // milliseconds
	above     int64 // of these, with charges above what is available
	room      int64 // available unit-milliseconds
}

// A measure is what is counted, in unit-milliseconds.
type measure struct {
	granted, waiting, denied, charged int64
	figures                           Figures // of these only what is counted, not what is measured
}

func newCourse() *course { return &course{tally: newTally(), services: map[string]*measure{}} }

func (c *course) take(rec *events.Record, l *ledger.Ledger) {
	if c.tally.incarnation == rec.Incarnation {
		c.pass(rec.Ledger - c.now)
	}
	owner := func(id string) string {
		if h := c.tally.containers[id]; h != nil {
			return h.service.name
		}
		return ""
	}
	// Whom a record removes must be counted with the service that it was of.
	was := make([]string, len(rec.Decisions))
	for i := range rec.Decisions {
		was[i] = owner(rec.Decisions[i].Container)
	}
	c.tally.take(rec, l)
	c.now, c.available = rec.Ledger, rec.Available
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		if name := cmp.Or(owner(d.Container), was[i]); name != "" {
			count(&c.service(name).figures, d)
		}
		count(&c.whole.figures, d)
	}
	total := 0
	for name, s := range c.tally.services {
		f := &c.service(name).figures
		f.Peak = max(f.Peak, s.charge)
		total += s.charge
	}
	c.whole.figures.Peak = max(c.whole.figures.Peak, total)
}

func count(f *Figures, d *events.Decision) {
	switch {
	case d.Verb == events.Granted && d.Units > 0, d.Verb == events.Grown:
		f.Grants++
	case d.Verb == events.Recalling:
		f.Recalls++
	case lost(d):
		f.Losses++
	}
}

func (c *course) service(name string) *measure {
	m := c.services[name]
	if m == nil {
		m = &measure{}
		c.services[name] = m
	}
	return m
}

// pass counts what stood for so many milliseconds.
func (c *course) pass(ms int64) {
	if ms <= 0 {
		return
	}
	c.led += ms
	c.room += ms * int64(c.available)
	charged := 0
	for name, s := range c.tally.services {
		c.service(name).add(&s.share, ms)
		c.whole.add(&s.share, ms)
		charged += s.charge
	}
	if charged > c.available {
		c.above += ms
	}
}

func (m *measure) add(s *share, ms int64) {
	m.granted += ms * int64(s.units)
	m.waiting += ms * int64(s.waiting)
	m.denied += ms * int64(s.denied)
	m.charged += ms * int64(s.charge)
}

func (c *course) total() Figures { return c.whole.in(c.room) }

func (c *course) figures(name string) Figures { return c.service(name).in(c.room) }

// in are the figures, with the room that there was in unit-milliseconds.
func (m *measure) in(room int64) Figures {
	f := m.figures
	f.GrantedSecs, f.WaitingSecs, f.DeniedSecs, f.ChargedSecs = m.granted/1000, m.waiting/1000, m.denied/1000, m.charged/1000
	f.Utilization = status.Percent(int(f.ChargedSecs), int(room/1000))
	return f
}
