package audit

import (
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A tally keeps the leases of a ledger and their sums by service, record by
// record, at the cost of what changes.
type tally struct {
	incarnation uint64
	sequence    uint64 // of the newest record that was taken
	containers  map[string]*holder
	tags        map[string]string // ids by tag
	services    map[string]*sums
}

// A holder is a container as it last stood.
type holder struct {
	service *sums
	share
}

// A share is what one container, or all of a service, have and want.
type share struct {
	units, charge   int
	waiting, denied int // wanted and not granted: by those that have something, and by those that have nothing
}

func (s *share) add(o share, sign int) {
	s.units += sign * o.units
	s.charge += sign * o.charge
	s.waiting += sign * o.waiting
	s.denied += sign * o.denied
}

// sums are the shares of a service's containers.
type sums struct {
	name string
	share
}

func newTally() *tally { return &tally{services: map[string]*sums{}} }

// load takes all containers of a ledger.
func (t *tally) load(l *ledger.Ledger) {
	t.incarnation = l.Incarnation()
	t.containers, t.tags = map[string]*holder{}, map[string]string{}
	for _, s := range t.services {
		s.share = share{}
	}
	snap := l.Snapshot()
	for i := range snap.Containers {
		t.set(&snap.Containers[i])
	}
}

// take takes the leases that a record changed; all of them when records before it
// were not taken, or it begins an incarnation. It reports whether that was so.
func (t *tally) take(rec *events.Record, l *ledger.Ledger) (all bool) {
	follows := t.incarnation == rec.Incarnation && t.sequence+1 == rec.Sequence
	t.sequence = rec.Sequence
	if !follows {
		t.load(l)
		return true
	}
	for i := range rec.Decisions {
		id := rec.Decisions[i].Container
		c, ok := l.Container(id)
		if ok {
			t.set(&c)
			continue
		}
		if h := t.containers[id]; h != nil {
			h.service.add(h.share, -1)
			delete(t.containers, id)
			delete(t.tags, events.Tag(id))
		}
	}
	return false
}

func (t *tally) set(c *events.ContainerState) {
	h := t.containers[c.ID]
	if h == nil {
		s := t.services[c.Service]
		if s == nil {
			s = &sums{name: c.Service}
			t.services[c.Service] = s
		}
		h = &holder{service: s}
		t.containers[c.ID] = h
		t.tags[events.Tag(c.ID)] = c.ID
	}
	h.service.add(h.share, -1)
	h.share = share{units: c.Units, charge: c.Charge}
	switch lacks := max(0, c.Want-c.Units); {
	case c.Lost || c.Asleep:
	case c.Units > 0:
		h.waiting = lacks
	default:
		h.denied = lacks
	}
	h.service.add(h.share, 1)
}
