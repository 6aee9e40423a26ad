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
// # What a caller must know
//
// After lowering, "Open() <= n" is the confirmation: from then on the database never shows more than n. Before it, the
// surplus may still be in use.
//
// The order of a change matters only for speed. To grow, set the gate's limit first; to shrink, the shares first.
//
// Cancel requests open short sockets of their own. They are not counted, because PostgreSQL does not count them.
//
// A connection behind a connection pooler or a proxy ends at that proxy, and so does what the gate can prove.
package pool
