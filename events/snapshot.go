package events

import "math"

// A Snapshot is the state of a ledger after one record, as plain values: what is
// needed to go on from there without the history before it.
type Snapshot struct {
	Incarnation, Epoch, Sequence uint64
	Now                          int64
	Hash                         Hash
	Policy                       Policy // none in force while Rule is 0
	Barrier, FloorUntil          int64
	Ranks, Refused               uint64
	Look                         Observation      // the newest; Held names only those whom the ledger does not know
	Containers                   []ContainerState // by rank
}

// ContainerState is one container of a [Snapshot].
type ContainerState struct {
	ID, Host, Service    string
	Rank                 uint64
	Strict, Lost         bool
	Asked, TTL, Deadline int64 // milliseconds, milliseconds, ledger time
	Counter, Anchor      uint64
	Lease                string
	Want, Units, Charge  int
	Fallback, Bound      int
	Changed, Written     uint64
	Held, InUse, Waiting int

	Silent, Fell uint64 // sequences of the records that declared it silent (0: it is not), and last lowered its charge
	Asleep       bool   // silent, and charged for no more than the database shows
	Shown, Over  int    // its backends in the newest observation; those that it should not have
}

// snapshotVersion is the schema version that this program writes. Snapshots are
// a cache of the history. One of version 1, without observations, is read; any
// other is passed over.
const snapshotVersion = 2

// maxSnapshotBytes bounds a snapshot.
const maxSnapshotBytes = MaxEntryBytes + MaxOwnBytes + MaxContainers*(MaxContainerBytes+3*MaxNameBytes+160)

// EncodeSnapshot returns the snapshot's bytes; equal snapshots have equal bytes.
func EncodeSnapshot(s *Snapshot) []byte {
	w := newWriter()
	w.array(13)
	w.uint(snapshotVersion)
	w.uint(s.Incarnation)
	w.uint(s.Epoch)
	w.uint(s.Sequence)
	w.uint(uint64(s.Now))
	w.bytes(s.Hash[:])
	w.bool(s.Policy.Rule != 0)
	if s.Policy.Rule != 0 {
		encodePolicy(w, &s.Policy)
	} else {
		w.array(0)
	}
	w.uint(uint64(s.Barrier))
	w.uint(uint64(s.FloorUntil))
	w.array(2)
	w.uint(s.Ranks)
	w.uint(s.Refused)
	encodeObservation(w, &s.Look)
	w.array(len(s.Containers))
	for i := range s.Containers {
		c := &s.Containers[i]
		w.array(27)
		w.str(c.ID)
		w.str(c.Host)
		w.str(c.Service)
		w.uint(c.Rank)
		w.bool(c.Strict)
		w.bool(c.Lost)
		w.uint(uint64(c.Asked))
		w.uint(uint64(c.TTL))
		w.uint(uint64(c.Deadline))
		w.uint(c.Counter)
		w.uint(c.Anchor)
		w.str(c.Lease)
		w.int(c.Want)
		w.int(c.Units)
		w.int(c.Charge)
		w.int(c.Fallback)
		w.int(c.Bound)
		w.uint(c.Changed)
		w.uint(c.Written)
		w.int(c.Held)
		w.int(c.InUse)
		w.int(c.Waiting)
		w.uint(c.Silent)
		w.uint(c.Fell)
		w.bool(c.Asleep)
		w.int(c.Shown)
		w.int(c.Over)
	}
	return w.done()
}

// DecodeSnapshot reads a snapshot. Every failure is a [*DecodeError].
func DecodeSnapshot(data []byte) (*Snapshot, error) {
	if len(data) > maxSnapshotBytes {
		return nil, &DecodeError{What: "snapshot", At: "entry", Err: ErrOversize}
	}
	r := newReader("snapshot", data)
	s := &Snapshot{}
	places := r.head("entry")
	version := r.uint("version", math.MaxUint16)
	switch {
	case r.err != nil:
	case version != 1 && version != snapshotVersion:
		r.fail("version", ErrVersion)
	case version == 1 && places != 12, version == 2 && places != 13:
		r.fail("entry", ErrMalformed)
	}
	s.Incarnation = r.uint("incarnation", math.MaxUint64)
	s.Epoch = r.uint("epoch", math.MaxInt64)
	s.Sequence = r.uint("sequence", math.MaxInt64)
	s.Now = int64(r.uint("now", math.MaxInt64))
	if h := r.bytes("hash", len(Hash{})); len(h) == len(Hash{}) {
		s.Hash = Hash(h)
	} else {
		r.fail("hash", ErrMalformed)
	}
	if r.bool("policy in force") {
		decodePolicy(r, &s.Policy)
	} else {
		r.array("policy", 0)
	}
	s.Barrier = int64(r.uint("barrier", math.MaxInt64))
	s.FloorUntil = int64(r.uint("floor", math.MaxInt64))
	r.array("counters", 2)
	s.Ranks = r.uint("ranks", math.MaxInt64)
	s.Refused = r.uint("refused", math.MaxInt64)
	if version > 1 {
		decodeObservation(r, &s.Look)
	}
	if n := r.arrayUpTo("containers", MaxContainers); n > 0 {
		s.Containers = make([]ContainerState, n)
		for i := range s.Containers {
			decodeContainerState(r, &s.Containers[i], version)
			if i > 0 && s.Containers[i].Rank <= s.Containers[i-1].Rank {
				r.fail("rank", ErrRange)
			}
		}
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	return s, nil
}

func decodeContainerState(r *reader, c *ContainerState, version uint64) {
	places := 22
	if version > 1 {
		places = 27
	}
	r.array("container", places)
	c.ID = r.text("id", MaxContainerBytes, CheckContainer)
	c.Host = r.text("host", MaxNameBytes, CheckHost)
	c.Service = r.text("service", MaxNameBytes, CheckService)
	c.Rank = r.uint("rank", math.MaxInt64)
	c.Strict = r.bool("strict")
	c.Lost = r.bool("lost")
	c.Asked = int64(r.uint("asked ttl", uint64(MaxTTL.Milliseconds())))
	c.TTL = int64(r.uint("ttl", uint64(MaxTTL.Milliseconds())))
	c.Deadline = int64(r.uint("deadline", math.MaxInt64))
	c.Counter = r.uint("counter", math.MaxInt64)
	c.Anchor = r.uint("anchor", math.MaxInt64)
	c.Lease = r.text("lease", MaxNameBytes, nil)
	c.Want = r.units("want")
	c.Units = r.units("units")
	c.Charge = r.units("charge")
	c.Fallback = r.units("fallback")
	c.Bound = r.units("bound")
	c.Changed = r.uint("changed", math.MaxInt64)
	c.Written = r.uint("written", math.MaxInt64)
	c.Held = r.units("held")
	c.InUse = r.units("in use")
	c.Waiting = r.units("waiting")
	if version > 1 {
		c.Silent = r.uint("silent", math.MaxInt64)
		c.Fell = r.uint("fell", math.MaxInt64)
		c.Asleep = r.bool("asleep")
		c.Shown = r.units("shown")
		c.Over = r.units("over")
	}
}
