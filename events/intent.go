package events

import (
	"fmt"
	"time"
)

// A Kind says what an intent is about.
type Kind uint8

// The kinds of intents. Containers say Register to Cleanup. The others are the
// arbiter's own: they stand in the history like all that changes the state, and
// are refused when they come through the inbox.
const (
	Register  Kind = iota + 1 // here I am; this is what I hold and want
	Request                   // I want another number of connections
	Renew                     // I am alive; this is what I hold and want
	Release                   // I am leaving; this is what I still hold
	Cleanup                   // forget what the expired leases leave behind
	SetPolicy                 // these are the limit and the rules now
	Begin                     // a new incarnation begins, behind a barrier
	Lead                      // this arbiter leads from here on
	Resign                    // and here it stops
	Tick                      // time has passed: a lease is due
	Silence                   // the heartbeats of these containers have stopped
	Observe                   // this is what the database shows

	lastKind = Observe
)

var kindNames = [...]string{
	Register: "register", Request: "request", Renew: "renew", Release: "release", Cleanup: "cleanup",
	SetPolicy: "policy", Begin: "begin", Lead: "lead", Resign: "resign", Tick: "tick", Silence: "silence", Observe: "observe",
}

func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kindNames[k]
}

// Own reports whether only the arbiter itself may say this.
func (k Kind) Own() bool { return k >= SetPolicy && k <= lastKind }

// An Intent is one thing that a container, or the arbiter itself, says. Which
// fields count depends on the kind; the others are zero.
type Intent struct {
	Kind Kind

	// Container is the id of the sender; it is empty in the arbiter's own.
	Container string
	// Counter counts the sender's intents, from 1. The ledger applies each at
	// most once and never an older one after a newer one, so that an intent
	// can be sent again whenever its fate is unknown.
	Counter uint64

	Demand    // Register, Request, Renew; of Release only Ceiling, Incarnation and Seen
	Introduce // Register

	Policy      Policy        // SetPolicy
	Barrier     time.Duration // Begin: how long nobody may gain
	Tags        []string      // Silence: of the containers
	Observation Observation   // Observe
	Arbiter     string        // Lead, Resign: the id of the arbiter
	Host        string        // Register, Lead: where the sender runs
}

// Introduce is what a container says about itself when it registers.
type Introduce struct {
	Service string
	Strict  bool          // without a lease it holds nothing, instead of its part of the service's minimum
	TTL     time.Duration // how long its leases are to last; 0 or more than the policy's: the policy's; too short for its drift margin: just long enough
}

// Demand is what a container holds and wants. It is absolute, never a
// difference, so that only the latest counts.
type Demand struct {
	// Want is how many connections the container would use if it could.
	Want int
	// Ceiling is the container's promise: it will hold at most so many until it
	// sees a grant newer than Seen. It is what allows the ledger to give to
	// others what this container gave up.
	Ceiling int
	// Held, InUse and Waiting are for people and alerts: physical connections,
	// those checked out, and callers that wait for one.
	Held, InUse, Waiting int
	// Incarnation and Seen name the newest grant that the container goes by;
	// both are 0 when it has none.
	Incarnation, Seen uint64
}
