package fold

import (
	"errors"
	"fmt"
	"slices"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// A GapError is returned when a record does not follow the one that was read
// before it: records are missing, or were altered.
type GapError struct {
	After uint64 // sequence of the newest record that was read
	Found uint64 // sequence of the one that came; 0: it could not be read
	Err   error  // what is wrong with it; nil: it just is not the next one
}

func (e *GapError) Error() string {
	switch {
	case e.Found == 0:
		return fmt.Sprintf("what follows record %d cannot be read: %v", e.After, e.Err)
	case e.Err != nil:
		return fmt.Sprintf("record %d does not follow from record %d: %v", e.Found, e.After, e.Err)
	}
	return fmt.Sprintf("records are missing: after %d comes %d", e.After, e.Found)
}

// Unwrap returns what is wrong with the record.
func (e *GapError) Unwrap() error { return e.Err }

var (
	// ErrDrift is returned when the charges that were folded do not add up to what
	// the record says. The state must be built anew.
	ErrDrift = errors.New("the charges do not add up to what the record says")

	errLink        = errors.New("its hash does not continue the chain")
	errIncarnation = errors.New("it is of an incarnation whose beginning was not read")
)

// Apply takes the next record, encoded as it stands in the history. After an
// error the state is as it was, but after [ErrDrift].
func (s *State) Apply(data []byte) error {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		return &GapError{After: s.sequence, Err: err}
	}
	var own *events.Intent
	if rec.Entry == "" {
		if own, err = events.DecodeIntent(rec.Intent); err != nil {
			return &GapError{After: s.sequence, Found: rec.Sequence, Err: err}
		}
	}
	begins := own != nil && own.Kind == events.Begin
	switch {
	case begins && rec.Incarnation != s.incarnation:
		// An incarnation owes nothing to what was before it; its chain begins with
		// its first record.
		if !events.VerifyLink(data, events.Hash{}) {
			return &GapError{After: s.sequence, Found: rec.Sequence, Err: errLink}
		}
		s.reset()
	case rec.Incarnation != s.incarnation:
		return &GapError{After: s.sequence, Found: rec.Sequence, Err: errIncarnation}
	case rec.Sequence != s.sequence+1:
		return &GapError{After: s.sequence, Found: rec.Sequence}
	case !events.VerifyLink(data, s.hash):
		return &GapError{After: s.sequence, Found: rec.Sequence, Err: errLink}
	}
	s.take(rec, own)
	if s.sum != s.charged {
		return fmt.Errorf("record %d: %w: %d, not %d", rec.Sequence, ErrDrift, s.sum, s.charged)
	}
	return nil
}

// take folds a record that follows.
func (s *State) take(rec *events.Record, own *events.Intent) {
	s.incarnation, s.epoch, s.sequence, s.hash = rec.Incarnation, rec.Epoch, rec.Sequence, rec.Hash
	s.now, s.wall = rec.Ledger, rec.Wall
	s.available, s.charged = rec.Available, rec.Charged
	if rec.Refused != events.NoReason {
		s.refused++
		s.counts.Refusals[rec.Refused]++
	}
	// What is over by this record is over before its intent counts: leases expire
	// first.
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		s.counts.Verbs[d.Verb]++
		if c := s.containers[d.Container]; d.Verb == events.Ended && c != nil && c.lease == d.Lease {
			s.remove(c, d.Reason)
		}
	}
	var heard *container
	switch {
	case own != nil:
		s.counts.Kinds[own.Kind]++
		s.takeOwn(own, rec)
	case rec.Refused == events.NoReason:
		if in, err := events.DecodeIntent(rec.Intent); err == nil {
			s.counts.Kinds[in.Kind]++
			heard = s.takeIntent(in, rec)
		}
	}
	for i := range rec.Decisions {
		s.decide(&rec.Decisions[i])
	}
	if heard != nil { // what was too much may be counted now
		s.change(heard, func() { heard.over = min(heard.over, max(0, heard.shown-heard.charge)) })
	}
	for _, v := range s.services {
		switch {
		case v.lacking == 0:
			v.unmet = 0
		case v.unmet == 0:
			v.unmet = s.wall
		}
	}
}

