package simulation

import (
	"fmt"
	"time"

	"github.com/conncord/conncord/events"
)

// A Plan is all that determines a world: the same plan gives the same world, to
// the last event. Seed decides what the plan leaves open, such as how long each
// packet takes.
type Plan struct {
	Seed       uint64
	Length     time.Duration // of the time in which things happen
	Lease      time.Duration // of the leader
	Policies   []events.Policy
	Arbiters   []Candidate
	Containers []Member
	Deeds      []Deed    // by time
	Database   *Database `json:",omitempty"` // nil: nobody sees it, and it takes whoever comes, at once
}

// A Database is what the plan says about the database and whoever looks at it.
type Database struct {
	Usable   int  // connections that it has for ordinary roles
	Bound    int  `json:",omitempty"` // that it has for the containers' role; 0: as many as there are
	External int  `json:",omitempty"` // of others who are there all the time
	Headroom int  `json:",omitempty"` // that arbiters leave free
	Fence    bool `json:",omitempty"` // arbiters end what expired leases left
}

// A Candidate is a place where arbiters run.
type Candidate struct {
	Rate   int  // of its clock, in thousandths
	Policy int  // which of the plan's it is configured with at first
	Fresh  bool // it is told at first that no container holds a connection
	Rules  int  // the newest version of the allocation rule that its program knows
	Looks  bool `json:",omitempty"` // it sees the database
}

// A Member is a container.
type Member struct {
	Service string
	Strict  bool
	TTL     time.Duration // that it asks for
	Local   int           // connections without any arbiter
	Rate    int           // of its clock, in thousandths
	Want    int           // at first
	Lazy    bool          `json:",omitempty"` // it opens only what it needs at the moment; else all that it may
}

// A Deed is one thing that happens to the world.
type Deed struct {
	At  time.Duration
	For time.Duration `json:",omitempty"` // until it is over; 0: it has no duration
	Act Act
	Who int `json:",omitempty"` // which arbiter or container
	N   int `json:",omitempty"`
}

// An Act says what happens.
type Act string

// What happens to containers.
const (
	Want     Act = "want"      // it wants N connections
	Leave    Act = "leave"     // it gives everything back, and joins again afterwards
	Die      Act = "die"       // kill -9; another container of the kind starts afterwards
	Freeze   Act = "freeze"    // SIGSTOP, SIGCONT afterwards
	CutTo    Act = "cut to"    // nothing that it sends arrives
	CutBack  Act = "cut back"  // nothing comes back to it
	Cut      Act = "cut"       // both
	Slow     Act = "slow"      // its packets take up to N milliseconds
	Twice    Act = "twice"     // what it appends may be appended twice
	Unlisten Act = "unlisten"  // its subscription fails
	Garbage  Act = "garbage"   // N entries that are no intents are appended
	Operator Act = "operator"  // an operator has expired leases cleaned up
	Restart  Act = "databases" // the database restarts
	Lossy    Act = "lossy"     // one in N of its packets is lost
)

// What happens to the database.
const (
	Strangers Act = "strangers" // N connections are opened past Conncord, if there is room
	Away      Act = "away"      // it is down, and comes back
	Blind     Act = "blind"     // nobody who looks at it gets an answer
	Dim       Act = "dim"       // a look takes up to N milliseconds, and so does opening a connection
)

// What happens to arbiters.
const (
	Kill     Act = "kill"      // kill -9, and a start afterwards
	Stop     Act = "stop"      // SIGTERM, and a start afterwards
	Pause    Act = "pause"     // SIGSTOP, and SIGCONT afterwards
	Trap     Act = "trap"      // kill -9 at the N/4-th call from now on, at step N%4 of it
	Isolate  Act = "isolate"   // no packet passes between it and Redis
	MuteTo   Act = "mute to"   // nothing that it sends arrives
	MuteBack Act = "mute back" // nothing comes back to it
	Lag      Act = "lag"       // its packets take up to N milliseconds
	Policy   Act = "policy"    // it restarts with the plan's N-th policy
)

// What happens to Redis.
const (
	Hang     Act = "hang"     // it does not answer
	Crash    Act = "crash"    // it is down, and comes back with all its data
	Rollback Act = "rollback" // and comes back without the newest N milliseconds
	Promote  Act = "promote"  // a replica that lacks the newest N milliseconds takes its place
	Demote   Act = "demote"   // such a replica does, and is demoted for it again
	Wipe     Act = "wipe"     // it is down, and comes back empty
	Flush    Act = "flush"    // all its data is deleted
	Forget   Act = "forget"   // it forgets all scripts
	Outage   Act = "outage"   // nobody reaches it
)

func (d Deed) String() string {
	s := fmt.Sprintf("%v: %s %d", d.At.Round(time.Millisecond), d.Act, d.Who)
	if d.N != 0 {
		s += fmt.Sprintf(" (%d)", d.N)
	}
	if d.For > 0 {
		s += fmt.Sprintf(" for %v", d.For.Round(time.Millisecond))
	}
	return s
}
