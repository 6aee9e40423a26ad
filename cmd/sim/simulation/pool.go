package simulation

import "time"

// How slow connections are.
const (
	idleReap   = 30 * time.Millisecond // a backend ends when its client says goodbye
	orphanReap = time.Second           // and during a query, when it looks whether the client is there
	useTime    = 4 * time.Second       // most uses are shorter
	longUse    = 30 * time.Second
)

// A pool is the connections of one container, as the database sees them: one
// that is being opened counts from the first packet, one that is closed until
// its backend has ended.
type pool struct {
	*box
	held    int      // opened, and not being given back
	used    []*event // in use and to be closed when returned
	closing int      // closed by the container
	lost    int      // how often the database ended all of them
}

// open returns how many connections the database may see.
func (p *pool) open() int { return p.held + len(p.used) + p.closing }

// follow opens what may be opened and gives back what must be.
func (p *pool) follow() {
	now := p.clock()
	limit := p.m.Limit(now)
	for p.held+len(p.used) > limit && p.held > 0 {
		p.held--
		p.surrender()
	}
	if p.m.Overdue(now) && p.open() > limit {
		for len(p.used) > 0 && p.held+len(p.used) > limit {
			n := len(p.used) - 1
			p.used[n].cancel()
			p.used = p.used[:n]
			p.close(p.reap())
		}
	}
	for len(p.used) > 0 && p.held+len(p.used) <= limit { // still in use, and may stay so
		n := len(p.used) - 1
		p.used[n].cancel()
		p.used = p.used[:n]
		p.held++
	}
	for p.open() < limit {
		p.held++
	}
}

// surrender gives one connection back: at once if it is idle, else when it is
// returned.
func (p *pool) surrender() {
	if one(p.dice, 2) {
		p.close(idleReap)
		return
	}
	busy := between(p.dice, time.Millisecond, useTime)
	if one(p.dice, 10) {
		busy = longUse
	}
	var e *event
	e = p.w.after(busy, func() {
		p.act(func() {
			for i, u := range p.used {
				if u == e {
					p.used = append(p.used[:i], p.used[i+1:]...)
					p.close(idleReap)
					p.poke()
					return
				}
			}
		})
	})
	p.used = append(p.used, e)
}

// close closes a connection; its backend ends within the given time.
func (p *pool) close(within time.Duration) {
	p.closing++
	lost := p.lost
	p.w.after(between(p.dice, 0, within), func() {
		if p.lost != lost {
			return
		}
		p.closing--
		p.w.watch(p.box)
		p.act(p.poke)
	})
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
	n := p.held + len(p.used)
	p.held = 0
	for _, e := range p.used {
		e.cancel()
	}
	p.used = nil
	for range n {
		p.close(p.reap())
	}
}

// lose: the database has ended all of them.
func (p *pool) lose() {
	p.held, p.closing = 0, 0
	p.lost++
	for _, e := range p.used {
		e.cancel()
	}
	p.used = nil
	p.act(p.poke)
}
