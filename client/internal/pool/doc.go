// Package pool keeps connection pools inside a number of physical connections that may change at any moment.
//
// A lease allows a container N connections to PostgreSQL. This package knows nothing about leases: the coordinator tells
// it numbers, and it makes the database see no more connections than that. Two parts share the work.
//
// The [Gate] is the truth. Every pool dials through it, and it counts every socket that may have a backend behind it:
// from before the dial until the server has closed its end. PostgreSQL frees a backend's place before it closes the
// socket, so an end of file proves that the place is free; until then a closed connection still counts, and with it a
// connection whose client is gone while the query goes on. Lowering the limit closes nothing: the one who lowers it waits
// until [Gate.Open] has fallen, and calls [Gate.Kill] if it takes too long.
//
// A [Pool] is the comfort. A gate alone would be safe and bad: callers would sit in a dial at the gate while connections
// of their own pool go idle. So each pool also follows its share, with means that its library allows:
//
//   - [OpenSQL]: a genuine *sql.DB over pgx's stdlib. Its MaxOpenConns is the share; lowering closes idle connections,
//     raising wakes the waiters, which database/sql does not do by itself.
//   - [OpenPgx]: a genuine *pgxpool.Pool. Its size is fixed for life, so the slots beyond the share are held as ballast:
//     acquired by the controller, without a physical connection.
//
// A share is enforced at the gate too, as a lane: a pool that overshoots (pgxpool's Reset, a user's SetMaxOpenConns)
// waits at the gate for its own connections to close and cannot take another pool's part.
//
// # Admission
//
// A container that went silent is charged for what the database shows of it, so that what it does not hold can be given
// to others soon. That is safe only if it opens nothing unseen. So the coordinator says until when it has proved to be in
// touch ([Admission]), and the gate opens nothing from then on. The argument has these steps:
//
//   - No dial begins at that moment or later. The clock is read right before the dial, under the lock, after every wait; no
//     timer or goroutine has to run first. A process that was stopped and wakes finds its time over.
//   - A dial that began before it is established within the grace, and the database shows it from then on; or it is
//     given up. A timer does that, and so that a late timer changes nothing, the clock is read again when the dial
//     returns and when the server has accepted the connection. Whoever looks at the database after the grace sees all.
//   - While the database shows at least one connection of ours, we are charged for no less than the floor. So opening
//     up to the floor takes nothing from anybody as long as a connection shows that there has been one at every moment
//     since: a lifeline (see lifeline.go). It is established at the end of the admission and there ever since, or was
//     established while another one was there. What was opened after a moment without any proves nothing, so a lifeline
//     that was lost does not come back by itself.
//   - That a lifeline is there is not believed without looking: at its socket before the dial, because nobody may be
//     reading from it, and then by the new connection in the database itself, because a network that was down
//     swallows ends. If it is not there, the new connection is closed before anybody has it.
//
// What is left is short: a connection that is closed again at once was there for a round trip or two, as was one whose
// process was stopped between two looks at the clock; and a dial may be under way, unseen, when the last lifeline ends.
//
// # A full database
//
// When others have taken connections that the lease counts as ours, the database refuses a dial that the gate admitted.
// The place goes back to the gate, checkouts wait, and one dial of each pool probes now and then (see refusal.go). A pool
// for database/sql grows by one connection at a time meanwhile, so that more checkouts queue for the connections that it
// has instead of waiting in a dial.
//
// # What a caller must know
//
// After lowering, "Open() <= n" is the confirmation: from then on the database never shows more than n. Before it, the
// surplus may still be in use.
//
// The order of a change matters only for speed. To grow, set the gate's limit first; to shrink, the shares first.
//
// A checkout that waits in a dial is not served by a connection that is returned. So while little may be opened, the
// shares should be no more than the pools have ([Usage].Live, [Gate.Allowed]); new checkouts queue in the library then.
//
// Cancel requests open short sockets of their own. They are not counted, because PostgreSQL does not count them.
//
// A connection behind a connection pooler or a proxy ends at that proxy, and so does what the gate can prove.
package pool
