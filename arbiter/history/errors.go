package history

import (
	"errors"
	"fmt"
)

// ErrNoHistory is returned when a file is not a history at all, or a directory no
// archive.
var ErrNoHistory = errors.New("this is no history of Conncord")

// ErrLocked is returned when another archiver writes to the same directory.
var ErrLocked = errors.New("another archiver writes to this directory: stop it first, or use another directory")

// A DamageError is returned when a part of a file cannot be read. The next Read
// returns what comes after that part.
type DamageError struct {
	Path   string
	Offset int64  // of the damaged part
	Length int64  // bytes that are passed over
	What   string // what was wrong

	// The records that are lost with it, where that is known; else Count is 0.
	Incarnation, First uint64
	Count              int
}

func (e *DamageError) Error() string {
	lost := ""
	if e.Count > 0 {
		lost = fmt.Sprintf(", with the records %d to %d", e.First, e.First+uint64(e.Count)-1)
	}
	return fmt.Sprintf("%s is damaged at offset %d: %s; %d bytes are passed over%s", e.Path, e.Offset, e.What, e.Length, lost)
}

// Skippable implements [Damage].
func (e *DamageError) Skippable() bool { return true }

// A GapError is returned when records are missing between those that were read and
// those that the next Read returns: they were trimmed before they could be read.
type GapError struct {
	After uint64 // sequence of the last record before the gap; 0: there is none
	Next  uint64 // sequence of the first record after it
	// Incarnation is that of the record after the gap.
	Incarnation uint64
}

func (e *GapError) Error() string {
	if e.Next > e.After+1 {
		return fmt.Sprintf("records %d to %d are missing: they were trimmed, or taken away", e.After+1, e.Next-1)
	}
	return fmt.Sprintf("the beginning of incarnation %016x is missing: the oldest of its records that is left is %d", e.Incarnation, e.Next)
}

// Skippable implements [Damage].
func (e *GapError) Skippable() bool { return true }

// A ForkError is returned when a history does not continue an archive: it holds
// another record after the archive's last one.
type ForkError struct {
	Path        string // of the archive
	Incarnation uint64 // of the archive's last record
	Sequence    uint64 // and its sequence
	What        string
}

func (e *ForkError) Error() string {
	return fmt.Sprintf("what comes next does not continue the archive %s, which ends at record %d of incarnation %016x: %s; check that URL, budget or file is the right one, or begin a new archive in an empty directory",
		e.Path, e.Sequence, e.Incarnation, e.What)
}