// decide takes what a record did to one lease.
func (s *State) decide(d *events.Decision) {
	c := s.containers[d.Container]
	if c == nil || d.Verb == events.Ended {
		return
	}
	if d.Charge < c.charge {
		c.fell = s.sequence
	}
	if d.Lease != c.lease {
		c.reserved = s.wall
	}
	s.change(c, func() {
		c.lease, c.units, c.charge, c.fallback, c.reason = d.Lease, d.Units, d.Charge, d.Fallback, d.Reason
		c.lost = c.lost || d.Verb == events.Lost
	})
}

// takeOwn takes what an arbiter says.
func (s *State) takeOwn(in *events.Intent, rec *events.Record) {
	switch in.Kind {
	case events.SetPolicy:
		s.policy = in.Policy
	case events.Begin:
		if ms := in.Barrier.Milliseconds(); ms > 0 {
			s.barrier = s.now + ms
		}
	case events.Lead:
		s.lead(in, rec)
	case events.Resign:
		s.leader, s.host = "", ""
		s.resign(rec)
	case events.Silence:
		s.silence(in.Tags)
	case events.Observe:
		s.observe(&in.Observation, rec)
	}
}

func (s *State) lead(in *events.Intent, rec *events.Record) {
	s.leader, s.host = in.Arbiter, in.Host
	l := status.Leadership{
		Epoch: rec.Epoch, Incarnation: incarnationText(rec.Incarnation), Leader: in.Arbiter, Host: in.Host, Began: wallTime(rec.Wall),
	}
	kept := s.leaderships[max(0, len(s.leaderships)+1-maxLeaderships):]
	s.leaderships = append(slices.Clip(kept), l) // a new array: who was given the old one may still read it
}

func (s *State) resign(rec *events.Record) {
	if n := len(s.leaderships); n > 0 && s.leaderships[n-1].Epoch == rec.Epoch {
		s.leaderships = slices.Clone(s.leaderships) // as above
		s.leaderships[n-1].Resigned = wallTime(rec.Wall)
	}
}

// takeIntent takes what a container says, and returns it if it was heard.
func (s *State) takeIntent(in *events.Intent, rec *events.Record) *container {
	c := s.containers[in.Container]
	switch in.Kind {
	case events.Register:
		if c == nil {
			return s.register(in)
		}
		c.strict = in.Strict
		return s.hear(c, in)
	case events.Request, events.Renew:
		return s.hear(c, in)
	case events.Release:
		if c != nil && !c.lost && !lostBy(rec, c) {
			s.change(c, func() { c.want, c.silent, c.asleep = 0, 0, false })
			return c
		}
	}
	return nil
}

// lostBy reports whether the container's lease expired with this record.
func lostBy(rec *events.Record, c *container) bool {
	for i := range rec.Decisions {
		if d := &rec.Decisions[i]; d.Container == c.id && d.Verb == events.Lost {
			return true
		}
	}
	return false
}

func (s *State) register(in *events.Intent) *container {
	s.ranks++
	c := &container{
		id: in.Container, host: in.Host, rank: s.ranks, strict: in.Strict,
		want: min(in.Want, s.policy.Limit), held: in.Held, inUse: in.InUse, waiting: in.Waiting,
		heard: s.wall,
	}
	s.join(c, in.Service)
	if conns, ok := s.strangers[c.tag]; ok && s.tags[c.tag] == c {
		delete(s.strangers, c.tag)
		s.strange -= conns
		s.change(c, func() { c.shown, c.over = conns, max(0, conns-min(in.Ceiling, s.policy.Limit)) })
	}
	return c
}

// hear takes what a registered container says of itself.
func (s *State) hear(c *container, in *events.Intent) *container {
	if c == nil {
		return nil
	}
	s.change(c, func() {
		c.lost, c.silent, c.asleep = false, 0, false
		c.want, c.held, c.inUse, c.waiting = min(in.Want, s.policy.Limit), in.Held, in.InUse, in.Waiting
	})
	c.heard = s.wall
	return c
}
