package arbiter_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
)

// A quietLog is a log in memory, in virtual time: one arbiter, no intents.
type quietLog struct {
	broken    atomic.Bool
	calls     atomic.Int64
	extended  []time.Time
	interrupt chan struct{}
}

var errAway = errors.New("connection refused")

func (q *quietLog) answer() error {
	q.calls.Add(1)
	if q.broken.Load() {
		return errAway
	}
	return nil
}

func (q *quietLog) wait(block time.Duration) error {
	select {
	case <-time.After(min(block, events.MaxBlock)):
	case <-q.interrupt:
	}
	return q.answer()
}

func (q *quietLog) Campaign(_ context.Context, id string, _ time.Duration, incarnation uint64, _ bool) (events.Standing, error) {
	return events.Standing{Won: true, Leader: id, Incarnation: incarnation, Epoch: 1, Cursor: events.NoCursor, Begun: true, First: true}, q.answer()
}

func (q *quietLog) Extend(context.Context, events.Standing, time.Duration, int64) (events.Inbox, error) {
	q.extended = append(q.extended, time.Now())
	return events.Inbox{Added: -1}, q.answer()
}

func (q *quietLog) ReadIntents(_ context.Context, _ string, _ int, block time.Duration) ([]events.Entry, error) {
	return nil, q.wait(block)
}

func (q *quietLog) ReadRecords(_ context.Context, _ uint64, _ int, block time.Duration) ([][]byte, error) {
	return nil, q.wait(block)
}

func (q *quietLog) Commit(context.Context, events.Standing, *events.Batch) error { return q.answer() }
func (q *quietLog) ReadBeats(context.Context, []string) ([]events.Beat, error) {
	return nil, q.answer()
}
func (q *quietLog) SaveSnapshot(context.Context, events.Standing, *events.Snapshot) error {
	return q.answer()
}
func (q *quietLog) Trim(context.Context, events.Standing, uint64) (events.Bound, error) {
	return 0, q.answer()
}
func (q *quietLog) LoadSnapshot(context.Context) (*events.Snapshot, error) { return nil, q.answer() }
func (q *quietLog) Interrupt()                                             { close(q.interrupt) }

// An hour without Redis is one line in the log, and its end another; and it is
// not tried more than about once a second.
func TestTroubleIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, said := &quietLog{interrupt: make(chan struct{})}, &lines{}
		log.broken.Store(true)
		a, err := arbiter.New(arbiter.Config{Log: log, Policy: policy(), Logger: slog.New(slog.NewTextHandler(said, nil))})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = a.Run(ctx) }()

		time.Sleep(time.Hour) // virtual
		synctest.Wait()
		if got := said.count("Redis does not answer as it should"); got != 1 {
			t.Errorf("the trouble is said %d times", got)
		}
		if calls := log.calls.Load(); calls > 3700 {
			t.Errorf("%d tries in an hour", calls)
		}
		log.broken.Store(false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if said.count("working again") != 1 || !a.State().Leading {
			t.Errorf("it does not recover: %+v\n%s", a.State(), said)
		}
		cancel()
		<-ended
		if said.count("resigned") != 1 {
			t.Errorf("it does not resign:\n%s", said)
		}
	})
}

// The lease is extended three times within its duration, however long nothing
// happens.
func TestLeaseIsExtendedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &quietLog{interrupt: make(chan struct{})}
		const lease = 10 * time.Second
		a, err := arbiter.New(arbiter.Config{Log: log, Policy: policy(), Lease: lease, Logger: slog.New(slog.DiscardHandler)})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = a.Run(ctx) }()
		time.Sleep(10 * time.Minute)
		cancel()
		<-ended
		if n := len(log.extended); n < 175 || n > 181 {
			t.Errorf("%d extensions in 60 leases", n)
		}
		for i := 1; i < len(log.extended); i++ {
			if pause := log.extended[i].Sub(log.extended[i-1]); pause > lease/3+10*time.Millisecond {
				t.Errorf("%v passed between two extensions", pause)
			}
		}
	})
}

func TestConfig(t *testing.T) {
	log := &quietLog{}
	for name, cfg := range map[string]arbiter.Config{
		"no log":      {Policy: policy()},
		"no policy":   {Log: log},
		"bad id":      {Log: log, Policy: policy(), ID: "a b"},
		"short lease": {Log: log, Policy: policy(), Lease: time.Millisecond},
		"long lease":  {Log: log, Policy: policy(), Lease: time.Hour},
	} {
		if _, err := arbiter.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
