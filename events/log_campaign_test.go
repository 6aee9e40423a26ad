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

func wantStanding(t *testing.T, want, got events.Standing) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(events.Standing{})); diff != "" {
		t.Errorf("standing (-want +got):\n%s", diff)
	}
}

func TestCampaignOnAnEmptyServer(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		first := win(t, log, "a")
		wantStanding(t, events.Standing{
			Won: true, Leader: "a", Left: lease, Incarnation: 7, Epoch: 1, Cursor: events.NoCursor, Begun: true, First: true,
		}, first)

		other, err := log.Campaign(t.Context(), "b", lease, 8, false)
		must(t, err)
		if other.Left <= 0 || other.Left > lease {
			t.Errorf("left of the leader's lease: %v", other.Left)
		}
		other.Left = 0
		wantStanding(t, events.Standing{Leader: "a", Incarnation: 7}, other)
	})
}

// An arbiter can die, or lose the reply, between its election and the record
// that says that an incarnation begins. Nobody could continue what never began.
func TestCampaignAfterAnIncarnationThatNeverBegan(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		win(t, log, "a")
		again, err := log.Campaign(t.Context(), "a", lease, 8, false)
		must(t, err)
		wantStanding(t, events.Standing{
			Won: true, Leader: "a", Left: lease, Incarnation: 8, Epoch: 2, Cursor: events.NoCursor, Begun: true, First: true,
		}, again)
	})
}

func TestCampaignContinuesTheHistory(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := win(t, log, "a")
		srv.tell("XADD", srv.keys.Intents, "5-1", "i", "x")
		b := batch(s, 3)
		b.Cursor = "5-1"
		must(t, log.Commit(t.Context(), s, b))
		srv.tell("DEL", srv.keys.Leader)

		none, err := log.Campaign(t.Context(), "b", lease, 8, true)
		must(t, err)
		if none.Won {
			t.Error("won a history that need not begin anew with onlyNew")
		}
		next, err := log.Campaign(t.Context(), "b", lease, 8, false)
		must(t, err)
		wantStanding(t, events.Standing{
			Won: true, Leader: "b", Left: lease, Incarnation: 7, Epoch: 2, Sequence: 3, Hash: b.Hash, Cursor: "5-1",
		}, next)
	})
}

// Whatever happens to the history behind the arbiters' back, the next campaign
// begins a new incarnation, whose records can be appended.
func TestCampaignNoticesWhatWasDoneToTheHistory(t *testing.T) {
	for name, harm := range map[string]func(server){
		"an entry was added":         func(s server) { s.tell("XADD", s.keys.Grants, "*", "x", "y") },
		"the newest was deleted":     func(s server) { s.tell("XDEL", s.keys.Grants, "3-0") },
		"everything was trimmed":     func(s server) { s.tell("XTRIM", s.keys.Grants, "MAXLEN", "0") },
		"the history was deleted":    func(s server) { s.tell("DEL", s.keys.Grants) },
		"the head was deleted":       func(s server) { s.tell("DEL", s.keys.Head) },
		"the head is another life's": func(s server) { s.tell("HSET", s.keys.Head, "life", "of another") },
	} {
		t.Run(name, func(t *testing.T) {
			srv := connect(t, servertest.SharedRedis(t).URL())
			log := srv.open(t)
			s := win(t, log, "a")
			must(t, log.Commit(t.Context(), s, batch(s, 3)))
			harm(srv)

			next, err := log.Campaign(t.Context(), "a", lease, 8, true)
			must(t, err)
			if !next.Won || !next.Begun || next.First || next.Incarnation != 8 {
				t.Errorf("standing: %+v", next)
			}
			if next.Epoch <= s.Epoch && name != "the head was deleted" {
				t.Errorf("epoch %d follows epoch %d", next.Epoch, s.Epoch)
			}
			must(t, log.Commit(t.Context(), next, batch(next, 2)))
		})
	}
}

func TestExtend(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s := win(t, log, "a")
		srv.tell("XADD", srv.keys.Intents, "5-1", "i", "x")
		srv.tell("XDEL", srv.keys.Intents, "5-1")
		inbox, err := log.Extend(t.Context(), s, 2*lease, 1000)
		must(t, err)
		if inbox.Newest != "5-1" || inbox.Added != 1 && inbox.Added != -1 { // miniredis does not say
			t.Errorf("inbox: %+v", inbox)
		}
		if left := srv.rdb.PTTL(t.Context(), srv.keys.Leader).Val(); left <= lease || left > 2*lease {
			t.Errorf("left of the extended lease: %v", left)
		}
		srv.tell("DEL", srv.keys.Leader)
		_, err = log.Extend(t.Context(), s, lease, 2000)
		must(t, err) // its key is gone, but nobody followed
		must(t, log.Commit(t.Context(), s, batch(s, 1)))
		srv.tell("DEL", srv.keys.Leader)
		if next := win(t, log, "b"); next.Now != 2000 {
			t.Errorf("the next leader goes on from ledger time %d, want 2000", next.Now)
		}
		if _, err := log.Extend(t.Context(), s, lease, 3000); !errors.Is(err, events.ErrFenced) {
			t.Errorf("extend after another election: %v", err)
		}
		if got := srv.rdb.Get(t.Context(), srv.keys.Leader).Val(); got != "b" {
			t.Errorf("leader %q", got)
		}
	})
}

func TestLeaseRunsOut(t *testing.T) {
	onEach(t, func(t *testing.T, srv server) {
		log := srv.open(t)
		s, err := log.Campaign(t.Context(), "a", 20*time.Millisecond, 7, false)
		must(t, err)
		for deadline := time.Now().Add(10 * time.Second); ; {
			next, err := log.Campaign(t.Context(), "b", lease, 8, false)
			must(t, err)
			if next.Won {
				if next.Epoch != s.Epoch+1 {
					t.Errorf("epoch %d follows %d", next.Epoch, s.Epoch)
				}
				return
			}
			if time.Now().After(deadline) {
				t.Fatal("the lease does not run out")
			}
		}
	})
}
