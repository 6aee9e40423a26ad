package events_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/conncord/conncord/events"
)

func TestTrimBefore(t *testing.T) {
	r := events.Retention{Records: 100}
	for name, c := range map[string]struct {
		extent events.Extent
		oldest uint64
		why    events.Bound
	}{
		"short":                         {events.Extent{Oldest: 1, Newest: 100, Snapshot: 100}, 1, events.Retained},
		"too many":                      {events.Extent{Oldest: 1, Newest: 150, Snapshot: 150}, 51, events.Retained},
		"too old":                       {events.Extent{Oldest: 1, Newest: 150, Young: 70, Snapshot: 150}, 70, events.Retained},
		"too many, the archive is far":  {events.Extent{Oldest: 1, Newest: 150, Snapshot: 150, Archive: true, Archived: 150}, 51, events.Retained},
		"too many, the archive is not":  {events.Extent{Oldest: 1, Newest: 150, Snapshot: 150, Archive: true, Archived: 20}, 21, events.NotArchived},
		"nothing is archived":           {events.Extent{Oldest: 1, Newest: 150, Young: 140, Snapshot: 150, Archive: true}, 1, events.NotArchived},
		"archived before a trimmed end": {events.Extent{Oldest: 40, Newest: 500, Snapshot: 500, Archive: true, Archived: 3}, 40, events.NotArchived},
		"no snapshot":                   {events.Extent{Oldest: 1, Newest: 150, Young: 140}, 1, events.SnapshotNeeds},
		"an old snapshot":               {events.Extent{Oldest: 1, Newest: 150, Snapshot: 30}, 30, events.SnapshotNeeds},
		"an old snapshot and archive":   {events.Extent{Oldest: 1, Newest: 150, Snapshot: 30, Archive: true, Archived: 40}, 30, events.SnapshotNeeds},
		"the snapshot is gone already":  {events.Extent{Oldest: 60, Newest: 150, Snapshot: 30}, 60, events.SnapshotNeeds},
	} {
		if oldest, why := r.TrimBefore(c.extent); oldest != c.oldest || why != c.why {
			t.Errorf("%s: keeps from %d, because %s", name, oldest, why)
		}
	}
}

// Whatever stands in Redis: no record goes that is needed, or not archived.
func TestTrimBeforeKeepsWhatIsNeeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) uint64 { return rapid.Uint64Range(0, 50).Draw(t, name) }
		e := events.Extent{Oldest: 1 + draw("oldest"), Young: draw("young"), Snapshot: draw("snapshot"), Archived: draw("archived"), Archive: rapid.Bool().Draw(t, "archive")}
		e.Newest = e.Oldest + draw("newest")
		r := events.Retention{Records: draw("records")}
		oldest, why := r.TrimBefore(e)
		switch {
		case oldest < e.Oldest:
			t.Fatalf("%+v: from %d there is nothing", e, oldest)
		case oldest == e.Oldest: // nothing goes
		case oldest > e.Snapshot:
			t.Fatalf("%+v: from %d the snapshot is of no use", e, oldest)
		case e.Archive && oldest > e.Archived+1:
			t.Fatalf("%+v: from %d something is lost that is not archived", e, oldest)
		case oldest > e.Young && (r.Records == 0 || e.Newest-oldest+1 < r.Records):
			t.Fatalf("%+v: from %d less is kept than the retention says, because %s", e, oldest, why)
		}
	})
}
