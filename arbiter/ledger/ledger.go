package ledger

import (
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/conncord/conncord/events"
)

// A Ledger is the state of one budget within one incarnation. It is not safe
// for concurrent use: whoever runs it, runs it alone.
type Ledger struct {
	incarnation uint64
	epoch       uint64
	sequence    uint64 // of the newest record
	now         int64  // its ledger time
	hash        events.Hash
	policy      events.Policy // none is in force while Rule is 0

	// Until barrier nobody gains. Until floorUntil, one TTL later, nobody grows
	// into the services' minimums: see [Ledger.open].
	barrier, floorUntil int64

	ranks      uint64 // containers registered so far
	refused    uint64 // intents not accepted so far
	containers map[string]*container
	tags       map[string]*container         // by tag
	owing      btree.Map[uint64, *container] // those that are charged for something, by rank
	order      btree.Map[uint64, *container] // the same, by rank
	services   []*service                    // by descending priority, then name; all that the policy lists or a container is of
	deadlines  deadlines

	charged int // sum of all charges
	slack   int // of these, above the units of containers that can give them up
	dead    int // of these, of containers that are lost or asleep

	// What the database shows: see observe.go.
	look      events.Observation            // the newest, without those who hold something
	seen      btree.Map[uint64, *container] // containers with backends in it, by rank
	strangers btree.Map[string, int]        // backends in it of containers that are not registered, by tag
	strange   int                           // sum of these
	over      int                           // backends in it beyond their container's charge

	unsettled bool // leases may have to move

	intent  events.Intent // of the record under way
	touched []*container  // by the record under way, in the order of first touch
	scratch scratch
}

// An Input is one intent as the arbiter took it.
type Input struct {
	Epoch  uint64
	Now    int64  // ledger time; an earlier one than the last record's counts as that
	Wall   int64  // Unix milliseconds, for people only
	Entry  string // id of the inbox entry; empty for the arbiter's own intents, which alone may be of its own kinds
	Intent []byte
	Size   int // bytes that came, when Intent is only the beginning of an oversize entry; else 0
}

// A Step is what follows from one intent. The record must be in the history
// before a grant reaches a mailbox: a container may act on a grant at once.
type Step struct {
	Record  events.Record
	Encoded []byte         // the record as it goes into the history
	Grants  []events.Grant // the new content of the mailboxes that change
	Heard   string         // id of the container whose intent it was, if it is registered and was not refused
}

// New returns the ledger of a new incarnation whose first record will have the
// sequence after the given one.
func New(incarnation, sequence uint64) *Ledger {
	return &Ledger{
		incarnation: incarnation, sequence: sequence,
		containers: map[string]*container{}, tags: map[string]*container{},
	}
}

// Incarnation returns the incarnation that the ledger belongs to.
func (l *Ledger) Incarnation() uint64 { return l.incarnation }

// Epoch returns the epoch of the newest record.
func (l *Ledger) Epoch() uint64 { return l.epoch }

// Sequence returns the sequence of the newest record.
func (l *Ledger) Sequence() uint64 { return l.sequence }

// Now returns the ledger time of the newest record.
func (l *Ledger) Now() int64 { return l.now }

// Hash returns the hash of the newest record.
func (l *Ledger) Hash() events.Hash { return l.hash }

// Policy returns the policy in force; its Rule is 0 while none is. The services
// must not be changed.
func (l *Ledger) Policy() events.Policy { return l.policy }

// Charged returns the sum of all charges: the connections that containers may
// hold at this moment.
func (l *Ledger) Charged() int { return l.charged }

// Refused returns how many intents were not accepted so far.
func (l *Ledger) Refused() uint64 { return l.refused }

// Containers returns how many containers are registered.
func (l *Ledger) Containers() int { return len(l.containers) }

// Barrier returns the ledger time at which the recovery barrier opens, and
// false when it is open.
func (l *Ledger) Barrier() (int64, bool) { return l.barrier, l.barrier > l.now }

// Longest returns for how long a lease can last from now on, in milliseconds:
// renewed, or as it is, if its duration has become shorter since. It looks at all
// containers.
func (l *Ledger) Longest() (longest int64) {
	l.order.Scan(func(_ uint64, c *container) bool {
		longest = max(longest, c.ttl, c.deadline-l.now)
		return true
	})
	return longest
}

// Next returns the ledger time at which something is due although nobody says
// anything: the arbiter must then apply a tick. It returns false when nothing
// is.
func (l *Ledger) Next() (int64, bool) {
	due, ok := int64(0), false
	if p, some := l.deadlines.next(); some {
		due, ok = p.at, true
	}
	for _, at := range []int64{l.barrier, l.floorUntil} {
		if at > l.now && (!ok || at < due) {
			due, ok = at, true
		}
	}
	return due, ok
}

