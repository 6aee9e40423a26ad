package fold

import (
	"github.com/conncord/conncord/events"
)

// Restore returns the state that a snapshot holds. What a snapshot does not hold,
// when a lease began and why it is as it is, the records say that wrote it: see
// [State.Traces].
func Restore(snap *events.Snapshot) *State {
	s := New()
	s.incarnation, s.epoch, s.sequence, s.hash, s.now = snap.Incarnation, snap.Epoch, snap.Sequence, snap.Hash, snap.Now
	s.policy, s.barrier, s.refused, s.ranks = snap.Policy, snap.Barrier, snap.Refused, snap.Ranks
	s.look = snap.Look
	s.look.Held = nil
	for _, h := range snap.Look.Held {
		s.meet(h.Tag, h.Conns)
	}
	for i := range snap.Containers {
		c := &snap.Containers[i]
		s.join(&container{
			id: c.ID, host: c.Host, rank: c.Rank, strict: c.Strict, lost: c.Lost, lease: c.Lease,
			want: c.Want, held: c.Held, inUse: c.InUse, waiting: c.Waiting,
			units: c.Units, charge: c.Charge, fallback: c.Fallback,
			shown: c.Shown, over: c.Over, silent: c.Silent, fell: c.Fell, asleep: c.Asleep,
		}, c.Service)
	}
	s.charged = s.sum
	s.available = s.policy.Available()
	return s
}

// Traces returns the sequences of the records that say what a snapshot does not:
// first the snapshot's own, then of each container the one that began its lease and
// the one that last wrote it.
func Traces(snap *events.Snapshot) []uint64 {
	seen := map[uint64]bool{0: true}
	var sequences []uint64
	add := func(sequence uint64) {
		if !seen[sequence] {
			seen[sequence] = true
			sequences = append(sequences, sequence)
		}
	}
	add(snap.Sequence)
	for i := range snap.Containers {
		add(events.LeaseBegan(snap.Containers[i].Lease))
		add(snap.Containers[i].Written)
	}
	return sequences
}

// Trace takes what a record that lies before the state, or is its newest, says
// about leases that are still the same. Records can be taken in any order.
func (s *State) Trace(data []byte) {
	rec, err := events.DecodeRecord(data)
	if err != nil || rec.Incarnation != s.incarnation || rec.Sequence > s.sequence {
		return
	}
	if rec.Sequence == s.sequence {
		s.available, s.wall = rec.Available, rec.Wall
	}
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		c := s.containers[d.Container]
		if c == nil || c.lease != d.Lease {
			continue
		}
		if rec.Sequence == events.LeaseBegan(c.lease) {
			c.reserved = rec.Wall
		}
		if rec.Wall >= c.heard {
			c.heard = rec.Wall
			c.reason = d.Reason
		}
	}
}
