package simulation

import (
	"slices"
	"time"

	"github.com/conncord/conncord/client/lease"
)

// How slow connections are.
const (
	idleReap   = 30 * time.Millisecond // a backend ends when its client says goodbye
	orphanReap = time.Second           // and during a query, when it looks whether the client is there
	useTime    = 4 * time.Second       // most uses are shorter
	longUse    = 30 * time.Second
)

// A pool is the connections of one container, as the database sees them: one
// that is being opened counts from the first packet, one that is closed until
// its backend has ended. When it may open some it decides as the client's gate
// does: see dial.go.
type pool struct {
	*box
	held    []*conn // opened, and not being given back
	used    []*conn // in use and to be closed when returned
	closing []*conn // closed by the container
	dials   []*dial // under way
	lost    int     // how often the database ended all of them

	need    int           // how many a lazy one uses at present
	refused time.Duration // the pause after the database refused one; 0: it did not
	next    *event        // the next try
	end     *event        // when what is under way is given up
}

// A conn is one connection that the database has accepted.
type conn struct {
	pid   int32
	start time.Duration // of its backend
	shows time.Time     // since when it shows that there is one, by the container's clock
	use   *event        // its return
}

// open returns how many connections the container counts.
func (p *pool) open() int { return p.backends() + len(p.dials) }

// backends returns how many the database has.
func (p *pool) backends() int { return len(p.held) + len(p.used) + len(p.closing) }

// seen returns how many connections the database may see. One that is opened by
// a lifeline is looked for in the database before anybody has it, and nothing
// that is under way is accepted while the process stands still.
func (p *pool) seen() int {
	n := p.backends()
	if p.paused > 0 {
		return n
	}
	for _, d := range p.dials {
		n += int(count(d.inWindow))
	}
	return n
}

// live returns how many are not being closed.
func (p *pool) live() int { return len(p.held) + len(p.used) + len(p.dials) }

// follow opens what may be opened and gives back what must be.
func (p *pool) follow() {
	now := p.clock()
	limit := p.m.Limit(now)
	for p.live() > limit && len(p.held) > 0 {
		p.surrender(p.drop())
	}
	if p.m.Overdue(now) && p.open() > limit {
		p.dials = p.dials[:min(len(p.dials), limit)]
		for len(p.used) > 0 && p.live() > limit {
			p.close(p.unuse(), p.reap())
		}
	}
	for len(p.used) > 0 && p.live() <= limit { // still in use, and may stay so
		p.held = append(p.held, p.unuse())
	}
	if p.member.Lazy {
		limit = min(limit, p.need)
		for len(p.held) > 0 && p.live() > limit {
			p.close(p.drop(), idleReap)
		}
	}
	p.grow(now, limit)
}

// drop takes a connection from those that are held.
func (p *pool) drop() *conn {
	i := len(p.held) - 1
	if p.w.db != nil {
		i = p.dice.IntN(len(p.held))
	}
	c := p.held[i]
	p.held = slices.Delete(p.held, i, i+1)
	return c
}

// unuse takes back a connection that was to be closed when returned.
func (p *pool) unuse() *conn {
	n := len(p.used) - 1
	c := p.used[n]
	p.used = p.used[:n]
	c.use.cancel()
	c.use = nil
	return c
}

// surrender gives one connection back: at once if it is idle, else when it is
// returned.
func (p *pool) surrender(c *conn) {
	if one(p.dice, 2) {
		p.close(c, idleReap)
		return
	}
	busy := between(p.dice, time.Millisecond, useTime)
	if one(p.dice, 10) {
		busy = longUse
	}
	c.use = p.w.after(busy, func() {
		p.act(func() {
			if i := slices.Index(p.used, c); i >= 0 {
				p.used = slices.Delete(p.used, i, i+1)
				p.close(c, idleReap)
				p.poke()
			}
		})
	})
	p.used = append(p.used, c)
}

// close closes a connection; its backend ends within the given time.
func (p *pool) close(c *conn, within time.Duration) {
	c.use = nil
	p.closing = append(p.closing, c)
	lost := p.lost
	p.w.after(between(p.dice, 0, within), func() {
		if p.lost != lost || !p.forget(c) {
			return
		}
		p.w.watch(p.box)
		p.act(p.poke)
	})
}

// forget takes a connection out that the database has ended.
func (p *pool) forget(c *conn) (had bool) {
	for _, list := range []*[]*conn{&p.held, &p.used, &p.closing} {
		if i := slices.Index(*list, c); i >= 0 {
			*list = slices.Delete(*list, i, i+1)
			c.use.cancel()
			had = true
		}
	}
	if had && p.backends() == 0 {
		p.ghost.gone = p.w.now
	}
	return had
}

// reap bounds how long the database takes to notice that a connection was closed
// during a query. The client allows for it.
func (p *pool) reap() time.Duration {
	if g := p.m.Grant(); g != nil {
		return min(g.TTL/10, orphanReap)
	}
	return orphanReap
}

// die: the process is gone and its sockets are closed.
func (p *pool) die() {
	all := slices.Concat(p.held, p.used)
	p.held, p.used, p.dials = nil, nil, nil
	for _, c := range all {
		c.use.cancel()
		p.close(c, p.reap())
	}
	p.ghost.gone = p.w.now
}

// lose: the database has ended all of them.
func (p *pool) lose() {
	for _, c := range p.used {
		c.use.cancel()
	}
	p.held, p.used, p.closing, p.dials = nil, nil, nil, nil
	p.lost++
	p.ghost.gone = p.w.now
	p.act(p.poke)
}

// live what a lazy container does: it needs now more, now less.
func (p *pool) vary() {
	p.need = p.dice.IntN(12)
	if one(p.dice, 3) {
		p.need = 0
	}
	p.onTime(between(p.dice, 100*time.Millisecond, 4*time.Second), p.vary)
	p.poke()
}

// admission is when connections may be opened, for the gate.
func (p *pool) admission() lease.Admission { return p.m.Admission(p.clock()) }
