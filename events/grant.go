package events

import "time"

// A Grant is what a container finds in its mailbox: its lease as it is now. A
// newer one replaces an older one entirely; of two with the same incarnation
// the one with the greater sequence is newer.
type Grant struct {
	Verb        Verb
	Container   string
	Incarnation uint64
	Epoch       uint64
	Sequence    uint64 // of the record that wrote it; a container echoes it as Seen
	Ack         uint64 // counter of the container's newest intent that was taken
	Anchor      uint64 // counter of the intent from whose sending the TTL counts

	Lease    string
	Units    int           // connections that the container may hold
	Charge   int           // connections that the arbiter still counts for it: more than Units until it says that they are gone
	Want     int           // connections that it asked for, as capped
	Fallback int           // connections that it may hold once the lease has expired
	Minimum  int           // its part of its service's minimum: never ask for less
	TTL      time.Duration // from the sending of the anchor
	Margin   time.Duration // end the lease so much earlier, for clocks that drift
	Reason   Reason

	// Window, if it is not 0, is for how long after a heartbeat the container may
	// open connections: see [Post.Beat]. Suspended is that it may open none until
	// it has been heard again, because its heartbeats had stopped.
	Window    time.Duration
	Suspended bool

	// When Units is less than Want:
	Position int      // place among the containers that wait, from 1; 0: not waiting
	Holders  []Holder // who has the connections, the most important first
}

// A Holder is a service and the connections that its containers have.
type Holder struct {
	Service  string
	Priority int
	Units    int
}

// Gone reports whether the container has no lease: it must register (again)
// to get one.
func (g *Grant) Gone() bool { return g.Lease == "" || g.Verb == Lost || g.Verb == Ended }

// Newer reports whether g is to replace old: it is of another incarnation, or a
// later one of the same.
func (g *Grant) Newer(old *Grant) bool {
	return g.Incarnation != old.Incarnation || g.Sequence > old.Sequence
}
