// Package simulation runs whole deployments in virtual time and looks for a
// moment at which something does not hold that must always hold.
//
// # What is real and what is not
//
// Real are the arbiter with its loop and its log, the scripts that Redis runs, the
// ledger, the codec, and the containers' lease logic (client/lease). The arbiter
// gets a clock of the world's through its configuration, and its log a client of
// the usual library whose commands a hook carries over a modelled network; each
// arbiter runs in a coroutine, in turn with the world.
//
// Modelled are time, the network, Redis (a few commands on plain data, with the
// real scripts in a Lua interpreter; a test compares every answer with a real
// server's), the containers' pools, and the database as a count of the backends
// that it sees. What carries intents and grants between a container's lease and
// Redis is written anew here after package client, because that runs on
// goroutines: mistakes in it are looked for by the tests of package client and by
// cmd/chaos.
//
// # Plans
//
// A seed makes a [Plan]: the policies, arbiters and containers of a deployment,
// and the deeds that befall it, each with its time. The same plan makes the same
// world, to the last event: there is one loop, and each part of the world has
// random numbers of its own. When all deeds are over the world heals, and has to
// come to rest. A plan that fails is made smaller by leaving out what is not
// needed for the failure, and can be kept as a file: those under testdata are
// run by the tests.
//
// # The judge
//
// The judge sees every record the moment it is written, what every container
// really has, and the true time. It checks at each step:
//
//   - history: every record can be read, follows the one before it and is what
//     the ledger decides from it, to the byte;
//   - fence: it is of the leadership in force, and no history that Redis lost
//     goes on;
//   - epoch: no leadership is given to two arbiters;
//   - once: no container says an intent twice by itself;
//   - charge: no container has more connections than it is charged for;
//   - sum: all together have no more than there is;
//   - deadline: a container has no more than its fallback from its lease's end on;
//
// and when everything works again:
//
//   - time: ledger time passes as the true time does;
//
//   - rest: in the end everything that was said stands in the history, and everybody has
//     just what the rule gives, as a second, plain implementation of it says.
//
// Not counted are, as the documentation of the whole says: what a container has
// while it is stopped and until it has closed it afterwards, what one has whose
// clock is slower than the drift margin allows for, and what the history does not
// know of: connections of local mode, and the fallback of one that was cut off
// for more than two lease durations.
package simulation
