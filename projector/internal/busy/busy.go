// Package busy makes the history of a large fleet, for tests and benchmarks of what
// follows it.
package busy

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// A History is what the ledger of a large fleet wrote.
type History struct {
	Start   *events.Snapshot // when all containers had registered
	Before  [][]byte         // the records up to there
	Records [][]byte         // what the containers said after that
}

// services are the kinds of containers, in turns.
var services = []string{"scraper", "api", "viewer", "monitoring", "external"}

// ID names the container with the number.
func ID(i int) string { return fmt.Sprintf("container-%05d-0123456789", i) }

// Write returns the history of so many containers that say so many things.
func Write(containers, records int) *History {
	p := events.Policy{
		Rule: events.RuleVersion, Plan: "large", Limit: 6 * containers, Reserve: containers / 2, TTL: 5 * time.Minute, Margin: 6 * time.Second,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
	l := ledger.New(7, 0)
	apply := func(in *events.Intent, entry string) []byte {
		return l.Apply(ledger.Input{Epoch: 1, Now: l.Now() + 1, Wall: 1_700_000_000_000 + l.Now(), Entry: entry, Intent: events.EncodeIntent(in)}).Encoded
	}
	h := &History{}
	for _, in := range []events.Intent{{Kind: events.Begin}, {Kind: events.Lead, Arbiter: "arbiter-1"}, {Kind: events.SetPolicy, Policy: p}} {
		h.Before = append(h.Before, apply(&in, ""))
	}
	for i := range containers {
		h.Before = append(h.Before, apply(&events.Intent{
			Kind: events.Register, Container: ID(i), Counter: 1, Host: fmt.Sprintf("node-%d.example", i%50),
			Introduce: events.Introduce{Service: services[i%len(services)]}, Demand: events.Demand{Want: 4},
		}, "1-1"))
	}
	h.Start = l.Snapshot()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range records {
		i := r.IntN(containers)
		c, _ := l.Container(ID(i))
		in := &events.Intent{Kind: events.Renew, Container: ID(i), Counter: uint64(n + 2), Demand: events.Demand{
			Want: c.Want, Ceiling: c.Units, Held: c.Units, InUse: r.IntN(4), Incarnation: l.Incarnation(), Seen: l.Sequence(),
		}}
		if r.IntN(4) == 0 {
			in.Kind, in.Want = events.Request, 1+r.IntN(8)
			in.Ceiling = min(in.Ceiling, in.Want)
		}
		h.Records = append(h.Records, apply(in, "1-1"))
	}
	return h
}
