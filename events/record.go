package events

import "fmt"

// A Verb says what happened to a lease.
type Verb uint8

// The verbs, the weightier later: when one intent does two things to a lease,
// the decision names the later one.
const (
	Noted     Verb = iota + 1 // nothing changed but the explanation; or the intent was refused
	Renewed                   // its time was extended
	Confirmed                 // the container gave up what was recalled, and the charge fell
	Lowered                   // the container asked for less
	Recalling                 // it is to give units up, and is charged for them until it has
	Grown                     // it has more units
	Granted                   // it began
	Lost                      // it expired; the fallback stays charged
	Ended                     // it is over and nothing is charged

	lastVerb = Ended
)

var verbNames = [...]string{
	Noted: "noted", Renewed: "renewed", Confirmed: "confirmed", Lowered: "lowered",
	Recalling: "recalling", Grown: "grown", Granted: "granted", Lost: "lost", Ended: "ended",
}

func (v Verb) String() string {
	if v == 0 || int(v) >= len(verbNames) {
		return fmt.Sprintf("verb %d", uint8(v))
	}
	return verbNames[v]
}

// A Decision is what one record did to one container's lease: the lease as it
// is afterwards.
type Decision struct {
	Verb      Verb
	Container string
	Lease     string
	Units     int // connections that the container may hold
	Charge    int // connections that it may still hold: never less than Units
	Fallback  int // connections that it may hold once the lease has expired
	Reason    Reason
}

// A Record is one step of the history: an intent as the arbiter took it, and
// everything that followed from it.
type Record struct {
	Sequence    uint64 // counts the records of a budget, without gaps within an incarnation
	Incarnation uint64
	Epoch       uint64
	Ledger      int64 // ledger time: milliseconds of leadership
	Wall        int64 // Unix milliseconds, for people only: nothing is decided by it

	Entry   string // id of the inbox entry; empty for the arbiter's own intents
	Intent  []byte // the intent as it came; of an oversize one only the beginning
	Size    int    // how many bytes came
	Refused Reason // why the intent was not accepted, or NoReason

	Available int // what containers could share, after this record
	Charged   int // the sum of all charges, after this record
	Decisions []Decision

	Hash Hash // over the hash before it and all the fields above
}

// Begins reports whether the record is the first of an incarnation.
func (rec *Record) Begins() bool {
	if rec.Entry != "" {
		return false
	}
	in, err := DecodeIntent(rec.Intent)
	return err == nil && in.Kind == Begin
}
