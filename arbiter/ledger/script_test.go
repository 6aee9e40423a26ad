package ledger

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/conncord/conncord/events"
)

// A script runs a scenario of testdata. Each line is a step, optionally after
// "at TIME", the ledger time from which it counts:
//
//	policy limit=60 reserve=6 ttl=30s margin=1s unlisted=1 api=8/3/20 …
//	        without services: the builtin ones; a service is priority/minimum/maximum
//	begin barrier=30s     lead ID     resign ID     tick     cleanup ID
//	register ID want=40   its service is the id up to the last dash; also ttl=, strict=true, service=
//	renew ID              also want=; "renew *": everybody in turn, and only what changes is printed
//	request ID want=5     release ID
//	garbage HEX           bytes that are no intent
//	oversize BYTES        an entry of so many
//	deaf ID, hear ID      it sees its present grant, and from here on none, or all again
//	show                  prints what every service and container has
//	loss                  the history is lost: a new incarnation begins
//	silence ID…           the arbiter declares them silent
//	glance                the look that the next observe reports begins here; else just before it
//	observe usable=57 external=3 held=ID:3,ID2:0!
//	        what the database shows, ! means silent; also bound=, platform=, headroom=,
//	        named=false, clear=true, and window=0s: whoever leads does not look
//
// A container says want= as it last did, ceiling= the units of the newest grant
// that it has seen, and seen= that grant's sequence. A counter= that is given is
// sent without being remembered; inbox=true sends one of the arbiter's own kinds
// through the inbox.
type script struct {
	l     *Ledger
	now   int64
	fleet []*actor
	entry int
	since uint64 // when the look under way began; 0: none is
	quiet bool   // renewals that change nothing, and sums, are not printed
	out   strings.Builder
}

// An actor is a container as a script knows it.
type actor struct {
	id      string
	counter uint64
	want    int
	deaf    bool
	mailbox events.Grant
	seen    events.Grant
}

// args are what a line says as name=value.
type args map[string]string

func (a args) num(name string, def int) int {
	if s, ok := a[name]; ok {
		n, err := strconv.Atoi(s)
		if err != nil {
			panic(err)
		}
		return n
	}
	return def
}

func (a args) duration(name string, def time.Duration) time.Duration {
	if s, ok := a[name]; ok {
		d, err := time.ParseDuration(s)
		if err != nil {
			panic(err)
		}
		return d
	}
	return def
}

// line runs one line and appends what follows from it to the output.
func (s *script) line(line string) {
	words := strings.Fields(line)
	if words[0] == "at" {
		d, err := time.ParseDuration(words[1])
		if err != nil {
			panic(err)
		}
		s.now = d.Milliseconds()
		words = words[2:]
	}
	verb, id, a := words[0], "", args{}
	for _, w := range words[1:] {
		if name, value, ok := strings.Cut(w, "="); ok {
			a[name] = value
		} else {
			id = w
		}
	}
	switch verb {
	case "deaf", "hear":
		c := s.actor(id)
		c.deaf, c.seen = verb == "deaf", c.mailbox
	case "show":
		s.show()
	case "silence":
		in := events.Intent{Kind: events.Silence}
		for _, id := range words[1:] {
			in.Tags = append(in.Tags, events.Tag(id))
		}
		s.apply(Input{Intent: events.EncodeIntent(&in)})
	case "glance":
		s.since = s.l.Sequence()
	case "observe":
		s.observe(a)
	case "loss":
		s.l = New(s.l.Incarnation()+1, s.l.Sequence())
	case "garbage":
		data, err := hex.DecodeString(id)
		if err != nil {
			panic(err)
		}
		s.apply(Input{Entry: s.next(), Intent: data})
	case "oversize":
		n, _ := strconv.Atoi(id)
		s.apply(Input{Entry: s.next(), Intent: make([]byte, n)})
	case "renew":
		if id == "*" {
			s.quiet = true
			for _, c := range slices.Clone(s.fleet) {
				s.speak(events.Renew, c, a)
			}
			s.quiet = false
			fmt.Fprintf(&s.out, "  = charged %d of %d\n", s.l.Charged(), s.l.available())
			return
		}
		fallthrough
	default:
		s.say(verb, id, a)
	}
}

func (s *script) actor(id string) *actor {
	for _, c := range s.fleet {
		if c.id == id {
			return c
		}
	}
	c := &actor{id: id}
	s.fleet = append(s.fleet, c)
	return c
}

// say is an intent by a container or by the arbiter.
func (s *script) say(verb, id string, a args) {
	kind := events.Kind(1)
	for kind.String() != verb {
		if kind++; kind > events.Tick {
			panic("unknown step " + verb)
		}
	}
	if !kind.Own() {
		s.speak(kind, s.actor(id), a)
		return
	}
	in := events.Intent{Kind: kind, Arbiter: id, Barrier: a.duration("barrier", 0)}
	if kind == events.SetPolicy {
		in.Policy = policyOf(a)
	}
	entry := ""
	if a["inbox"] != "" {
		entry = s.next()
	}
	s.apply(Input{Entry: entry, Intent: events.EncodeIntent(&in)})
}

