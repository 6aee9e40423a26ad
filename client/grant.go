package client

import (
	"time"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

// A Grant is what a container may hold at a moment.
type Grant struct {
	Mode  lease.Mode
	Conns int // physical connections that the container may hold
	Want  int // connections that it wants
	Lease string
	Epoch uint64 // of the leadership that decided
	// Until is when the lease ends if it is not renewed; the zero time when there
	// is no lease.
	Until time.Time
	// When Conns is less than Want: why, the container's place in the queue from 1
	// (0: unknown), and who holds the connections.
	Reason   string
	Position int
	Holders  []events.Holder
}

// grantLocked returns the present grant.
func (c *Coordinator) grantLocked(now time.Time) Grant {
	g := Grant{Mode: c.machine.Mode(now), Conns: c.machine.Limit(now), Want: c.machine.Want(), Until: c.machine.Deadline()}
	if mine := c.machine.Grant(); mine != nil {
		g.Lease, g.Epoch = mine.Lease, mine.Epoch
		g.Reason, g.Position, g.Holders = mine.Reason.String(), mine.Position, mine.Holders
	}
	switch g.Mode {
	case lease.Fallback:
		if !c.machine.Grant().Gone() { // else the arbiter has said why
			g.Reason = "the lease could not be renewed in time"
		}
	case lease.Local:
		g.Reason = "no arbiter answers"
		if c.redis.off {
			g.Reason = "Redis does not answer"
		}
	}
	return g
}

// exhaustedLocked says why the container has fewer connections than it wants.
func (c *Coordinator) exhaustedLocked(cause error) *ExhaustedError {
	g := c.grantLocked(time.Now())
	e := &ExhaustedError{Service: c.cfg.Service, Units: g.Conns, Want: g.Want, Reason: g.Reason, Position: g.Position, Holders: g.Holders, Cause: cause}
	switch {
	case c.gate.Refusal() != nil && c.gate.Open() < g.Conns:
		e.Reason = "the database itself is full: connections opened past Conncord have taken its room"
	case c.redis.off && g.Mode != lease.Local:
		e.Reason = "Redis does not answer, and without it a lease cannot grow"
	case e.Reason == "" && g.Mode == lease.Released:
		e.Reason = "the connections were released"
	case g.Conns < g.Want && e.Reason == "":
		e.Reason = "the arbiter has not answered yet"
	case g.Conns >= g.Want:
		e.Reason = "all of them are in use"
	}
	return e
}
