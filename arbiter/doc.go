// Package arbiter is the process that decides: it elects one leader among the
// arbiters of a budget, and the leader takes the containers' intents from the
// inbox, runs them through the ledger and commits what follows.
//
// # Roles
//
// Every arbiter of a budget follows the history and re-derives each record with
// its own ledger, so that a standby is ready the moment it wins. One of them
// leads. The leader's lease is a key in Redis that it extends three times within
// the lease's duration; when it stops, the key expires and the first standby
// that asks wins the next epoch.
//
// # What a leadership may do
//
// The leader's lease only says who should decide; it does not protect anything.
// A paused process does not notice that its lease is over. What protects the
// history is the commit: one script in Redis that first checks that the
// incarnation and epoch are still the leader's and that the history still ends
// where the batch builds on, and only then writes. A leader that lost its
// leadership is refused there, drops its ledger, which has run ahead, and
// follows again.
//
// A commit whose reply was lost is committed again, unchanged: the script knows
// a batch that it has already seen.
//
// # When Redis forgets
//
// A Redis that lost data looks just like one that did not. Epochs would go back
// with the data, and units that were granted in what is lost would be granted
// again. So each history belongs to one life of one server process, which the
// head of the history names. When a campaign finds another life, or no head, or
// a history whose end is not where the head says, it begins a new incarnation:
// with an empty ledger, behind the recovery barrier. Containers find out that
// their lease is of another incarnation, say what they hold, and keep it; nobody
// gains until the longest lease of the former incarnation has run out. See
// recovery.go.
//
// The leader must notice as well when Redis is restarted or replaced under it:
// see [events.Log.Commit].
//
// # The database
//
// A leader with a [Lookout] looks at the database about once a second and puts what
// it sees into the history as intents of its own, so that the ledger decides by it
// and whoever follows decides the same. It never waits for the database.
//
// A container that was killed is freed as soon as the database shows nothing of it,
// which is safe only if it cannot open a connection after the look began. The order of
// steps makes it so; each is needed. Its heartbeats have been missing for longer than
// one lets it open connections. That it is silent stands in the history and in its
// mailbox. The heartbeats are read once more, after that: a later one is followed by a
// look into the mailbox, on the same connection. Only then does the look begin. See
// silence.go and look.go here, observe.go in package ledger for what is decided, and
// package lease for the container's side.
//
// # Time
//
// Ledger time is the duration of leadership, in milliseconds: the leader's
// monotonic clock since it won, added to the ledger time at which the last
// leadership was heard. While nobody leads it stands still, which makes leases longer and never
// shorter. No wall clock takes part in any decision.
//
// # Failure
//
// Every error of Redis is met by trying again, after a pause that doubles up to
// [maxPause]. The arbiter ends only when its context does. It then commits what
// is under way, records that it resigns and gives up its lease in the same step;
// the standbys, who read the history, take over at once.
package arbiter
