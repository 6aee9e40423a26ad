package history

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A scene is a budget in a real Redis, with an arbiter's log.
type scene struct {
	testing.TB
	url      string
	rdb      *redis.Client
	log      *events.Log
	keys     events.Keys
	standing events.Standing
	*maker
	all [][]byte // that were committed and are not lost
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{TB: t, url: servertest.SharedRedis(t).URL(), keys: events.NewKeys("b")}
	var err error
	s.rdb, err = events.OpenRedis(s.url, 2)
	must(t, err)
	t.Cleanup(func() { s.rdb.Close() })
	s.log, err = events.OpenLog(s.url, "b")
	must(t, err)
	t.Cleanup(func() { s.log.Close() })
	return s
}

// begin has a new incarnation begin.
func (s *scene) begin(incarnation uint64) {
	s.Helper()
	s.tell("DEL", s.keys.Leader)
	standing, err := s.log.Campaign(context.Background(), "a", time.Minute, incarnation, false)
	must(s, err)
	if !standing.Begun {
		s.Fatal("no new incarnation began")
	}
	s.standing = standing
	var first [][]byte
	s.maker, first = newMaker(standing.Incarnation, standing.Sequence)
	s.epoch = standing.Epoch
	s.commit(first)
}

// commit appends records to the history.
func (s *scene) commit(records [][]byte) {
	s.Helper()
	for len(records) > 0 {
		some := records[:min(len(records), 500)]
		records = records[len(some):]
		b := &events.Batch{BaseSequence: s.standing.Sequence, BaseHash: s.standing.Hash, BaseCursor: s.standing.Cursor, Cursor: s.standing.Cursor,
			Records: some, Sequence: s.standing.Sequence + uint64(len(some))}
		last, err := events.DecodeRecord(some[len(some)-1])
		must(s, err)
		b.Hash = last.Hash
		must(s, s.log.Commit(context.Background(), s.standing, b))
		s.standing.Sequence, s.standing.Hash = b.Sequence, b.Hash
		s.all = append(s.all, some...)
	}
}

func (s *scene) add(n int) { s.Helper(); s.commit(s.says(n)) }

func (s *scene) tell(words ...any) {
	s.Helper()
	must(s, s.rdb.Do(context.Background(), words...).Err())
}

// trim removes what is before the sequence.
func (s *scene) trim(sequence uint64) {
	s.Helper()
	must(s, s.rdb.XTrimMinID(context.Background(), s.keys.Grants, strconv.FormatUint(sequence, 10)).Err())
}

func (s *scene) live() *Live {
	s.Helper()
	l, err := OpenLive(context.Background(), s.url, "b")
	must(s, err)
	s.Cleanup(func() { l.Close() })
	return l
}

func TestLiveReadsAllAndGoesOn(t *testing.T) {
	s := newScene(t)
	empty := s.live()
	if got, errs := drain(t, empty); got != nil || errs != nil || empty.Snapshot() != nil {
		t.Errorf("there is nothing yet: %d records, %v", len(got), errs)
	}
	s.begin(3)
	s.add(2*MaxRead + 7)
	l := s.live()
	before := s.rdb.DBSize(t.Context()).Val()
	got, errs := drain(t, l)
	same(t, s.all, got)
	s.add(5)
	more, _ := drain(t, l)
	same(t, s.all, append(got, more...))
	same(t, s.all, first(drain(t, empty)))
	if errs != nil || l.Snapshot() != nil || s.rdb.DBSize(t.Context()).Val() != before {
		t.Errorf("errors %v, snapshot %v", errs, l.Snapshot())
	}
}

func first(records [][]byte, _ []error) [][]byte { return records }

// What comes while it waits ends the wait.
func TestLiveWaits(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	l := s.live()
	drain(t, l)
	done := make(chan error, 1)
	go func() { done <- l.Wait(context.Background(), events.MaxBlock) }()
	s.add(1)
	must(t, <-done)
	got, err := l.Read(t.Context())
	must(t, err)
	same(t, s.all[len(s.all)-1:], got)
	must(t, l.Wait(t.Context(), time.Millisecond)) // nothing comes
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(ended, time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("wait without a context: %v", err)
	}
}

func TestLiveBeginsAtTheSnapshot(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	s.add(300)
	snap := s.l.Snapshot()
	s.add(50)
	must(t, s.log.SaveSnapshot(t.Context(), s.standing, snap))
	at := int(snap.Sequence)
	check := func(name string, from int, snapshot *events.Snapshot, skipped uint64) {
		t.Helper()
		l := s.live()
		begins := l.Snapshot()
		got, errs := drain(t, l)
		if len(errs) > 0 || l.Skipped() != skipped {
			t.Errorf("%s: errors %v, %d records skipped", name, errs, l.Skipped())
		}
		same(t, s.all[from-1:], got)
		if diff := cmp.Diff(snapshot, begins); diff != "" {
			t.Errorf("%s: snapshot (-want +got):\n%s", name, diff)
		}
	}
	check("whole", 1, nil, 0)
	s.trim(200)
	check("trimmed before it", at+1, snap, snap.Sequence+1-200)
	s.trim(snap.Sequence + 1)
	check("trimmed up to it", at+1, snap, 0)
	s.trim(snap.Sequence + 2)
	check("trimmed behind it", at+2, nil, 0)
	s.tell("SET", s.keys.Snap, "garbage")
	check("garbage", at+2, nil, 0)
}

func TestLiveReportsAGap(t *testing.T) {
	s := newScene(t)
	s.begin(3)
	s.add(20)
	l := s.live()
	_, _ = drain(t, l)
	at := uint64(len(s.all))
	s.add(20)
	s.trim(at + 5)
	got, errs := drain(t, l)
	if diff := cmp.Diff([]error{&GapError{After: at, Next: at + 5, Incarnation: 3}}, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	same(t, s.all[at+4:], got)
}

// A restarted Redis begins a new incarnation behind the old one; one that lost all
// its data begins anew, and one that lost a part behind what is left. In each case
// the new one is read from its beginning, whether it has come past the place that was
// read to already or not.
func TestLiveFollowsANewIncarnation(t *testing.T) {
	for name, harm := range map[string]func(*scene){
		"wiped":       func(s *scene) { s.tell("FLUSHALL") },
		"rolled back": func(s *scene) { s.tell("XTRIM", s.keys.Grants, "MAXLEN", "0"); s.tell("DEL", s.keys.Grants) },
		"restarted":   func(s *scene) { s.tell("HSET", s.keys.Head, "life", "another") },
	} {
		for _, n := range []int{2, 100} {
			t.Run(name, func(t *testing.T) {
				s := newScene(t)
				s.begin(3)
				s.add(40)
				l := s.live()
				_, _ = drain(t, l)
				harm(s)
				s.all = nil
				s.begin(4)
				s.add(n)
				if n < 40 { // that it went back is seen by waiting in vain
					must(t, l.Wait(t.Context(), time.Millisecond))
				}
				got, errs := drain(t, l)
				same(t, s.all, got)
				if len(errs) > 0 {
					t.Errorf("errors %v", errs)
				}
			})
		}
	}
}
