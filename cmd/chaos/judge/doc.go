// Package judge decides whether Conncord kept its promises, by what PostgreSQL,
// the history and the callers in the containers say.
//
// # Connections
//
// A superuser counts the backends of the containers' roles every few
// milliseconds (limit.go). More than what is available at that moment are a
// violation. "At that moment" is what the history says within one second around
// it, and where the sum of the charges stands above what is available, it is that
// sum: docs/architecture.md names the cases in which it can, and the history
// is checked for any other (history.go). Strangers and arbiters counted in, there
// may never be more than the database gives to ordinary roles.
//
// There are excuses, each for one container and for a bounded time, for what
// "Known limits" in docs/architecture.md says can happen:
//
//   - A container that is paused keeps its sockets beyond its lease. Excused is
//     what it has above what it is charged for, while it is paused and for the
//     three seconds that it may take to close them.
//   - A container that is cut off for longer than two TTLs keeps its fallback.
//     Excused are as many connections as its fallback was, above what it is
//     charged for, until it is connected again.
//   - A container in local mode has connections of which nobody knows. Excused
//     are as many as its service's minimum, until it has joined.
//
// An excuse is for the container's own backends, which are known by their role,
// and for those alone: should others have one more than they may meanwhile, that
// is a violation.
//
// A refused connection is a violation, but for these, which others have really
// taken, or kept, from the containers:
//
//   - While a burst of strangers holds all that the database has, and for two
//     seconds after the last of them has gone, every role may be refused.
//   - For four seconds after the database's CONNECTION LIMIT was lowered below what
//     is in use, every role may be refused for that reason: by then the arbiter has
//     seen it and leases are down. This is done only when nothing else is wrong.
//   - While the arbiters' own role may not connect at all, that role may be refused.
//
// Strangers that come one by one, each when the arbiter has taken the one before
// into account, have nobody refused, and are not refused themselves.
//
// # Failures
//
// Sessions that fail are counted by class (failures.go). A fault names the
// classes that it explains and the containers concerned; all others are
// violations: a leader that dies, a slow network, garbage in the inbox and the
// death of another container explain nothing. Violations are also processes that
// end by themselves, and what programs log when they are broken (log.go).
//
// # What arbiters see of the database
//
// Where they look at it, a container that was killed with kill -9 has to be gone
// within three seconds: nothing is charged for it and all that it had is granted to
// those who want it. That is measured when nothing else is wrong.
//
// A container that stands still for longer than the window in which it must give
// signs of life, but not as long as its lease, and one that has no connection
// because it has nothing to do, have the same lease afterwards.
//
// Where they fence, a container that stands still has no more connections than its
// fallback three seconds after its lease has expired.
//
// # History
//
// Every record is kept in the order in which it came to Redis, also those that
// Redis lost later (follow.go, archive.go). Each is derived again with the
// ledger, byte by byte, as it comes and once more at the end (derive.go). No
// incarnation may begin twice, no epoch may have two leaders, no record may be
// missing or change.
//
// # Recovery
//
// After the end of the last fault of a round the system must be whole again within the time that its design
// allows (whole.go): somebody alive leads and decides, every container goes by a
// lease that the present incarnation knows, all that is available is granted if it
// is wanted, nothing is charged for containers that are gone, and every container
// that may hold a connection serves its callers. When history was lost this can
// take two TTLs: the barrier, and the time for which the minimums are kept back.
package judge
