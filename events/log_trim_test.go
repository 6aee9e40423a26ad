package events_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// aged has records committed, one an hour, the newest at the given time.
func aged(t *testing.T, srv server, log *events.Log, n int, newest time.Time) events.Standing {
	t.Helper()
	s := win(t, log, "a")
	b := batch(s, 0)
	hash := s.Hash
	for i := range n {
		rec := events.Record{Sequence: uint64(i) + 1, Incarnation: s.Incarnation, Epoch: s.Epoch,
			Wall: newest.Add(time.Duration(i-n+1) * time.Hour).UnixMilli()}
		b.Records = append(b.Records, events.EncodeRecord(&rec, hash))
		hash = rec.Hash
	}
	b.Sequence, b.Hash = uint64(n), hash
	must(t, log.Commit(t.Context(), s, b))
	return after(s, b)
}

var newest = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// week is how many of the records of aged are not older than the retention.
const week = 7*24 + 1

func TestArchivedIsNoted(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		if _, _, ok, err := log.Archived(t.Context()); ok || err != nil {
			t.Errorf("there is no archive: %v %v", ok, err)
		}
		must(t, log.SetArchived(t.Context(), 1<<63+5, 77))
		incarnation, sequence, ok, err := log.Archived(t.Context())
		if incarnation != 1<<63+5 || sequence != 77 || !ok || err != nil {
			t.Errorf("%d %d %v %v", incarnation, sequence, ok, err)
		}
		for _, harm := range [][]string{{"SET", srv.keys.Archive, "7"}, {"DEL", srv.keys.Archive}, {"LPUSH", srv.keys.Archive, "x"}} {
			srv.tell(harm...)
			if _, _, ok, err := log.Archived(t.Context()); ok || harm[0] != "DEL" && !errors.Is(err, events.ErrMalformed) {
				t.Errorf("%v: %v %v", harm, ok, err)
			}
		}
	})
}

func TestPlanTrim(t *testing.T) {
	const n = 400
	at := func(sequence uint64) time.Time { return newest.Add(time.Duration(int(sequence)-n) * time.Hour) }
	old := func(upTo uint64, why events.Bound) events.TrimPlan {
		return events.TrimPlan{Oldest: upTo + 1, Why: why, Records: upTo, From: 1, To: upTo, FromTime: at(1), ToTime: at(upTo)}
	}
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		check := func(name string, want events.TrimPlan) {
			t.Helper()
			got, err := log.PlanTrim(t.Context())
			must(t, err)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(events.TrimPlan{})); diff != "" {
				t.Errorf("%s: plan (-want +got):\n%s", name, diff)
			}
		}
		check("no history", events.TrimPlan{Why: events.Retained})
		s := aged(t, srv, log, n, newest)
		check("no snapshot", events.TrimPlan{Oldest: 1, Why: events.SnapshotNeeds})
		srv.tell("SET", srv.keys.Snap, string(events.EncodeSnapshot(&events.Snapshot{Incarnation: s.Incarnation, Sequence: n})))
		check("a week", old(n-week, events.Retained))
		must(t, log.SetArchived(t.Context(), s.Incarnation, 50))
		check("archived up to 50", old(50, events.NotArchived))
		must(t, log.SetArchived(t.Context(), s.Incarnation, n))
		check("all is archived", old(n-week, events.Retained))
		must(t, log.SetArchived(t.Context(), s.Incarnation+1, n))
		check("another history is archived", events.TrimPlan{Oldest: 1, Why: events.NotArchived})
		srv.tell("SET", srv.keys.Archive, "garbage")
		check("what is archived is not known", events.TrimPlan{Oldest: 1, Why: events.NotArchived})
		srv.tell("DEL", srv.keys.Archive)
		srv.tell("SET", srv.keys.Snap, string(events.EncodeSnapshot(&events.Snapshot{Incarnation: s.Incarnation, Sequence: 60})))
		check("an old snapshot", old(59, events.SnapshotNeeds))
	})
}

// The leader trims as the plan says, but for what Redis keeps because it removes whole
// nodes only.
func TestTrim(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := aged(t, srv, log, 600, newest)
		snap := &events.Snapshot{Incarnation: s.Incarnation, Sequence: 600}
		must(t, log.SaveSnapshot(t.Context(), s, snap))
		left := func() int {
			t.Helper()
			_, err := log.Trim(t.Context(), s, snap.Sequence)
			must(t, err)
			return srv.length(t, srv.keys.Grants)
		}
		must(t, log.SetArchived(t.Context(), s.Incarnation, 0))
		if n := left(); n != 600 {
			t.Errorf("%d records left, nothing is archived yet", n)
		}
		must(t, log.SetArchived(t.Context(), s.Incarnation, 250))
		if n := left(); n < 350 || n > 450 {
			t.Errorf("%d records left, 250 are archived", n)
		}
		srv.tell("DEL", srv.keys.Archive)
		if n := left(); n < week || n > week+100 {
			t.Errorf("%d records left, %d are not older than a week", n, week)
		}
	})
}

// A long history is trimmed in parts, until nothing more is to go.
func TestTrimInParts(t *testing.T) {
	const n = 50_000
	srv := connect(t, servertest.SharedRedis(t).URL())
	log := srv.open(t)
	s := aged(t, srv, log, n, newest)
	must(t, log.SaveSnapshot(t.Context(), s, &events.Snapshot{Incarnation: s.Incarnation, Sequence: n}))
	parts := 1
	for ; ; parts++ {
		why, err := log.Trim(t.Context(), s, n)
		must(t, err)
		if why == events.Retained {
			break
		}
		if why != events.Unfinished || parts > 10 {
			t.Fatalf("part %d: %v", parts, why)
		}
	}
	if left := srv.length(t, srv.keys.Grants); left < week || left > week+100 || parts < 2 {
		t.Errorf("%d records left after %d parts, %d are not older than a week", left, parts, week)
	}
}