// Apply takes one intent. Every intent, also one that is refused, makes one
// record.
//
// However the intents come, no step raises the sum of the charges above what is
// available. It can stand above it only when what is available fell under leases
// that are not given up yet, because the limit was lowered or others came to the
// database; or when containers report connections that the ledger did not grant:
// in local mode, and behind a recovery barrier. Then nobody grows until it is
// below again.
func (l *Ledger) Apply(in Input) Step { return l.apply(in, true) }

// Rederive is [Ledger.Apply] without the grants, for those who only want to know
// whether a record follows. The records and the state are the same.
func (l *Ledger) Rederive(in Input) Step { return l.apply(in, false) }

func (l *Ledger) apply(in Input, grants bool) Step {
	l.sequence++
	l.epoch = in.Epoch
	before := l.now
	l.now = max(l.now, in.Now)
	if opened(l.barrier, before, l.now) || opened(l.floorUntil, before, l.now) {
		l.unsettled = true
	}
	l.expire()
	answer := l.take(in)
	if answer.why.Refusal() {
		l.refused++
	}
	if l.unsettled {
		l.reallocate()
	}
	return l.step(in, answer, grants)
}

func opened(at, before, now int64) bool { return before < at && at <= now }

// expire ends what is due: a lease becomes lost, a lost one is forgotten.
func (l *Ledger) expire() {
	var due []*container
	for {
		c, ok := l.deadlines.pop(l.now)
		if !ok {
			break
		}
		due = append(due, c)
	}
	slices.SortFunc(due, func(a, b *container) int {
		if a.deadline != b.deadline {
			return int(max(-1, min(1, a.deadline-b.deadline)))
		}
		return int(max(-1, min(1, int64(a.rank)-int64(b.rank))))
	})
	for _, c := range due {
		if c.lost || c.charge == 0 {
			why := events.Lapsed
			if !c.lost {
				why = events.Expired
			}
			l.remove(c, why)
			continue
		}
		l.change(c, func() {
			c.lost = true
			c.units = 0
			if !c.asleep { // else the charge is what the database shows
				c.charge = min(c.charge, max(c.bound, c.shown))
			}
		})
		c.changed = l.sequence
		if c.charge == 0 {
			l.remove(c, events.Expired)
			continue
		}
		l.deadlines.set(c, l.now+c.ttl)
		l.touch(c, events.Lost)
	}
}

// touch notes that the record under way changes the container's lease.
func (l *Ledger) touch(c *container, verb events.Verb) {
	if !c.touched {
		c.touched = true
		l.touched = append(l.touched, c)
	}
	c.verb = max(c.verb, verb)
}

// remove takes a container out of the ledger.
func (l *Ledger) remove(c *container, why events.Reason) {
	l.change(c, func() { c.want, c.units, c.charge, c.over, c.lost = 0, 0, 0, 0, true })
	c.deadline = gone
	delete(l.containers, c.id)
	if l.tags[c.tag] == c {
		delete(l.tags, c.tag)
	}
	l.seen.Delete(c.rank)
	if why != events.Released { // who left has nothing, whatever the last look showed
		l.meet(c.tag, c.shown)
	}
	l.order.Delete(c.rank)
	s := c.service
	s.members.Delete(c.rank)
	s.partStale = true
	if _, listed := l.policy.Listed(s.rule.Name); !listed && s.members.Len() == 0 {
		l.services = slices.DeleteFunc(l.services, func(x *service) bool { return x == s })
	}
	l.touch(c, events.Ended)
	c.why = why
}

// join puts a container into the ledger.
func (l *Ledger) join(c *container) {
	l.containers[c.id] = c
	if c.tag = events.Tag(c.id); l.tags[c.tag] == nil {
		l.tags[c.tag] = c
	}
	l.order.Set(c.rank, c)
	c.service.members.Set(c.rank, c)
	c.service.partStale = true
	l.account(c, sums{}, c.sums())
}

// has reports whether there is a service with this rule.
func (l *Ledger) has(rule events.Service) bool {
	_, ok := l.find(rule)
	return ok
}

func (l *Ledger) find(rule events.Service) (int, bool) {
	return slices.BinarySearchFunc(l.services, rule, func(s *service, r events.Service) int {
		return precedes(s.rule, r)
	})
}

// serviceFor returns the service with this rule, which it adds if need be.
func (l *Ledger) serviceFor(rule events.Service) *service {
	i, ok := l.find(rule)
	if !ok {
		l.services = slices.Insert(l.services, i, &service{rule: rule, stale: true, partStale: true})
	}
	return l.services[i]
}

// precedes orders services: the higher priority first, then the earlier name.
func precedes(a, b events.Service) int {
	if a.Priority != b.Priority {
		return b.Priority - a.Priority
	}
	return strings.Compare(a.Name, b.Name)
}
