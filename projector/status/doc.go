// Package status is the view of a budget that people and programs read: who has
// how many connections, who waits, and what is wrong.
//
// A projector makes it of the history and publishes it as JSON. The names in the
// JSON are stable: fields are added, none is renamed, removed or given another
// meaning without another [Version]. Readers must pass over fields that they do
// not know.
//
// The package holds plain values, and what can be said about them in words: how
// the status prints ([Status.Print]) and why a container has what it has
// ([Status.Explain]). It does no I/O of its own and knows neither Redis nor the
// ledger, so that whoever reads a status needs nothing else.
//
// # What the numbers mean
//
// A container's connections are what the arbiter counts for it: what it may hold,
// and what it may still hold of what it is giving back. The sum over all
// containers is total_allocated, and
//
//	available = max_connections − reserved − external
//	remaining = available − total_allocated
//
// where external is what the database shows beside Conncord, as far as it takes
// room from containers. Remaining is never below 0, also while more is counted
// than is available, because the limit was lowered.
//
// A Status is not changed once it was published, and may be read concurrently.
package status