func (s *script) observe(a args) {
	o := events.Observation{
		Since: s.l.Sequence(), Window: a.duration("window", 1500*time.Millisecond),
		Usable: a.num("usable", 0), Platform: a.num("platform", 0), External: a.num("external", 0),
		Headroom: a.num("headroom", 0), Named: a["named"] == "", Clear: a["clear"] != "",
	}
	o.Bound = a.num("bound", o.Usable)
	if s.since > 0 {
		o.Since, s.since = s.since, 0
	}
	for held := range strings.SplitSeq(a["held"], ",") {
		id, conns, ok := strings.Cut(held, ":")
		if !ok {
			continue
		}
		n, silent := strings.CutSuffix(conns, "!")
		o.Held = append(o.Held, events.Held{Tag: events.Tag(id), Conns: args{"n": n}.num("n", 0), Silent: silent})
	}
	slices.SortFunc(o.Held, func(a, b events.Held) int { return strings.Compare(a.Tag, b.Tag) })
	s.apply(Input{Intent: events.EncodeIntent(&events.Intent{Kind: events.Observe, Observation: o})})
	if over, strange := s.l.Uncounted(); over+strange > 0 {
		fmt.Fprintf(&s.out, "  nobody is charged for %d beyond leases and %d of the unknown\n", over, strange)
	}
}

func (s *script) speak(kind events.Kind, c *actor, a args) {
	if !c.deaf {
		c.seen = c.mailbox
	}
	c.counter++
	c.want = a.num("want", c.want)
	in := events.Intent{Kind: kind, Container: c.id, Counter: uint64(a.num("counter", int(c.counter)))}
	ceiling := a.num("ceiling", c.seen.Units)
	in.Demand = events.Demand{Ceiling: ceiling, Incarnation: c.seen.Incarnation, Seen: uint64(a.num("seen", int(c.seen.Sequence)))}
	switch kind {
	case events.Register:
		service := c.id
		if i := strings.LastIndexByte(c.id, '-'); i > 0 {
			service = c.id[:i]
		}
		if a["service"] != "" {
			service = a["service"]
		}
		in.Introduce = events.Introduce{Service: service, Strict: a["strict"] != "", TTL: a.duration("ttl", 0)}
		fallthrough
	case events.Renew, events.Request:
		in.Want = c.want
	case events.Release:
		in.Ceiling = a.num("ceiling", 0)
	}
	s.apply(Input{Entry: s.next(), Intent: events.EncodeIntent(&in)})
}

func (s *script) next() string {
	s.entry++
	return fmt.Sprintf("%d-0", s.entry)
}

func (s *script) apply(in Input) {
	in.Epoch, in.Now = 1, s.now
	step := s.l.Apply(in)
	if err := check(s.l); err != nil {
		panic(err)
	}
	if r := step.Record.Refused; r != 0 {
		fmt.Fprintf(&s.out, "  refused: %s\n", r)
	}
	for i := range step.Grants {
		s.told(&step.Grants[i])
	}
	if !s.quiet {
		fmt.Fprintf(&s.out, "  = charged %d of %d\n", step.Record.Charged, step.Record.Available)
	}
}

// told prints a grant and puts it into the container's mailbox.
func (s *script) told(g *events.Grant) {
	s.actor(g.Container).mailbox = *g
	if s.quiet && g.Verb == events.Renewed {
		return
	}
	fmt.Fprintf(&s.out, "  %s %s", g.Container, g.Verb)
	if g.Lease != "" && g.Verb != events.Ended {
		fmt.Fprintf(&s.out, " %d/%d", g.Units, g.Want)
		if g.Charge > g.Units {
			fmt.Fprintf(&s.out, " charge %d", g.Charge)
		}
		fmt.Fprintf(&s.out, " fallback %d", g.Fallback)
		if g.Position > 0 {
			fmt.Fprintf(&s.out, " waits %d.", g.Position)
		}
	}
	if g.Reason != 0 {
		reason, _, _ := strings.Cut(g.Reason.String(), ";")
		fmt.Fprintf(&s.out, " (%s)", reason)
	}
	fmt.Fprintln(&s.out)
}

func (s *script) show() {
	for _, x := range s.l.services {
		fmt.Fprintf(&s.out, "  %s %d:", x.rule.Name, x.units)
		x.members.Scan(func(_ uint64, c *container) bool {
			fmt.Fprintf(&s.out, " %s %d", c.id, c.units)
			if c.lost {
				fmt.Fprintf(&s.out, " lost")
			}
			if c.asleep {
				fmt.Fprintf(&s.out, " asleep")
			}
			if c.charge > c.units {
				fmt.Fprintf(&s.out, " charge %d", c.charge)
			}
			return true
		})
		fmt.Fprintln(&s.out)
	}
}

func policyOf(a args) events.Policy {
	p := events.Policy{
		Rule: 1, Plan: "scenario", Limit: a.num("limit", 60), Reserve: a.num("reserve", 0),
		TTL: a.duration("ttl", 30*time.Second), Margin: a.duration("margin", time.Second),
		Unlisted: events.Service{Priority: a.num("unlisted", 1)},
	}
	for name, value := range a {
		var s events.Service
		if n, _ := fmt.Sscanf(value, "%d/%d/%d", &s.Priority, &s.Minimum, &s.Maximum); n == 3 {
			s.Name = name
			p.Services = append(p.Services, s)
		}
	}
	if len(p.Services) == 0 {
		p.Services = events.BuiltinServices()
	}
	events.SortServices(p.Services)
	if err := p.Check(); err != nil {
		panic(err)
	}
	return p
}
