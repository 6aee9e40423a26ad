// Package observer is how one connection looks at what PostgreSQL itself says of its connections.
//
// Conncord's books say who may hold what; only the database knows who does. The leading arbiter takes a [Look] about once
// a second, and what it makes of it goes into the history as intents. This package knows nothing of books, leases or
// Redis: it asks, counts and, when told to, ends backends.
//
// # What a look is
//
// One round trip and one transaction. PostgreSQL copies its table of backends once in a transaction, so the numbers of
// one look belong together, and it does so anew for each: a look that begins after a connection was accepted shows it.
//
// Counted is what uses up max_connections: client backends. Replication has had places of its own since PostgreSQL 12,
// background and parallel workers and autovacuum have theirs. Each client backend is one of
//
//   - ours: its application_name is a container's of this budget ([events.ParseApplicationName]). See Look.Backends.
//   - the platform's: its role is one of Config.Platform, or it is an observer's of this budget, such as this one.
//   - external: everything else, and with it the connections of other budgets.
//   - starting: nobody yet. PostgreSQL 18 shows connections whose client has not yet proved who it is.
//
// The limits are read with every look, so that a changed one is followed without a restart. The reserved ones of
// PostgreSQL 16 (reserved_connections) are never counted as usable, even if a container's role may use them: they are
// somebody's cushion, and it is not for us to use it up. What is kept for superusers is the last that is free, so a
// superuser's connection counts like any other.
//
// A look takes half a millisecond with 60 backends and some ten with 1,000: three or four times what PostgreSQL needs to
// read its table of backends at all.
//
// # What a look does not show
//
// Before PostgreSQL 18 a connection is in nobody's sight while its client logs in, although it has its place already: of
// 27 clients that stopped in the middle of the password exchange none was shown, and the 28th was refused. PostgreSQL
// gives them authentication_timeout, a minute by default. So "nothing is shown" means that no connection is usable, not
// that no place is taken: a client that is to be taken for gone must not finish a login that it began before.
//
// A backend that ends leaves the table a moment before its place is free.
//
// A container that gives itself another application_name is external from then on: still counted, but nobody's.
//
// # Rights
//
// An ordinary role is enough; it needs no tables. What it should have is pg_monitor and pg_signal_backend, as Supabase's
// role postgres has. Without pg_monitor it sees of other roles' connections the role, the database and the
// application_name, but neither what kind of backend it is, nor when it started, nor from where. It follows that
//
//   - ours are all found by their names, but parallel workers, which carry the name of the connection that they work
//     for, cannot be told from connections. Backends may hold too many then and never too few, and Look.Named is false;
//   - strangers may be counted too high in the same way. Look.Hidden says how many are in doubt;
//   - hidden ones cannot be ended, because it cannot be proved that they are still the same.
//
// Connections of the observer's own role, and of roles whose rights it has, are always seen in full. With one role for
// all, no grant is missing.
//
// # Failure
//
// A look that fails returns an error that says what was being done, and drops the connection; a later one dials again,
// after a pause that doubles up to three seconds. Nothing waits longer than [DialTimeout] and [LookTimeout] together:
// neither for a server that is stopped, nor for one that accepts and says nothing, nor to close. Errors and log lines
// never show a password.
package observer
