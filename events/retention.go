package events

import (
	"fmt"
	"time"
)

// How much of the history stays in Redis by default, where no archive asks for more.
const (
	// MaxHistory is how many records stay in the history in Redis.
	MaxHistory = 1_000_000

	// MaxHistoryAge is for how long a record stays in it, counted back from the
	// newest one by the wall time that the records name.
	MaxHistoryAge = 7 * 24 * time.Hour
)

// A Retention says what is removed from the history in Redis: records beyond its
// number, and those that are older. 0 is no bound.
type Retention struct {
	Records uint64
	Age     time.Duration
}

// DefaultRetention is what arbiters go by when nobody says otherwise.
func DefaultRetention() Retention { return Retention{MaxHistory, MaxHistoryAge} }

// An Extent is what a [Retention] decides by. All numbers are sequences.
type Extent struct {
	Oldest, Newest uint64 // records in Redis
	Young          uint64 // the oldest record that is not older than the retention's age; 0: not known
	Snapshot       uint64 // of the stored snapshot; 0: there is none
	Archive        bool   // there is an archive
	Archived       uint64 // the newest record that it holds; 0: none of this history
}

// A Bound is the reason why no more is removed from the history.
type Bound uint8

// The bounds.
const (
	Retained      Bound = iota + 1 // the rest is within the retention
	NotArchived                    // what follows is not in the archive yet
	SnapshotNeeds                  // what follows is needed to go on from the snapshot
	Unfinished                     // so many go at once, and the rest the next time
)

var boundTexts = [...]string{
	Retained:      "the rest is within the retention",
	NotArchived:   "what follows is not archived yet",
	SnapshotNeeds: "what follows is needed to go on from the stored snapshot",
	Unfinished:    "so many go at once, and the rest the next time",
}

func (b Bound) String() string {
	if b == 0 || int(b) >= len(boundTexts) {
		return fmt.Sprintf("bound %d", uint8(b))
	}
	return boundTexts[b]
}

// TrimBefore returns the sequence of the oldest record that stays, and why no more
// goes. The record of the snapshot always stays, because by it readers see that the
// snapshot is of this history; what an archive does not hold stays, however old.
func (r Retention) TrimBefore(e Extent) (oldest uint64, why Bound) {
	oldest, why = max(e.Oldest, e.Young), Retained
	if r.Records > 0 && e.Newest > r.Records {
		oldest = max(oldest, e.Newest-r.Records+1)
	}
	if e.Archive && oldest > e.Archived+1 {
		oldest, why = e.Archived+1, NotArchived
	}
	if oldest > e.Snapshot {
		oldest, why = e.Snapshot, SnapshotNeeds
	}
	return max(oldest, e.Oldest), why
}
