// Package daemon is the program arbiter, in a form that a test can run within
// its own process.
//
// # From settings to decisions
//
// Settings come from flags and the environment (options.go) and, for services
// beyond the built-in ones, from a policy file (policyfile.go). They are checked
// as a whole before anything is started (settings.go): settings that cannot work
// stop the program with one sentence and [ExitUsage]. What runs then is one group
// of actors (daemon.go).
//
// A Redis that is away is no reason to stop. The program says so once and goes
// on trying, for as long as it takes: an arbiter that gives up would have to be
// started again by somebody who watches it.
package daemon
