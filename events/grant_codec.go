package events

import (
	"math"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// grantVersion is the schema version that this program writes.
const grantVersion = 2

// grantUpcasters[v-1] lifts a grant of version v to v+1.
var grantUpcasters = []upcaster{
	// Version 2 added window and suspended.
	func(places []msgpack.RawMessage) ([]msgpack.RawMessage, error) {
		return append(places, msgpack.RawMessage{0}, msgpack.RawMessage{msgpcode.False}), nil
	},
}

// maxGrantBytes bounds a mailbox: the names and numbers of one lease, and of
// the holders.
const maxGrantBytes = 2 << 10

// EncodeGrant returns the content of a mailbox: [version, [fields…]].
func EncodeGrant(g *Grant) []byte {
	w := newWriter()
	w.array(2)
	w.uint(grantVersion)
	w.array(20)
	w.uint(uint64(g.Verb))
	w.str(g.Container)
	w.uint(g.Incarnation)
	w.uint(g.Epoch)
	w.uint(g.Sequence)
	w.uint(g.Ack)
	w.uint(g.Anchor)
	w.str(g.Lease)
	w.int(g.Units)
	w.int(g.Charge)
	w.int(g.Want)
	w.int(g.Fallback)
	w.int(g.Minimum)
	w.millis(g.TTL)
	w.millis(g.Margin)
	w.uint(uint64(g.Reason))
	w.int(g.Position)
	w.array(len(g.Holders))
	for i := range g.Holders {
		h := &g.Holders[i]
		w.array(3)
		w.str(h.Service)
		w.int(h.Priority)
		w.int(h.Units)
	}
	w.millis(g.Window)
	w.bool(g.Suspended)
	return w.done()
}

// DecodeGrant reads the content of a mailbox. Every failure is a
// [*DecodeError].
func DecodeGrant(data []byte) (*Grant, error) {
	if len(data) > maxGrantBytes {
		return nil, &DecodeError{What: "grant", At: "entry", Err: ErrOversize}
	}
	r := newReader("grant", data)
	g := &Grant{}
	r.array("entry", 2)
	version := r.version(grantVersion)
	r.lift("fields", version, grantUpcasters)
	r.array("fields", 20)
	g.Verb = Verb(r.uint("verb", uint64(lastVerb)))
	g.Container = r.text("container", MaxContainerBytes, CheckContainer)
	g.Incarnation = r.uint("incarnation", math.MaxUint64)
	g.Epoch = r.uint("epoch", math.MaxInt64)
	g.Sequence = r.uint("sequence", math.MaxInt64)
	g.Ack = r.uint("ack", math.MaxInt64)
	g.Anchor = r.uint("anchor", math.MaxInt64)
	g.Lease = r.text("lease", MaxNameBytes, nil)
	g.Units = r.units("units")
	g.Charge = r.units("charge")
	g.Want = r.units("want")
	g.Fallback = r.units("fallback")
	g.Minimum = r.units("minimum")
	g.TTL = r.millis("ttl", MaxTTL)
	g.Margin = r.millis("margin", MaxTTL)
	g.Reason = Reason(r.uint("reason", math.MaxUint8))
	g.Position = int(r.uint("position", MaxContainers))
	if n := r.arrayUpTo("holders", MaxHolders); n > 0 {
		g.Holders = make([]Holder, n)
		for i := range g.Holders {
			h := &g.Holders[i]
			r.array("holder", 3)
			h.Service = r.text("holder's service", MaxNameBytes, nil)
			h.Priority = int(r.uint("holder's priority", MaxPriority))
			h.Units = r.units("holder's units")
		}
	}
	g.Window = r.millis("window", MaxTTL)
	g.Suspended = r.bool("suspended")
	if err := r.finish(); err != nil {
		return nil, err
	}
	return g, nil
}
