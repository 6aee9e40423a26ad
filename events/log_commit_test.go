package events_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

func TestCommitTwiceIsOnce(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := win(t, log, "a")
		b := batch(s, 3)
		for range 3 {
			must(t, log.Commit(t.Context(), s, b))
		}
		if n := srv.length(t, srv.keys.Grants); n != 3 {
			t.Errorf("%d records", n)
		}
		s = after(s, b)
		b = batch(s, 1)
		b.Resign = true
		for range 2 { // the leadership is over with the first
			must(t, log.Commit(t.Context(), s, b))
		}
		if n := srv.rdb.Exists(t.Context(), srv.keys.Leader).Val(); n != 0 {
			t.Error("the lease was not given up")
		}
	})
}

func TestCommitIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(server)
		edit func(*events.Batch)
		want error
		says string
	}{
		"another epoch":           {harm: func(s server) { s.tell("HINCRBY", s.keys.Head, "epoch", "1") }, want: events.ErrFenced},
		"another incarnation":     {harm: func(s server) { s.tell("HSET", s.keys.Head, "incarnation", "9") }, want: events.ErrFenced},
		"the head is gone":        {harm: func(s server) { s.tell("DEL", s.keys.Head) }, want: events.ErrFenced},
		"the script is forgotten": {harm: func(s server) { s.tell("SCRIPT", "FLUSH") }, want: events.ErrFenced, says: "restarted or replaced"},
		"another sequence":        {edit: func(b *events.Batch) { b.BaseSequence--; b.Sequence-- }, want: events.ErrDiverged},
		"another hash":            {edit: func(b *events.Batch) { b.BaseHash[0]++ }, want: events.ErrDiverged},
		"another cursor":          {edit: func(b *events.Batch) { b.BaseCursor = "1-1" }, want: events.ErrDiverged},
		"a foreign entry": {harm: func(s server) { s.tell("XADD", s.keys.Grants, "5-0", "r", "x") },
			want: events.ErrDiverged, says: "somebody else wrote"},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, srv server) {
				log := srv.open(t)
				s := win(t, log, "a")
				b := batch(s, 3)
				must(t, log.Commit(t.Context(), s, b))
				s = after(s, b)
				b = batch(s, 4)
				b.Mail = []events.Mail{{Container: "c", Grant: []byte("g"), Keep: time.Minute}}
				if c.harm != nil {
					c.harm(srv)
				}
				if c.edit != nil {
					c.edit(b)
				}
				before, head := srv.length(t, srv.keys.Grants), srv.rdb.HGetAll(t.Context(), srv.keys.Head).Val()
				err := log.Commit(t.Context(), s, b)
				if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("commit: %v", err)
				}
				if got := srv.length(t, srv.keys.Grants); got != before {
					t.Errorf("%d records, before %d: half of the batch was applied", got, before)
				}
				if got := srv.rdb.HGetAll(t.Context(), srv.keys.Head).Val(); head["sequence"] != got["sequence"] || head["cursor"] != got["cursor"] {
					t.Errorf("head %v, before %v", got, head)
				}
				if srv.rdb.Exists(t.Context(), srv.keys.Mailbox("c")).Val() != 0 {
					t.Error("the mail of a refused batch was delivered")
				}
			})
		})
	}
}

func TestCommitTrimsTheInbox(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := win(t, log, "a")
		// Redis trims by whole nodes of 100 entries, so it takes more to see it.
		const n = 500
		for range n {
			srv.tell("XADD", srv.keys.Intents, "*", "i", "x")
		}
		entries, err := log.ReadIntents(t.Context(), s.Cursor, n, 0)
		must(t, err)
		commit := func(cursor string, trim bool) {
			b := batch(s, 1)
			b.Cursor, b.Trim, b.Anew = cursor, trim, cursor == events.NoCursor
			must(t, log.Commit(t.Context(), s, b))
			s = after(s, b)
		}
		commit(entries[n-20].ID, false)
		if got := srv.length(t, srv.keys.Intents); got != n {
			t.Errorf("%d of %d entries left, nothing was to be trimmed", got, n)
		}
		commit(entries[n-10].ID, true)
		if got := srv.length(t, srv.keys.Intents); got < 10 || got > 150 {
			t.Errorf("%d entries left, 9 were not taken", got)
		}
		commit(events.NoCursor, false)
		if srv.length(t, srv.keys.Intents) != 0 {
			t.Error("the inbox does not begin anew")
		}
	})
}

