package arbiter_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// An oldLog holds a history that somebody else goes on with, and that an arbiter
// of an older version cannot read to its end.
type oldLog struct {
	quietLog
	records [][]byte
}

func (o *oldLog) ReadRecords(_ context.Context, after uint64, _ int, block time.Duration) ([][]byte, error) {
	if after < uint64(len(o.records)) {
		return o.records[after:], o.answer()
	}
	return nil, o.wait(block)
}

func (o *oldLog) Campaign(context.Context, string, time.Duration, uint64, bool) (events.Standing, error) {
	return events.Standing{Leader: "other", Incarnation: 2, Sequence: uint64(len(o.records))}, o.answer()
}

// incarnation adds one that begins well and then holds what cannot be read.
func (o *oldLog) incarnation(number uint64) {
	l := ledger.New(number, uint64(len(o.records)))
	for _, in := range []events.Intent{{Kind: events.Begin}, {Kind: events.Lead, Arbiter: "other"}} {
		o.records = append(o.records, l.Apply(ledger.Input{Epoch: 1, Intent: events.EncodeIntent(&in)}).Encoded)
	}
	o.records = append(o.records, []byte("of a later version"))
}

// A history of which each incarnation can be read in part is no reason to be busy
// with it, nor to say so again and again: that each of them begins well is no end
// of the trouble.
func TestAnUnreadableHistoryIsReadCalmly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, said := &oldLog{quietLog: quietLog{interrupt: make(chan struct{})}}, &lines{}
		log.incarnation(1)
		log.incarnation(2)
		a, err := arbiter.New(arbiter.Config{Log: log, Policy: policy(), Logger: slog.New(slog.NewTextHandler(said, nil))})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = a.Run(ctx) }()
		time.Sleep(time.Hour) // virtual
		synctest.Wait()
		cancel()
		<-ended
		for text, most := range map[string]int{"this arbiter will not lead": 1, "working again": 0, "before this incarnation": 1} {
			if got := said.count(text); got > most {
				t.Errorf("%q is said %d times", text, got)
			}
		}
		// A load, two or three reads and a campaign each second.
		if calls := log.calls.Load(); calls < 3600 || calls > 5*3700 {
			t.Errorf("%d calls in an hour", calls)
		}
	})
}
