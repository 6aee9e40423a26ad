// Package client shares one connection-limited PostgreSQL among containers.
//
// A container makes one [Coordinator], opens its pools through it, and uses them
// like any other: a genuine *sql.DB or *pgxpool.Pool, whose number of physical
// connections follows what the arbiter grants to the container.
//
//	c, err := client.FromEnv(ctx)
//	if err != nil { … }
//	defer c.Close(ctx)
//	db, err := c.OpenDB("")
//
// # Demand
//
// Unless told otherwise with [Coordinator.Request] or [Coordinator.Resize], the
// coordinator asks for what the pools use: more at once when callers wait, less
// when the most that was used within the last minute is less, and never less than
// the container's part of its service's minimum.
//
// # What happens when connections are recalled
//
// The pools close idle connections first and then those that callers return.
// Nothing is taken from a caller's hands. Only when the connections are closed,
// and the database has confirmed it, does the coordinator tell the arbiter, which
// then gives them to others.
//
// # Without Redis
//
// A lease is kept to its deadline, never grown, and then shrunk to the fallback:
// the container's part of its service's minimum, or nothing in strict mode. Shortly
// before the deadline, what lies above the fallback and is still in use is closed
// by force, because from then on the arbiter gives it to others. A container that
// starts without Redis, or without an arbiter, runs in local mode on its
// service's minimum and joins as soon as it can.
//
// Where the arbiter looks at the database, a container that cannot reach Redis keeps
// what is open and goes on using it, but opens connections only up to its fallback,
// and only while one of those that it had is still open: the arbiter, who may be well,
// gives what a silent container has not opened to others. What waits for a connection
// then waits in its pool.
//
// # Concurrency
//
// All methods may be called concurrently. [Coordinator.Close] ends and waits for
// every goroutine that the coordinator started.
package client