func TestCommitReadsAhead(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := win(t, log, "a")
		for i := range 5 {
			srv.tell("XADD", srv.keys.Intents, fmt.Sprintf("%d-1", i+1), "i", fmt.Sprint("intent ", i+1))
		}
		b := batch(s, 1)
		b.Cursor, b.Ahead = "2-1", 2
		must(t, log.Commit(t.Context(), s, b))
		want := []events.Entry{{ID: "3-1", Body: []byte("intent 3"), Size: 8}, {ID: "4-1", Body: []byte("intent 4"), Size: 8}}
		if diff := cmp.Diff(want, b.Next); diff != "" {
			t.Errorf("read ahead (-want +got):\n%s", diff)
		}
		stale := batch(s, 2) // builds on what the batch before has changed
		stale.Ahead = 2
		if err := log.Commit(t.Context(), s, stale); !errors.Is(err, events.ErrDiverged) {
			t.Errorf("a batch that does not fit: %v", err)
		}
		b = batch(after(s, b), 1)
		b.Cursor, b.Ahead = "5-1", 2
		must(t, log.Commit(t.Context(), s, b))
		if len(b.Next) != 0 {
			t.Errorf("read beyond the end: %v", b.Next)
		}
	})
}

// An extension that was late on its way comes after the resignation: the lease
// stays free. While nobody resigned, one that comes after the lease's end counts.
func TestExtensionAfterResignation(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := win(t, log, "a")
		srv.tell("DEL", srv.keys.Leader) // it has run out
		_, err := log.Extend(t.Context(), s, lease, 0)
		must(t, err)
		b := batch(s, 1)
		b.Resign = true
		must(t, log.Commit(t.Context(), s, b))
		if _, err := log.Extend(t.Context(), s, lease, 0); !errors.Is(err, events.ErrFenced) {
			t.Errorf("extend after the resignation: %v", err)
		}
		next := win(t, log, "b")
		_, err = log.Extend(t.Context(), next, lease, 0)
		must(t, err)
	})
}

// The entry at the cursor is never trimmed by a commit, so that a campaign sees
// when somebody else trimmed it, and perhaps those after it that nobody had read.
func TestCampaignSeesAGapInTheInbox(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := win(t, log, "a")
		for range 500 {
			srv.tell("XADD", srv.keys.Intents, "*", "i", "x")
		}
		entries, err := log.ReadIntents(t.Context(), s.Cursor, 400, 0)
		must(t, err)
		b := batch(s, 1)
		b.Cursor, b.Trim = entries[399].ID, true
		must(t, log.Commit(t.Context(), s, b))
		srv.tell("DEL", srv.keys.Leader)
		if s := win(t, log, "b"); s.Gap {
			t.Error("a gap that is none")
		}
		srv.tell("DEL", srv.keys.Leader)
		srv.tell("XTRIM", srv.keys.Intents, "MAXLEN", "2")
		if s := win(t, log, "c"); !s.Gap {
			t.Error("that somebody else trimmed the inbox went unnoticed")
		}
	})
}

func TestSnapshot(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		if snap, err := log.LoadSnapshot(t.Context()); snap != nil || err != nil {
			t.Fatalf("there is none: %v, %v", snap, err)
		}
		s := win(t, log, "a")
		must(t, log.SaveSnapshot(t.Context(), s, &events.Snapshot{Incarnation: 7, Sequence: 4}))
		snap, err := log.LoadSnapshot(t.Context())
		must(t, err)
		if snap.Incarnation != 7 || snap.Sequence != 4 {
			t.Errorf("snapshot %+v", snap)
		}
		srv.tell("DEL", srv.keys.Leader)
		win(t, log, "b")
		if err := log.SaveSnapshot(t.Context(), s, &events.Snapshot{Sequence: 5}); !errors.Is(err, events.ErrFenced) {
			t.Errorf("save after another election: %v", err)
		}
		srv.tell("SET", srv.keys.Snap, "garbage")
		var decode *events.DecodeError
		if _, err := log.LoadSnapshot(t.Context()); !errors.As(err, &decode) {
			t.Errorf("a garbage snapshot: %v", err)
		}
	})
}
