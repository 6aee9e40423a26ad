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
// server's), the containers' pools and the gate that admits their connections, and
// the database: who has a backend there since when, and what of that a look shows
// at one moment. What carries intents, grants and heartbeats between a container's
// lease and Redis is written anew here after package client, because that runs on
// goroutines, and so are the gate and the lookout: mistakes in them are looked for
// by the tests of their packages and by cmd/chaos.
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
// Most plans have a database that arbiters look at: all, some or none of them.
// Looks are quick, slow, or fail; others open connections past Conncord, down to
// the last one that the database has; containers lose some of their heartbeats, or
// stand still for about as long as it takes to be declared silent, and longer;
// leases that ran out are fenced or not. Connections take a while to open there,
// and some containers open them only when they need them. In a calm plan nothing
// goes wrong but that containers are killed.
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
//   - usable: nobody is granted what the newest look shows to be taken, and the
//     database refuses no container for want of room, unless others came since the
//     newest look, or what they took is being given back already;
//   - drift: what is taken for too much, or for connections of unknown containers,
//     was there in the newest look;
//
// and in a calm plan:
//
//   - gone: what a killed container had is free after three seconds, or a look
//     after its last backend has ended;
//   - awake: nobody who lives is taken for silent;
//   - idle: nobody who lives loses its lease, whether or not it has connections;
//   - usable: others' connections are counted after two seconds;
//
// and when everything works again:
//
//   - time: ledger time passes as the true time does;
//   - awake: nobody is taken for silent for more than five seconds;
//   - rest: in the end everything that was said stands in the history, and everybody has
//     just what the rule gives, as a second, plain implementation of it says.
//
// Not counted are, as the documentation of the whole says: what a container has
// while it is stopped and until it has closed it afterwards, what one has whose
// clock is slower than the drift margin allows for, and what the history does not
// know of: connections of local mode, the fallback of one that was cut off for more
// than two lease durations, and what one opened alone: so long after its lease's
// end that it went on as if it had just started, until an arbiter counts it. Clocks
// of containers that beat are at most five in a hundred slow. What a container said
// before the history concluded that it has nothing, or, of one that stands still,
// nothing but its fallback, and what arrives only later, is charged beside all that
// others have, and they have to give back. So is what it said just after it stood still, or alone: it might have
// more then than it was charged for. So is, until it has an answer, what one says
// that it may have who goes by a grant of a history that was lost, when the present
// one heard only something old of it and a look has lifted the barrier: it cannot
// open that, and has none of it (docs/architecture.md, Known limits). Nor is a
// connection under way counted that is looked for in the database before anybody has
// it. An arbiter that containers have left no connection to look through goes by its
// books.
package simulation
