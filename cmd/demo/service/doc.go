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

// MaxConnsVariable names the environment variable with the most connections
// that the service may ever ask for.
const MaxConnsVariable = "DEMO_MAX_CONNS"

// ReportEvery is how often a service reports. A refused connection is reported
// at once.
const ReportEvery = 100 * time.Millisecond

// A Caller's number is bounded, because each is a goroutine.
const maxCallers = 10_000

// An Order says how much load there is from now on.
type Order struct {
	Callers int `json:"callers"` // goroutines that use one connection after the other
}

// A Report is what a service has come to. The counters only grow.
type Report struct {
	Container string `json:"container"`
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
}
