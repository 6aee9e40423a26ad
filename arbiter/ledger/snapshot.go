package ledger

import (
	"fmt"

	"github.com/conncord/conncord/events"
)

// Snapshot returns the whole state. A ledger restored from it decides exactly as
// this one does.
func (l *Ledger) Snapshot() *events.Snapshot {
	s := &events.Snapshot{
		Incarnation: l.incarnation, Epoch: l.epoch, Sequence: l.sequence, Now: l.now, Hash: l.hash,
		Policy: l.policy, Barrier: l.barrier, FloorUntil: l.floorUntil, Ranks: l.ranks, Refused: l.refused,
		Look: l.look,
	}
	l.strangers.Scan(func(tag string, conns int) bool {
		s.Look.Held = append(s.Look.Held, events.Held{Tag: tag, Conns: conns})
		return true
	})
	l.order.Scan(func(_ uint64, c *container) bool {
		s.Containers = append(s.Containers, c.state())
		return true
	})
	return s
}

func (c *container) state() events.ContainerState {
	return events.ContainerState{
		ID: c.id, Host: c.host, Service: c.service.rule.Name, Rank: c.rank, Strict: c.strict, Lost: c.lost,
		Asked: c.asked, TTL: c.ttl, Deadline: c.deadline, Counter: c.counter, Anchor: c.anchor, Lease: c.lease,
		Want: c.want, Units: c.units, Charge: c.charge, Fallback: c.fallback, Bound: c.bound,
		Changed: c.changed, Written: c.written, Held: c.held, InUse: c.inUse, Waiting: c.waiting,
		Silent: c.silent, Fell: c.fell, Asleep: c.asleep, Shown: c.shown, Over: c.over,
	}
}

// Container returns the state of one container, and false when it is not
// registered.
func (l *Ledger) Container(id string) (events.ContainerState, bool) {
	c, ok := l.containers[id]
	if !ok {
		return events.ContainerState{}, false
	}
	return c.state(), true
}

// Restore returns the ledger whose state the snapshot holds.
func Restore(s *events.Snapshot) (*Ledger, error) {
	l := New(s.Incarnation, s.Sequence)
	l.epoch, l.now, l.hash = s.Epoch, s.Now, s.Hash
	l.barrier, l.floorUntil, l.ranks, l.refused = s.Barrier, s.FloorUntil, s.Ranks, s.Refused
	if s.Policy.Rule != 0 {
		l.setPolicy(s.Policy)
	}
	l.look = s.Look
	l.look.Held = nil
	for _, h := range s.Look.Held {
		l.meet(h.Tag, h.Conns)
	}
	for i := range s.Containers {
		if err := l.restore(&s.Containers[i]); err != nil {
			return nil, err
		}
	}
	// The state was settled when it was taken: only the targets, which it does
	// not hold, are found anew.
	l.target(l.open() - l.dead)
	l.unsettled = false
	return l, nil
}

func (l *Ledger) restore(s *events.ContainerState) error {
	if _, twice := l.containers[s.ID]; twice {
		return fmt.Errorf("restore snapshot %d: container %s stands in it twice", l.sequence, s.ID)
	}
	if s.Rank > l.ranks || s.Units > s.Charge || s.Lost && s.Units > 0 {
		return fmt.Errorf("restore snapshot %d: container %s has an impossible state", l.sequence, s.ID)
	}
	rule, _ := l.policy.Find(s.Service)
	rule.Priority = max(rule.Priority, 1)
	c := &container{
		id: s.ID, host: s.Host, service: l.serviceFor(rule), rank: s.Rank, strict: s.Strict, lost: s.Lost,
		asked: s.Asked, ttl: s.TTL, counter: s.Counter, anchor: s.Anchor, lease: s.Lease,
		want: s.Want, units: s.Units, charge: s.Charge, fallback: s.Fallback, bound: s.Bound,
		changed: s.Changed, written: s.Written, held: s.Held, inUse: s.InUse, waiting: s.Waiting,
		silent: s.Silent, fell: s.Fell, asleep: s.Asleep, shown: s.Shown, over: s.Over,
	}
	if c.shown > 0 {
		l.seen.Set(c.rank, c)
	}
	l.join(c)
	l.deadlines.set(c, s.Deadline)
	return nil
}
