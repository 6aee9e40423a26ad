package audit

import (
	"fmt"

	"github.com/conncord/conncord/events"
)

// overcharged says what is wrong with a record after which the charges are above
// what is available; empty: nothing. That may be, as the ledger promises, only
// because what is available fell, or because a container reports connections that
// the ledger did not grant; and nobody else may grow meanwhile. Behind a barrier
// a lease may grow within its charge.
func overcharged(rec *events.Record, before int, behind bool) string {
	sender := ""
	if rec.Entry != "" && rec.Refused == events.NoReason {
		if in, err := events.DecodeIntent(rec.Intent); err == nil {
			sender = in.Container
		}
	}
	if rec.Charged > before && sender == "" {
		return fmt.Sprintf("record %d raises the charges from %d to %d, above the %d that are available, and no container reported more",
			rec.Sequence, before, rec.Charged, rec.Available)
	}
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		if d.Verb == events.Grown && !behind && d.Container != sender {
			return fmt.Sprintf("record %d lets %s grow to %d while %d are charged and %d available", rec.Sequence, d.Container, d.Units, rec.Charged, rec.Available)
		}
	}
	return ""
}
