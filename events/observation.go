package events

import (
	"encoding/hex"
	"math"
	"time"
)

// An Observation is what the database itself shows at one moment, as the leading
// arbiter saw it. It stands in the history whole, so that whoever re-derives the
// decisions sees what the arbiter saw. The zero value means that nobody looks:
// then the ledger goes by its books alone.
type Observation struct {
	// Since is the sequence of the newest record when the look began. What the
	// look shows cannot be older: a charge that fell since is not compared with it.
	Since uint64

	// Window is for how long after a heartbeat a container may open connections,
	// and Headroom how many connections stay free for whoever comes past Conncord.
	Window   time.Duration
	Headroom int

	Usable   int // connections that the database gives to ordinary roles in all; 0: nobody has looked yet
	Bound    int // most that containers can have by the limits of their roles and databases
	Platform int // connections of the platform's own roles and of the arbiter
	External int // connections of all others that are none of ours

	// Named is that everything about the containers' connections could be read.
	// If not, Held may count a container higher than it is, but never lower.
	Named bool
	// Clear is that the look began so long after the history began anew that
	// nobody can open connections any more by what it was granted before.
	Clear bool

	Held []Held // by tag
}

// Held is what the database shows of one container.
type Held struct {
	Tag   string // see [Tag]
	Conns int
	// Silent is that the container had been declared silent before the look
	// began, and that no heartbeat came since.
	Silent bool
}

func (w *writer) tag(tag string) {
	b, _ := hex.DecodeString(tag) // of those that Tag makes
	w.bytes(b)
}

func (r *reader) tag(at string) string {
	b := r.bytes(at, tagBytes)
	if r.err == nil && len(b) != tagBytes {
		r.fail(at, ErrName)
	}
	return hex.EncodeToString(b)
}

func encodeObservation(w *writer, o *Observation) {
	w.array(10)
	w.uint(o.Since)
	w.millis(o.Window)
	w.int(o.Headroom)
	w.int(o.Usable)
	w.int(o.Bound)
	w.int(o.Platform)
	w.int(o.External)
	w.bool(o.Named)
	w.bool(o.Clear)
	w.array(len(o.Held))
	for i := range o.Held {
		h := &o.Held[i]
		w.array(3)
		w.tag(h.Tag)
		w.int(h.Conns)
		w.bool(h.Silent)
	}
}

func decodeObservation(r *reader, o *Observation) {
	r.array("observation", 10)
	o.Since = r.uint("since", math.MaxInt64)
	o.Window = r.millis("window", MaxTTL)
	o.Headroom = r.units("headroom")
	o.Usable = r.units("usable")
	o.Bound = r.units("bound")
	o.Platform = r.units("platform")
	o.External = r.units("external")
	o.Named = r.bool("named")
	o.Clear = r.bool("clear")
	if n := r.arrayUpTo("held", MaxHeld); n > 0 {
		o.Held = make([]Held, n)
		for i := range o.Held {
			h := &o.Held[i]
			r.array("held", 3)
			h.Tag = r.tag("tag")
			h.Conns = r.units("connections")
			h.Silent = r.bool("silent")
			if i > 0 && h.Tag <= o.Held[i-1].Tag {
				r.fail("tag", ErrRange)
			}
		}
	}
}
