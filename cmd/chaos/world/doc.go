// Package world is what chaos acts upon: a PostgreSQL, a Redis with a replica,
// three arbiters and twelve containers, all of them processes, and the links
// between them that can be disturbed.
//
// # Links
//
// Every arbiter and every container reaches Redis through a proxy of its own
// (link.go), so that each can be cut off alone, in one direction or in both. All
// links lead to the present master (redis.go). The judge has one as well, which
// is never disturbed.
//
// Arbiters that look at the database do so through links of their own: what they
// see may be late, or nothing at all. Containers reach PostgreSQL directly. The
// client counts a connection until PostgreSQL has closed its end, and the judge
// counts backends: with a proxy in between, both would look at different things. The proxy would close the
// container's side while the backend is still there, or hold it open after the
// backend is gone, and what came out would be a fault of the proxy. What can go
// wrong with a database is done to the server itself.
//
// # Who has which connections
//
// Every process of a container has a role of its own in the database
// (database.go), so that a look at pg_stat_activity says without any doubt whose
// a backend is. Arbiters look as an ordinary role with pg_monitor and
// pg_signal_backend, as Supabase's role postgres is one; strangers, who come past
// Conncord, have a role of their own as well.
//
// # Order of ending
//
// Containers first, so that they can say goodbye, then the arbiters, the links,
// Redis and PostgreSQL. Each waits for what it started.
package world
