package servertest

import "time"

// Every wait in this package ends. The limits are generous, because a loaded
// CI machine is slow for reasons that are no bug, and a limit that is reached
// only makes a failing test slower.
const (
	// initdbTimeout bounds the making of an empty PostgreSQL cluster, which
	// takes about a second on an idle machine.
	initdbTimeout = 90 * time.Second

	// startTimeout bounds a start or restart until the server answers. It
	// covers crash recovery and the loading of an append-only file.
	startTimeout = 60 * time.Second

	// stopTimeout is how long a server may take to shut down when asked
	// politely. After it, the server is killed and Stop reports an error.
	stopTimeout = 15 * time.Second

	// killTimeout bounds the wait for a killed server. Only a process stuck
	// in the kernel outlives SIGKILL.
	killTimeout = 15 * time.Second

	// familyTimeout is how long the processes a server forked may outlive it.
	// A PostgreSQL backend notices the death of its parent at once when idle,
	// and at its next interrupt check when busy.
	familyTimeout = 10 * time.Second

	// probeTimeout bounds one readiness question.
	probeTimeout = 2 * time.Second

	// probeInterval is the pause between two readiness questions: short
	// against the 10-50 ms a start takes, long against a question.
	probeInterval = 2 * time.Millisecond

	// resetTimeout bounds the emptying of a server between two tests.
	resetTimeout = 30 * time.Second

	// orphanAge is how long a directory without an owner must have been left
	// alone before another program removes it. It leaves a server whose
	// parent has just been killed time to finish, and covers the instant
	// between the creation of a directory and the taking of its lock.
	orphanAge = time.Minute
)

const (
	// portAttempts is how many ports are tried before giving up. The chance
	// that a port is taken is small even with hundreds of servers running, so
	// that many failures mean that something else is wrong.
	portAttempts = 20

	// firstPort and lastPort enclose the ports that servers are given. They
	// lie below the ephemeral ports of Linux (32768 and up) and of macOS (49152
	// and up) on purpose: a client that keeps reconnecting to a killed server
	// on an ephemeral port can be given that very port as its own, connect
	// to itself, and keep the server from coming back.
	firstPort = 20000
	lastPort  = 31999

	// logTailBytes is how much of a server's output is kept for errors.
	logTailBytes = 16 << 10

	// maxScratchBase is the longest directory in which a server's own
	// directory is made. A unix socket's path holds at most 103 bytes on
	// macOS and 107 on Linux, and ours adds about 45 to it.
	maxScratchBase = 56
)
