package audit

import (
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A translator makes the intents of a history such as they would have been said
// under other rules, as far as can be told.
//
// An intent's ceiling is a promise about grants that the container had seen. Under
// other rules there were other grants. So the promise is taken apart into what the
// container kept within its lease, and what it held beyond because it had not yet
// closed it: the former becomes the other lease, the latter stays. A container
// that had seen its newest grant is taken to have seen the newest one of the other
// ledger; one that had not is taken to have seen what the other ledger wrote up to
// then, which its own words say: both ledgers give the same sequences.
type translator struct {
	real, other *ledger.Ledger
	policy      events.Policy // the real one in force
	reals       *tally

	// What containers had, when the newest incarnation began, by the real ledger
	// and by the other.
	before      map[string][2]Lease
	incarnation uint64
}

// intent translates what a container said.
func (t *translator) intent(in *events.Intent) {
	was, known := t.real.Container(in.Container)
	is, there := t.other.Container(in.Container)
	if before, ok := t.before[in.Container]; ok && in.Incarnation == t.incarnation {
		in.Ceiling = ceiling(in, before[0].Units, before[1])
		return
	}
	switch {
	case !known:
	case !there:
		// By the other rules it lost its lease, and would have registered again.
		if in.Kind == events.Request || in.Kind == events.Renew {
			in.Kind = events.Register
			in.Service, in.Host, in.Strict, in.TTL = was.Service, was.Host, was.Strict, events.Millis(was.Asked)
			in.Ceiling, in.Incarnation, in.Seen = 0, 0, 0
		}
	case in.Incarnation == t.other.Incarnation():
		in.Ceiling = ceiling(in, was.Units, Lease{is.Units, is.Charge})
		if in.Seen >= was.Written {
			in.Seen = max(in.Seen, is.Written)
		}
	}
}

// ceiling is what a container would promise that had so many units when it said
// the intent, and has another lease instead.
func ceiling(in *events.Intent, units int, other Lease) int {
	beyond := max(0, in.Ceiling-min(in.Want, units))
	return min(other.Charge, min(in.Want, other.Units)+beyond)
}

// observation translates what the database showed. A database with another limit
// gives as many connections more or fewer, and of each container it shows what
// that would have.
func (t *translator) observation(o *events.Observation) {
	if o.Usable > 0 {
		more := t.other.Policy().Limit - t.policy.Limit
		o.Usable = min(max(1, o.Usable+more), events.MaxUnits)
		o.Bound = min(max(0, o.Bound+more), events.MaxUnits)
	}
	for i := range o.Held {
		h := &o.Held[i]
		id := t.reals.tags[h.Tag]
		was, known := t.real.Container(id)
		is, there := t.other.Container(id)
		if known && there {
			h.Conns = max(0, h.Conns-was.Charge) + min(h.Conns, was.Charge, is.Charge)
		}
	}
}
