package ledger

import "github.com/conncord/conncord/events"

// maxQueueWalk is how many waiting containers of its own service are looked at
// to find a container's place in the queue; beyond it the place is a lower
// bound. It keeps the cost of an intent independent of the number of
// containers.
const maxQueueWalk = 100

// step makes the record of the intent that was just applied, and, if they are
// wanted, the grants for those whom it concerns.
func (l *Ledger) step(in Input, answer reply, grants bool) Step {
	if answer.to != nil {
		l.touch(answer.to, events.Noted)
	}
	step := Step{Heard: answer.heard(), Record: events.Record{
		Sequence: l.sequence, Incarnation: l.incarnation, Epoch: l.epoch, Ledger: l.now, Wall: max(0, in.Wall),
		Entry: in.Entry, Intent: in.Intent, Size: max(in.Size, len(in.Intent)), Refused: refusal(answer.why),
		Available: l.available(), Charged: l.charged,
	}}
	if step.Record.Refused == events.Oversize && step.Record.Size > events.MaxEntryBytes {
		step.Record.Intent = in.Intent[:min(len(in.Intent), events.MaxParkedBytes)]
	}
	if len(l.touched) > 0 {
		step.Record.Decisions = make([]events.Decision, 0, len(l.touched))
		if grants {
			step.Grants = make([]events.Grant, 0, len(l.touched)+1)
		}
	}
	for _, c := range l.touched {
		l.decide(&step, c, answer, grants)
		c.touched, c.verb = false, 0
	}
	if grants && answer.id != "" {
		step.Grants = append(step.Grants, l.note(answer))
	}
	clear(l.touched)
	l.touched = l.touched[:0]
	step.Encoded = events.EncodeRecord(&step.Record, l.hash)
	l.hash = step.Record.Hash
	return step
}

// decide adds what happened to one container, and its grant if it is wanted.
func (l *Ledger) decide(step *Step, c *container, answer reply, grants bool) {
	why := l.reason(c, answer)
	if c.verb == events.Ended {
		c.fallback = 0
	} else if c.lost {
		c.fallback = min(c.charge, c.bound) // the charge is more where the database shows more
	} else {
		c.fallback = 0
		if !c.strict {
			c.fallback = min(c.service.fallbackOf(c), c.units)
		}
		c.bound = max(c.bound, c.fallback)
	}
	c.written = l.sequence
	step.Record.Decisions = append(step.Record.Decisions, events.Decision{
		Verb: c.verb, Container: c.id, Lease: c.lease,
		Units: c.units, Charge: c.charge, Fallback: c.fallback, Reason: why,
	})
	if !grants {
		return
	}
	if c.verb == events.Ended && (l.containers[c.id] != nil || answer.id == c.id) {
		return // this record answers it anew: a mailbox gets one grant
	}
	step.Grants = append(step.Grants, l.grant(c, why))
}

// grant returns what the container's mailbox is to hold.
func (l *Ledger) grant(c *container, why events.Reason) events.Grant {
	g := events.Grant{
		Verb: c.verb, Container: c.id, Incarnation: l.incarnation, Epoch: l.epoch, Sequence: l.sequence,
		Ack: c.counter, Anchor: c.anchor, Lease: c.lease,
		Units: c.units, Charge: c.charge, Want: c.want, Fallback: c.fallback,
		TTL: events.Millis(c.ttl), Margin: l.policy.Margin, Reason: why,
		Window: l.look.Window, Suspended: c.silent != 0 || c.verb == events.Ended && l.look.Window > 0,
	}
	if c.verb == events.Ended {
		return g
	}
	g.Minimum = c.service.fallbackOf(c)
	if !c.away() && c.units < c.want {
		g.Position = l.position(c)
		for _, s := range l.services {
			if s.units > 0 && len(g.Holders) < events.MaxHolders {
				g.Holders = append(g.Holders, events.Holder{Service: s.rule.Name, Priority: s.rule.Priority, Units: s.units})
			}
		}
	}
	return g
}

// note answers a sender that is not registered. What it had before, it may keep,
// but not open more: others may have got it.
func (l *Ledger) note(answer reply) events.Grant {
	return events.Grant{
		Verb: events.Noted, Container: answer.id, Incarnation: l.incarnation, Epoch: l.epoch, Sequence: l.sequence,
		Ack: answer.ack, TTL: max(l.policy.TTL, events.MinTTL), Margin: l.policy.Margin, Reason: answer.why,
		Window: l.look.Window, Suspended: l.look.Window > 0,
	}
}

// reason says why the container's lease is as it is.
func (l *Ledger) reason(c *container, answer reply) events.Reason {
	switch {
	case c.verb == events.Ended:
		return c.why
	case c.lost:
		return events.Expired
	case c.silent != 0:
		return events.Silent
	case answer.to == c && answer.why != events.NoReason:
		return answer.why
	case c.verb == events.Recalling && l.charged > l.available() && l.available() < l.policy.Available():
		return events.Crowded
	case c.verb == events.Recalling:
		return events.Recalled
	case c.units >= c.want:
		return events.NoReason
	case l.now < l.barrier:
		return events.Barrier
	case c.service.rule.Maximum > 0 && c.service.units >= c.service.rule.Maximum:
		return events.Maximum
	case l.charged >= l.available() && l.available() < l.policy.Available():
		return events.Crowded
	}
	return events.Shortage
}

// heard is the id of the container that the reply is for, if it was taken.
func (r *reply) heard() string {
	if r.to == nil || r.why.Refusal() {
		return ""
	}
	return r.to.id
}

// refusal is the reason if it says that the intent was not accepted.
func refusal(why events.Reason) events.Reason {
	if why.Refusal() {
		return why
	}
	return events.NoReason
}

// position returns the container's place among those that wait: all of the
// services that come before its own, and those of its own registered earlier.
func (l *Ledger) position(c *container) int {
	place := 1
	for _, s := range l.services {
		if s == c.service {
			break
		}
		place += s.queue.Len()
	}
	walked := 0
	c.service.queue.Scan(func(rank uint64, _ *container) bool {
		if rank >= c.rank || walked == maxQueueWalk {
			return false
		}
		walked++
		return true
	})
	return place + walked
}
