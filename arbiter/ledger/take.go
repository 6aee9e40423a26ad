package ledger

import (
	"errors"

	"github.com/conncord/conncord/events"
)

// A reply says whom the record under way must answer although its lease may
// not change, and why the intent was not accepted or what is to be noted.
type reply struct {
	why events.Reason
	// to is the sender when it is registered; id and ack name it when it is not.
	to  *container
	id  string
	ack uint64
}

func refuse(why events.Reason) reply { return reply{why: why} }

// take applies the intent.
func (l *Ledger) take(in Input) reply {
	most := events.MaxEntryBytes
	if in.Entry == "" {
		most = events.MaxOwnBytes
	}
	if max(in.Size, len(in.Intent)) > most {
		return refuse(events.Oversize)
	}
	intent := &l.intent
	if err := intent.Decode(in.Intent); err != nil {
		return refuse(unreadable(err))
	}
	if intent.Kind.Own() {
		if in.Entry != "" {
			return refuse(events.Forged)
		}
		l.takeOwn(intent)
		return reply{}
	}
	c := l.containers[intent.Container]
	if c != nil {
		if intent.Counter <= c.counter {
			return refuse(events.Stale)
		}
		c.counter = intent.Counter
	}
	switch {
	case l.policy.Rule == 0:
		return reply{why: events.NoPolicy, id: intent.Container, ack: intent.Counter}
	case intent.Kind == events.Cleanup:
		l.cleanup()
		return reply{to: l.containers[intent.Container]}
	case intent.Kind == events.Register:
		return l.register(intent, c)
	case c == nil:
		return reply{why: events.UnknownSender, id: intent.Container, ack: intent.Counter}
	case intent.Kind == events.Release:
		return l.release(intent, c)
	case intent.Kind == events.Request && intent.Want == 0:
		return reply{why: events.ZeroRequest, to: c}
	}
	return l.heard(intent, c)
}

// unreadable maps a decoding failure to the reason that stands in the record.
func unreadable(err error) events.Reason {
	switch {
	case errors.Is(err, events.ErrVersion):
		return events.UnknownVersion
	case errors.Is(err, events.ErrOversize):
		return events.Oversize
	}
	return events.Unreadable
}

// takeOwn applies what the arbiter itself says. Lead, Resign and Tick need
// nothing but their record.
func (l *Ledger) takeOwn(intent *events.Intent) {
	switch intent.Kind {
	case events.SetPolicy:
		l.setPolicy(intent.Policy)
	case events.Silence:
		l.silence(intent.Tags)
	case events.Observe:
		l.observe(&intent.Observation)
	case events.Begin:
		if ms := intent.Barrier.Milliseconds(); ms > 0 {
			l.barrier = l.now + ms
			l.floorUntil = l.now + 2*ms
		}
	}
}

// setPolicy puts a policy in force. Containers keep their order, and those of
// services that the policy does not list fall under its rule for unlisted ones;
// none is thrown out.
func (l *Ledger) setPolicy(p events.Policy) {
	l.policy = p
	old := l.services
	l.services = nil
	for _, rule := range p.Services {
		l.serviceFor(rule)
	}
	for _, s := range old {
		if s.members.Len() == 0 {
			continue
		}
		rule, _ := p.Find(s.rule.Name)
		rule.Priority = max(rule.Priority, 1) // a service refused from now on goes on as the least important
		fresh := l.serviceFor(rule)
		s.members.Scan(func(_ uint64, c *container) bool {
			sum := c.sums()
			l.account(c, sum, sums{})
			c.service = fresh
			fresh.members.Set(c.rank, c)
			l.account(c, sums{}, sum)
			return true
		})
		fresh.partStale = true
	}
	l.unsettled = true
}

// register takes a container in, or again. A known one keeps its rank; what it
// holds is taken as it says, because only it can know.
func (l *Ledger) register(intent *events.Intent, c *container) reply {
	if c != nil {
		if c.service.rule.Name != intent.Service {
			return reply{why: events.OtherService, to: c}
		}
		c.asked, c.strict = intent.TTL.Milliseconds(), intent.Strict
		return l.heard(intent, c)
	}
	rule, admitted := l.policy.Find(intent.Service)
	switch {
	case !admitted:
		return reply{why: events.UnlistedRefused, id: intent.Container, ack: intent.Counter}
	case len(l.containers) >= events.MaxContainers,
		!l.has(rule) && len(l.services) >= events.MaxServices:
		return reply{why: events.TooMany, id: intent.Container, ack: intent.Counter}
	}
	l.ranks++
	want, ceiling := min(intent.Want, l.policy.Limit), min(intent.Ceiling, l.policy.Limit)
	c = &container{
		id: intent.Container, host: intent.Host, service: l.serviceFor(rule), rank: l.ranks,
		strict: intent.Strict, asked: intent.TTL.Milliseconds(), counter: intent.Counter, anchor: intent.Counter,
		lease: events.LeaseID(l.incarnation, l.sequence),
		want:  want, units: min(want, ceiling), charge: ceiling, bound: ceiling, changed: l.sequence,
		held: intent.Held, inUse: intent.InUse, waiting: intent.Waiting,
	}
	l.join(c)
	l.recognize(c)
	l.extend(c)
	l.touch(c, events.Granted)
	return reply{to: c, why: capped(intent, c)}
}

// release ends a lease. A container that still holds connections stays charged
// for them until it says that they are gone, or its lease runs out.
func (l *Ledger) release(intent *events.Intent, c *container) reply {
	switch {
	case intent.Ceiling == 0:
		l.remove(c, events.Released)
		return reply{}
	case !c.lost:
		l.promise(intent, c, 0)
		l.touch(c, events.Lowered)
	}
	return reply{to: c}
}

// cleanup forgets the lost leases.
func (l *Ledger) cleanup() {
	var lost []*container
	l.order.Scan(func(_ uint64, c *container) bool {
		if c.lost {
			lost = append(lost, c)
		}
		return true
	})
	for _, c := range lost {
		l.remove(c, events.Cleaned)
	}
}
