package cli

import (
	"fmt"
	"time"

	"github.com/conncord/conncord/events"
)

// minRetention is the shortest time that records can be kept for. Whoever follows the
// history must be able to be away for a moment.
const minRetention = time.Minute

// Retention reads the settings --retention and --retention-records, which the
// arbiter and replay share.
func Retention(age Duration, records uint64) (events.Retention, error) {
	r := events.Retention{Records: records, Age: time.Duration(age)}
	if r.Age != 0 && r.Age < minRetention {
		return r, fmt.Errorf("--retention (CONNCORD_RETENTION): %v is out of range: set 0 (for ever), or %v and more", r.Age, minRetention)
	}
	return r, nil
}
