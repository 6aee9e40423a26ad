package fold

import (
	"github.com/tidwall/btree"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// maxLeaderships is how many epochs the timeline of leaders goes back.
const maxLeaderships = 100

// A State is how a budget stands after one record.
type State struct {
	incarnation, epoch, sequence uint64
	hash                         events.Hash
	now                          int64 // ledger time of the newest record
	wall                         int64 // when it was made, Unix milliseconds

	policy             events.Policy // none was in force yet while Rule is 0
	barrier            int64         // ledger time until which nobody gains
	refused            uint64        // intents that were not accepted in this incarnation
	available, charged int

	leader      string // empty: it resigned, or is not known
	host        string // where the leader runs
	leaderships []status.Leadership

	containers map[string]*container
	tags       map[string]*container
	services   map[string]*service // those that have containers
	ranks      uint64
	sum        int // of the charges: must be charged

	look      events.Observation // the newest, without those who hold something
	strangers map[string]int     // backends in it of containers that are not registered, by tag
	strange   int                // sum of these
	over      int                // backends in it beyond their container's charge

	counts Counts
}

// Counts are how often something was said and decided since the projector began,
// through all incarnations. The index is the number of the kind, the verb, the
// reason.
type Counts struct {
	Kinds    [256]uint64
	Verbs    [256]uint64
	Refusals [256]uint64
}

// Faulty returns how many intents were refused for a reason that somebody has to
// mend. The others belong to the protocol: what was said twice, or before the
// arbiter knew the sender.
func (c *Counts) Faulty() (n uint64) {
	for reason, count := range c.Refusals {
		switch events.Reason(reason) {
		case events.Stale, events.UnknownSender, events.NoPolicy:
		default:
			n += count
		}
	}
	return n
}

// A container is one registered container, with what was last said of it.
type container struct {
	id, host, tag string
	service       *service
	rank          uint64
	strict, lost  bool

	lease                   string
	want, held, inUse       int
	waiting                 int
	units, charge, fallback int
	reason                  events.Reason
	reserved, heard         int64 // Unix milliseconds; 0: unknown

	shown, over  int
	silent, fell uint64
	asleep       bool
}

// away reports whether nothing is granted to the container at present.
func (c *container) away() bool { return c.lost || c.asleep }

// A service is the containers of one kind, with sums over them.
type service struct {
	name    string
	members btree.Map[uint64, *container] // by rank

	charge, units, inUse, waiting, want int
	lacking                             int   // what those that are not away want beyond what they have
	unmet                               int64 // since when something is lacking, Unix milliseconds; 0: nothing is
}

// New returns the state before the first record.
func New() *State {
	s := &State{}
	s.reset()
	return s
}

// reset forgets all that belongs to an incarnation.
func (s *State) reset() {
	*s = State{
		containers: map[string]*container{}, tags: map[string]*container{}, services: map[string]*service{},
		strangers: map[string]int{}, leaderships: s.leaderships, counts: s.counts,
	}
}

// Inherit takes over what a new incarnation does not end: the timeline of leaders
// and the counts of the state before.
func (s *State) Inherit(old *State) {
	s.counts = old.counts
	var earlier []status.Leadership
	for _, l := range old.leaderships {
		if len(s.leaderships) == 0 || l.Began.Before(s.leaderships[0].Began) {
			earlier = append(earlier, l)
		}
	}
	s.leaderships = append(earlier, s.leaderships...)
	s.leaderships = s.leaderships[max(0, len(s.leaderships)-maxLeaderships):]
	if s.leader == "" && s.incarnation == old.incarnation {
		s.leader, s.host = old.leader, old.host
	}
}

// Sequence returns the sequence of the newest record.
func (s *State) Sequence() uint64 { return s.sequence }

// Incarnation returns the incarnation of the newest record, 0 before the first.
func (s *State) Incarnation() uint64 { return s.incarnation }

// Epoch returns the epoch of the newest record.
func (s *State) Epoch() uint64 { return s.epoch }

// Now returns the ledger time of the newest record, milliseconds.
func (s *State) Now() int64 { return s.now }

// Wall returns when the newest record was made, Unix milliseconds.
func (s *State) Wall() int64 { return s.wall }

// Leader returns who leads by the history; empty: nobody.
func (s *State) Leader() string { return s.leader }

// Counts returns how often what was said and decided.
func (s *State) Counts() Counts { return s.counts }

// Leaderships returns the timeline of leaders, the newest last. It must not be
// changed.
func (s *State) Leaderships() []status.Leadership { return s.leaderships }

// change applies a change to a container and keeps the sums with it.
func (s *State) change(c *container, apply func()) {
	s.count(c, -1)
	apply()
	s.count(c, 1)
}

// count adds a container to the sums, or takes it out.
func (s *State) count(c *container, sign int) {
	v := c.service
	v.charge += sign * c.charge
	v.units += sign * c.units
	v.inUse += sign * c.inUse
	v.waiting += sign * c.waiting
	v.want += sign * c.want
	if !c.away() {
		v.lacking += sign * max(0, c.want-c.units)
	}
	s.sum += sign * c.charge
	s.over += sign * c.over
}

// join adds a container.
func (s *State) join(c *container, serviceName string) {
	v := s.services[serviceName]
	if v == nil {
		v = &service{name: serviceName}
		s.services[serviceName] = v
	}
	c.service = v
	c.tag = events.Tag(c.id)
	s.containers[c.id] = c
	if s.tags[c.tag] == nil {
		s.tags[c.tag] = c
	}
	v.members.Set(c.rank, c)
	s.count(c, 1)
}

// remove takes a container out.
func (s *State) remove(c *container, why events.Reason) {
	s.count(c, -1)
	delete(s.containers, c.id)
	if s.tags[c.tag] == c {
		delete(s.tags, c.tag)
	}
	c.service.members.Delete(c.rank)
	if c.service.members.Len() == 0 {
		delete(s.services, c.service.name)
	}
	if why != events.Released { // who left has nothing, whatever the last look showed
		s.meet(c.tag, c.shown)
	}
}

// meet counts backends of a container that is not registered.
func (s *State) meet(tag string, conns int) {
	if conns > 0 {
		s.strange += conns - s.strangers[tag]
		s.strangers[tag] = conns
	}
}
