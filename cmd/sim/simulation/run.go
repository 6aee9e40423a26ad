package simulation

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/conncord/conncord/client/lease"
)

// maxSteps bounds a world: one that does not come to rest is broken.
const maxSteps = 5_000_000

// restPause is how long a healed world runs before somebody looks whether it has
// come to rest.
const restPause = 700 * time.Millisecond

// A Result is what came of a plan.
type Result struct {
	Failure *Failure // nil: everything held
	Time    time.Duration
	Steps   int
	Records int
	Lives   int // of Redis
	Epochs  int
}

// Run runs a plan. What happens is written to the trace, if there is one.
func Run(plan *Plan, trace io.Writer) Result {
	w := newWorld(plan, trace)
	began := w.now
	w.prepare()
	stop := func() bool {
		if w.steps > maxSteps {
			w.fail("rest", "the world does not come to rest")
		}
		return w.failure != nil
	}
	w.run(began+plan.Length, stop)
	if w.failure == nil { // all deeds are over by now
		w.tellf("HEALED")
		w.healed = w.now
		for late := w.now + healTime(plan); w.failure == nil; {
			for _, n := range w.nodes {
				n.start(false) // also one that was told to end while it stood still
			}
			w.run(w.now+restPause, stop)
			what := w.unsettled()
			if what == "" && w.now > w.healed+2*settle {
				break
			}
			if what != "" && w.now > late {
				w.fail("rest", "%s", what)
			}
		}
	}
	for _, n := range w.nodes {
		n.kill()
	}
	return Result{
		Failure: w.failure, Time: w.now - began, Steps: w.steps, Records: w.judge.records,
		Lives: w.server.lives, Epochs: len(w.judge.leaders),
	}
}

// healTime is how long a healed world has to converge at most: the barrier, the
// time for which minimums are kept back after it, and for the dead to lapse; and for
// a caller to return what was recalled when all that was over.
func healTime(p *Plan) time.Duration {
	longest := time.Duration(0)
	for _, q := range p.Policies {
		longest = max(longest, q.TTL)
	}
	return 3*longest + longUse + 2*settle
}

// sees reports whether whoever leads can see the database.
func (w *world) sees() bool {
	if w.db == nil {
		return false
	}
	who := w.judge.leaders[w.head()]
	for _, n := range w.nodes {
		if strings.HasPrefix(who, n.name+".") {
			return n.Looks && !w.crowdedOut(n)
		}
	}
	return false
}

// crowdedOut reports whether containers have left the arbiter that leads here no
// connection to look through, by what was granted when nobody saw the database. That
// is a known limit (docs/architecture.md): it goes by its books until somebody
// closes one.
func (w *world) crowdedOut(n *node) bool {
	return w.judge.ledger.Look().Usable == 0 && w.db.free() <= 0 && n.run != nil && !n.run.lookout.session
}

// unsettled returns what is not as it must be in a healed world: everybody has
// what the rule gives, and everything that was said stands in the history.
func (w *world) unsettled() string {
	j := w.judge
	if j.ledger == nil {
		return "nobody leads, and there is no history"
	}
	if it := w.server.find(w.keys.Intents); it != nil {
		if cursor := w.server.find(w.keys.Head).hash["cursor"]; cursor != it.stream.last.String() {
			return fmt.Sprintf("the inbox was read to %s, its newest entry is %s", cursor, it.stream.last)
		}
	}
	var members []share
	for _, b := range w.boxes {
		if b.alive && b.m.Mode(b.clock()) != lease.Released && b.m.Want() > 0 {
			c, _ := j.ledger.Container(b.id)
			members = append(members, share{box: b, rank: c.Rank, state: c})
		}
	}
	sees := w.sees()
	for _, s := range ideal(j.ledger.Policy(), w.available(j.ledger.Policy(), sees), members) {
		b, c := s.box, s.state
		limit, open := b.m.Limit(b.clock()), b.pool.open()
		if mode := b.m.Mode(b.clock()); mode != lease.Leased || limit != s.units || open > limit || open < limit && (sees || w.db == nil) && !b.member.Lazy || c.Units != limit || c.Charge != limit {
			return fmt.Sprintf("%s has %d connections and may have %d in mode %v; it should have %d of the %d that it wants (charged %d, units %d)",
				b.id, open, limit, mode, s.units, b.m.Want(), c.Charge, c.Units)
		}
	}
	for _, b := range w.boxes {
		if b.ghost.stranger && b.pool.open() > 0 {
			return fmt.Sprintf("%s has %d connections that nobody counts", b.id, b.pool.open())
		}
	}
	return ""
}
