// Package lease is the container's side of the protocol as a pure state
// machine: which intents to send and when, which grants to go by, and how many
// connections the container may hold at a given moment.
//
// It does no I/O and starts no goroutine; whoever drives it passes the time in
// and calls it from one goroutine at a time. Package client drives it with Redis
// and real pools, and simulations drive it with virtual ones.
//
// # The promise
//
// Every intent carries a ceiling: the container will hold no more than that
// until it sees a grant newer than the one it names. The arbiter gives what lies
// above the ceiling to others. So sending an intent lowers what the newest grant
// allows to the ceiling, for good, whether or not the intent arrives and whatever
// the container comes to want in the meantime; only a newer grant raises it
// again. The arbiter in turn does not count on a promise when it has written a
// grant that the promise does not name.
//
// # The deadline
//
// The arbiter counts a lease's time from when it takes an intent, the container
// from before it sent it, and ends it earlier by the drift margin. The container's
// deadline is therefore the earlier one unless its clock runs slower than the
// arbiter's by more than the margin in one TTL. Before the deadline the
// container first stops using what lies above its fallback (Soft), then closes it
// by force (Hard), early enough for the database to notice before the deadline.
//
// # Admission
//
// An arbiter that looks at the database gives what a dead container held to others
// as soon as it is gone. It must be sure then that the container does not open
// connections after all, because it was not dead but slow. So where a grant asks
// for it, the container opens connections only for a short time, the window, after
// a sign of life that is known to have got through: a heartbeat or an intent. See
// admission.go.
//
// # Local mode
//
// A container that hears from no arbiter since its start goes on without one,
// on a fixed number of connections. It then holds more than the nothing it said
// at first, and says so as soon as it can; until that is heard, nobody counts
// these connections.
package lease
