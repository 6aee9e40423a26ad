package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/events"
)

// A database is the model of the PostgreSQL that everybody shares: who has a
// backend there.
type database struct {
	w *world
	Database
	external    int           // connections past Conncord
	down, blind int           // how many faults keep it from running, and from showing anything
	dim         time.Duration // looks and dials take up to so long
	pids        int32
}

// reach is what a stranger and an arbiter take: one connection each.
func (d *database) sessions() (n int) {
	for _, x := range d.w.nodes {
		if x.run != nil && x.run.lookout != nil && x.run.lookout.session {
			n++
		}
	}
	return n
}

// containers is how many backends the containers have.
func (d *database) containers() (n int) {
	for _, b := range d.w.boxes {
		n += b.pool.backends()
	}
	return n
}

// free is how many connections ordinary roles can still open.
func (d *database) free() int { return d.Usable - d.containers() - d.external - d.sessions() }

// full reports whether a container's connection would be refused.
func (d *database) full() bool {
	return d.free() <= 0 || d.Bound > 0 && d.containers() >= d.Bound
}

// come lets others open connections, as many as there is room for.
func (d *database) come(n int) (leave func()) {
	n = min(n, max(0, d.free()))
	d.external += n
	return func() { d.external -= n }
}

// restart ends every backend.
func (d *database) restart() {
	for _, x := range d.w.nodes {
		if x.run != nil && x.run.lookout != nil {
			x.run.lookout.session = false
		}
	}
}

// pause has a container that was refused wait before it tries again.
func (d *database) pause(p *pool) {
	p.refused = min(max(2*p.refused, minRefused), maxRefused)
	p.next.cancel()
	p.next = p.onTime(p.refused, func() {
		p.next = nil
		p.poke()
	})
}

// scarce reports whether a container has to wait after a refusal, or tries one
// at a time.
func (d *database) scarce(p *pool) bool { return p.refused > 0 && (p.next != nil || len(p.dials) > 0) }

// show is what the database shows at this moment to a look that began then.
func (d *database) show(began time.Duration) observer.Look {
	look := observer.Look{
		Began: began.Microseconds(), Max: d.Usable, Usable: d.Usable, Bound: events.MaxUnits,
		Platform: d.sessions(), External: d.external, Named: true, MayEnd: true,
	}
	if d.Bound > 0 {
		look.Bound = d.Bound
	}
	for _, b := range d.w.boxes {
		for _, list := range [][]*conn{b.pool.held, b.pool.used, b.pool.closing} {
			for _, c := range list {
				look.Backends = append(look.Backends, observer.Backend{
					PID: c.pid, Start: c.start.Microseconds(), Service: b.member.Service, Tag: b.tag,
				})
			}
		}
	}
	slices.SortFunc(look.Backends, func(a, b observer.Backend) int {
		return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Start, b.Start), cmp.Compare(a.PID, b.PID))
	})
	return look
}

// terminate ends a backend, if it is still the one that was meant.
func (d *database) terminate(v observer.Backend) bool {
	for _, b := range d.w.boxes {
		for _, list := range [][]*conn{b.pool.held, b.pool.used, b.pool.closing} {
			for _, c := range list {
				if c.pid == v.PID && c.start.Microseconds() == v.Start && b.tag == v.Tag {
					d.w.tellf("%s: backend %d is ended", b.id, c.pid)
					b.pool.forget(c)
					b.act(b.poke)
					return true
				}
			}
		}
	}
	return false
}
