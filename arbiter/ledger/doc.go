// Package ledger is the pure heart of Conncord: a state machine that takes one
// intent at a time and says what follows from it.
//
// It has no clock, does no I/O, starts no goroutine, draws no random number,
// computes no fraction and never lets the order of a map reach a decision. Time
// is an input: ledger time, in milliseconds of leadership, as the arbiter
// recorded it. The same inputs therefore give the same decisions and the same
// hashes on every machine, today for the arbiter that leads, a moment later for
// the standbys that follow, and years later for a replay.
//
// # What it counts
//
// A container has a lease of some units: it may hold that many connections. It
// is charged for what it may still hold, which is never less than its units and
// more while it gives some up. The sum of the charges is what the ledger keeps
// within the limit; see [Ledger.Apply].
//
// Units grow only into connections that nobody is charged for. To take some
// away, the ledger lowers the units (a recall) and leaves the charge until the
// container has said that it holds no more. It says so with every intent: its
// ceiling is a promise to hold no more than that until it sees a grant newer
// than the one it names. A promise that names an older grant than the newest
// change of the lease cannot lower the charge, because the container may not
// know of the change yet.
//
// # How a lease ends
//
// A lease lasts one TTL of ledger time from the last intent that was heard. The
// container counts from before it sent that intent and subtracts the drift
// margin, so that its own deadline is earlier. At its deadline it shrinks to its
// fallback, without help; a lost lease is therefore charged with the fallback
// until the container is heard again, an operator cleans up, or one more TTL
// has passed.
//
// # Who gets how many
//
// See allocation.go for the rule and reallocate.go for how the leases move
// towards it.
package ledger
