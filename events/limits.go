package events

import "time"

// The limits of the protocol. They bound what one misbehaving container can
// cost the others, and are wide enough that no sane fleet meets them.
const (
	// MaxEntryBytes bounds one intent as it lies in the inbox. A real one has
	// about 100 bytes, and a policy with MaxServices services about 6 KB.
	MaxEntryBytes = 8 << 10

	// MaxOwnBytes bounds an intent of the arbiter itself: an observation names
	// every container that the database shows.
	MaxOwnBytes = 64 << 10

	// MaxHeld bounds the containers that one observation names. Each takes 15
	// bytes at most.
	MaxHeld = 4096

	// MaxSilences bounds the containers that one intent declares silent. More
	// take several intents.
	MaxSilences = 512

	// MaxParkedBytes is how much of an entry over MaxEntryBytes is kept in the
	// history: enough to recognise it.
	MaxParkedBytes = 256

	// MaxNameBytes bounds the names of services and hosts. 63 is the longest
	// label of the DNS and of PostgreSQL's application_name.
	MaxNameBytes = 63

	// MaxContainerBytes bounds a container's id: a host name, a dash and a
	// random part.
	MaxContainerBytes = 96

	// MaxBudgetBytes bounds a budget's name, which is part of every key.
	MaxBudgetBytes = 32

	// MaxUnits bounds every count of connections. PostgreSQL itself allows at
	// most 262,143.
	MaxUnits = 262_143

	// MaxServices bounds the services of one budget.
	MaxServices = 64

	// MaxContainers bounds the registered containers of one budget.
	MaxContainers = 20_000

	// MaxPriority bounds a service's priority, so that comparing two by
	// cross-multiplication cannot overflow.
	MaxPriority = 1_000

	// MinTTL and MaxTTL bound a lease's duration.
	MinTTL = time.Second
	MaxTTL = 24 * time.Hour

	// MaxHolders is how many services a grant names when it explains who
	// holds the connections that a container waits for.
	MaxHolders = 8

	// MaxDecisions bounds the decisions of one record when it is read: one for
	// each container at most.
	MaxDecisions = MaxContainers + 1
)

// Millis returns n milliseconds, the unit in which durations travel and ledger
// time is counted.
func Millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
