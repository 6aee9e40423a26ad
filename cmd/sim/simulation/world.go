package simulation

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

// A world is one simulated deployment.
type world struct {
	loop
	plan    *Plan
	dice    *rand.Rand
	keys    events.Keys
	server  *server
	judge   *judge
	db      *database // nil: nobody sees it
	calm    bool      // containers are killed, and nothing else goes wrong
	retries int       // that the client library makes by itself
	nodes   []*node
	boxes   []*box // all containers that ever were
	places  []*box // the one that is at each place now
	links   []*link
	images  map[time.Duration]dataset // of what Redis held, for the deeds that need one

	cleanups int
	healed   time.Duration // since when nothing goes wrong any more; 0: it does

	trace   io.Writer // nil: nobody reads it
	failure *Failure  // the first
}

// dawn is the virtual time at which a world begins: 0 means never in places.
const dawn = time.Hour

// A Failure says what must hold and did not.
type Failure struct {
	Check string // which of the judge's
	At    time.Duration
	What  string
}

func (f *Failure) Error() string { return fmt.Sprintf("%s: at %v: %s", f.Check, f.At-dawn, f.What) }

func (w *world) fail(check, format string, args ...any) {
	w.tellf("FAILED %s: "+format, append([]any{check}, args...)...)
	if w.failure == nil {
		w.failure = &Failure{Check: check, At: w.now, What: fmt.Sprintf(format, args...)}
	}
}

// tellf adds a line to the trace.
func (w *world) tellf(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%11.6f  %s\n", (w.now - dawn).Seconds(), fmt.Sprintf(format, args...))
	}
}

func newWorld(plan *Plan, trace io.Writer) *world {
	w := &world{plan: plan, dice: dice(plan.Seed, "world"), keys: events.NewKeys(budget), trace: trace, retries: libraryRetries()}
	w.now = dawn
	w.server = newServer(&w.loop, plan.Seed)
	w.judge = newJudge(w)
	if plan.Database != nil {
		w.db = &database{w: w, Database: *plan.Database, external: plan.Database.External}
		w.calm = plan.calm()
		w.after(patrolEvery, w.judge.patrol)
	}
	w.server.appended = w.judge.appended
	w.server.dropped = func() {
		for _, b := range w.boxes {
			b.unlisten()
		}
	}
	for i, c := range plan.Arbiters {
		name := fmt.Sprint("a", i)
		n := &node{w: w, name: name, link: w.newLink(name), Candidate: c}
		n.configure(c.Policy)
		w.nodes = append(w.nodes, n)
		w.after(between(n.link.dice, 0, time.Second), func() { n.start(c.Fresh) })
	}
	w.places = make([]*box, len(plan.Containers))
	for i, m := range plan.Containers {
		w.after(between(w.dice, 0, 2*time.Second), func() { w.places[i] = w.newBox(i, m) })
	}
	return w
}

func (w *world) newLink(name string) *link {
	k := &link{loop: &w.loop, server: w.server, dice: dice(w.plan.Seed, "link "+name)}
	w.links = append(w.links, k)
	return k
}

// find returns a container by its id, nil if there is none.
func (w *world) find(id string) *box {
	_, number, ok := cutLast(id)
	if n, err := strconv.Atoi(number); ok && err == nil && n < len(w.boxes) && w.boxes[n].id == id {
		return w.boxes[n]
	}
	return nil
}

func cutLast(id string) (before, after string, found bool) {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i] == '.' {
			return id[:i], id[i+1:], true
		}
	}
	return id, "", false
}

// watch has the judge look at a container to which something happened.
func (w *world) watch(b *box) {
	w.judge.check(b)
	w.judge.checkSum()
}

// head returns the leadership in force in Redis.
func (w *world) head() leadership {
	it := w.server.find(w.keys.Head)
	if it == nil {
		return leadership{}
	}
	incarnation, _ := strconv.ParseUint(it.hash["incarnation"], 10, 64)
	epoch, _ := strconv.ParseUint(it.hash["epoch"], 10, 64)
	return leadership{incarnation, epoch}
}

// local reports whether the container goes on without any arbiter.
func (b *box) local() bool { return b.m.Mode(b.clock()) == lease.Local }

// repeat appends an intent once more: the network did it.
func (w *world) repeat(data []byte, later time.Duration) {
	w.after(later, func() {
		if in, err := events.DecodeIntent(data); err == nil {
			w.judge.said[fmt.Sprint(in.Container, "/", in.Counter)]--
		}
		w.server.arrive(func() {
			w.server.exec([]string{"XADD", w.keys.Intents, "*", "i", string(data)})
			w.server.serve()
		}, func(error) {})
	})
}

// cleanup has an operator ask for expired leases to be forgotten.
func (w *world) cleanup() {
	w.cleanups++
	in := events.Intent{Kind: events.Cleanup, Container: fmt.Sprint("operator", w.cleanups), Counter: 1}
	w.server.arrive(func() {
		w.server.exec([]string{"XADD", w.keys.Intents, "*", "i", string(events.EncodeIntent(&in))})
		w.server.serve()
	}, func(error) {})
}
