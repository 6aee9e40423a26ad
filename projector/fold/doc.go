// Package fold makes a state of the history: it takes one record after the other
// and keeps what they say about containers, services, leader and database.
//
// It is the reading side of the ledger, and decides nothing: what a container may
// hold is what the record's decisions say, under whatever rule they were made.
// So it folds histories of every rule version, and costs a small part of what
// deciding does. What it needs beside the decisions, a record's intent says: who
// a container is, what it wants and uses, what the database shows.
//
// It checks what it reads. A record must follow the one before it in sequence and
// hash, and the sum of all charges must be what the record says; if not, [State.Apply]
// returns a [*GapError] or [ErrDrift], and the state must be built anew, from a
// snapshot ([Restore]) or from the beginning of an incarnation.
//
// Like the ledger it is pure: no clock, no I/O, no goroutine. It is not safe for
// concurrent use.
package fold
