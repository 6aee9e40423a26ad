package arbiter_test

import (
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// speakers is how many containers a history of [act]s is about.
const speakers = 5

// speakerID names a container by its place.
func speakerID(place int) string { return fmt.Sprint("c", place) }

// An act is what one container did, as it saw it itself: it said something, or
// looked into a mailbox. Records take no part: they are what the arbiter says
// about itself.
type act struct {
	By       int    // who did it
	Of       int    // whose mailbox it looked into
	Intent   []byte // what it said; empty: it looked
	Saw      []byte // the grant that it found, as plain shows it; empty: none
	Sequence uint64 // of the grant that it found, for people
	Call     int64  // nanoseconds since the run began
	Return   int64
}

// A move is what of an act goes into the model.
type move struct {
	by, of int
	intent string
}

// A state is all that decides what containers will see. Two states that can be
// told apart only by the order of what led to them are equal, or the search for
// an order would not end: see [state.forget].
type state struct {
	ledger string           // the ledger's snapshot
	mail   [speakers]letter // the mailboxes
	seen   [speakers]uint64 // sequence of the newest grant that each found in its own
}

type letter struct {
	plain    string
	sequence uint64
}

// plain is a grant without what depends on where it stands in the history: that
// is the arbiter's to choose, and its leaderships stand there as well.
func plain(g *events.Grant) string {
	p := *g
	p.Incarnation, p.Epoch, p.Sequence, p.Lease = 0, 0, 0, ""
	if g.Lease != "" {
		p.Lease = "lease"
	}
	return string(events.EncodeGrant(&p))
}

// incarnation is the one of the model's ledger.
const incarnation = 1

// latest is greater than any sequence that forget leaves.
const latest = 100

// forget replaces sequences by their order. The ledger compares those of one
// container with each other, and never with another's; every later one is
// greater.
func (s *state) forget(l *ledger.Ledger) {
	snap := l.Snapshot()
	snap.Hash, snap.Sequence = events.Hash{}, latest
	for place := range speakers {
		places := []*uint64{&s.mail[place].sequence, &s.seen[place]}
		for i := range snap.Containers {
			if c := &snap.Containers[i]; c.ID == speakerID(place) {
				c.Lease = "lease"
				places = append(places, &c.Changed, &c.Written)
			}
		}
		known := []uint64{0} // 0 means none
		for _, p := range places {
			known = append(known, *p)
		}
		slices.Sort(known)
		known = slices.Compact(known)
		for _, p := range places {
			rank, _ := slices.BinarySearch(known, *p)
			*p = uint64(rank)
		}
	}
	s.ledger = string(events.EncodeSnapshot(snap))
}

func (s *state) restore() *ledger.Ledger {
	snap, err := events.DecodeSnapshot([]byte(s.ledger))
	if err != nil {
		panic(err)
	}
	l, err := ledger.Restore(snap)
	if err != nil {
		panic(err)
	}
	return l
}

// look finds what the mailbox holds, and is what the container goes by from then
// on if it is its own.
func (s state) look(m move, saw string) (bool, state) {
	if s.mail[m.of].plain != saw {
		return false, s
	}
	if m.by == m.of && s.seen[m.by] != s.mail[m.of].sequence {
		s.seen[m.by] = s.mail[m.of].sequence
		s.forget(s.restore())
	}
	return true, s
}

// say has the ledger take the intent, and every mailbox change with it. Each
// intent must be accepted: one that was sent twice is one act. Ledger time
// stands still, because no lease runs out while a test runs.
func (s state) say(m move) (bool, state) {
	in, err := events.DecodeIntent([]byte(m.intent))
	if err != nil {
		panic(err)
	}
	in.Incarnation, in.Seen = 0, s.seen[m.by]
	if in.Seen > 0 {
		in.Incarnation = incarnation
	}
	l := s.restore()
	step := l.Apply(ledger.Input{Epoch: 1, Entry: "1-1", Intent: events.EncodeIntent(in)})
	if step.Record.Refused != events.NoReason {
		return false, s
	}
	for i := range step.Grants {
		g := &step.Grants[i]
		for place := range speakers {
			if g.Container == speakerID(place) {
				s.mail[place] = letter{plain(g), g.Sequence}
			}
		}
	}
	s.forget(l)
	return true, s
}

// sequentially is the model: one ledger that takes one intent after the other.
func sequentially(p events.Policy) porcupine.Model {
	l := ledger.New(incarnation, 0)
	for _, in := range []events.Intent{{Kind: events.Begin}, {Kind: events.Lead, Arbiter: "model"}, {Kind: events.SetPolicy, Policy: p}} {
		l.Apply(ledger.Input{Epoch: 1, Intent: events.EncodeIntent(&in)})
	}
	var first state
	first.forget(l)
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Init: func() any { return first },
		Step: func(s, in, saw any) (bool, any) {
			if m := in.(move); m.intent != "" {
				return s.(state).say(m)
			} else {
				return s.(state).look(m, saw.(string))
			}
		},
		Hash:              func(s any) uint64 { return maphash.Comparable(seed, s.(state)) },
		DescribeOperation: describeAct,
		DescribeState:     func(s any) string { return s.(state).describe() },
	}
}

// operations is a history as porcupine wants it.
func operations(acts []act) []porcupine.Operation {
	ops := make([]porcupine.Operation, len(acts))
	for i, a := range acts {
		ops[i] = porcupine.Operation{
			ClientId: a.By, Input: move{a.By, a.Of, string(a.Intent)}, Output: string(a.Saw),
			Call: a.Call, Return: a.Return,
		}
	}
	return ops
}
