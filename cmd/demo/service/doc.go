// Package service is one container of the demo: a process that takes its place
// in the budget from the environment, as any container does, and puts the load
// on its pool that the demo tells it to.
//
// It reads orders from its standard input and writes reports to its standard
// output, one JSON object a line. When its input ends, the demo is gone, and it
// goes as well: a crash of the demo leaves no services behind.
package service

import "time"

// Subcommand is the demo's argument that makes it a service.
const Subcommand = "service"

// Environment variables that only a service of the demo knows.
const (
	// MaxConnsVariable names the most connections that the service may ever ask
	// for.
	MaxConnsVariable = "DEMO_MAX_CONNS"

	// PaceVariable names by how much slower than usual the callers are: 2 doubles
	// how long they keep connections and pause in between. Not set: 1.
	PaceVariable = "DEMO_PACE"

	// JoinVariable names how long the service waits for the arbiter before it
	// goes on without, a duration. Not set: long.
	JoinVariable = "DEMO_JOIN_WITHIN"
)

// ReportEvery is how often a service reports. A refused connection is reported
// at once.
const ReportEvery = 100 * time.Millisecond

// The number of callers is bounded, because each is a goroutine.
const maxCallers = 10_000

// An Order says how much load there is from now on.
type Order struct {
	Callers int           `json:"callers"`        // goroutines that use one connection after the other
	Hold    time.Duration `json:"hold,omitempty"` // how long each keeps it; 0: as long as usual
}

// A Report is what a service has come to. The counters only grow.
type Report struct {
	Container string `json:"container"`
	Mode      string `json:"mode"`    // what the number of connections goes by
	Granted   int    `json:"granted"` // connections that it may hold
	Want      int    `json:"want"`
	Open      int    `json:"open"`    // physical connections
	InUse     int    `json:"in_use"`  // callers that have a connection
	Waiting   int    `json:"waiting"` // callers that wait for one

	Sessions  int64  `json:"sessions"` // times that a caller got a connection and used it
	GivenUp   int64  `json:"given_up"` // queries that callers cancelled
	Refused   int64  `json:"refused"`  // connections that the database refused
	Failed    int64  `json:"failed"`   // sessions that failed in another way
	LastError string `json:"last_error,omitempty"`

	Failures map[Class]Failure `json:"failures,omitempty"` // the failed ones by class
}
