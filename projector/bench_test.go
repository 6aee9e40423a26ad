package projector_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/internal/busy"
	"github.com/conncord/conncord/projector/status"
)

// writeHistory commits records as an arbiter does.
func writeHistory(t testing.TB, log *events.Log, s events.Standing, base *events.Batch, records [][]byte) *events.Batch {
	t.Helper()
	for len(records) > 0 {
		n := min(len(records), 256)
		rec, err := events.DecodeRecord(records[n-1])
		must(t, err)
		b := &events.Batch{
			BaseSequence: base.Sequence, BaseHash: base.Hash, BaseCursor: events.NoCursor, Cursor: events.NoCursor,
			Sequence: rec.Sequence, Hash: rec.Hash, Records: records[:n],
		}
		must(t, log.Commit(t.Context(), s, b))
		base, records = b, records[n:]
	}
	return base
}

// BenchmarkFollow follows the history of 10,000 busy containers on a real Redis, as
// fast as it can; the yardstick reads the same records and does nothing with them.
func BenchmarkFollow(b *testing.B) {
	r := servertest.NeedRedis(b, servertest.RedisOptions{})
	log, err := events.OpenLog(r.URL(), budget)
	must(b, err)
	defer log.Close()
	h := busy.Write(10_000, 50_000)
	s, err := log.Campaign(b.Context(), "arbiter-1", time.Hour, h.Start.Incarnation, false)
	must(b, err)
	end := writeHistory(b, log, s, &events.Batch{}, append(h.Before, h.Records...))
	b.Run("project", func(b *testing.B) {
		for b.Loop() {
			p, stop := project(b, r.URL(), "p1")
			await(b, p, "the end", func(s *status.Status) bool { return s.Sequence == end.Sequence })
			stop()
		}
		b.ReportMetric(float64(b.N)*float64(end.Sequence)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("drain", func(b *testing.B) {
		for b.Loop() {
			for at := uint64(0); at < end.Sequence; {
				records, err := log.ReadRecords(b.Context(), at, 1000, 0)
				must(b, err)
				at += uint64(len(records))
			}
		}
		b.ReportMetric(float64(b.N)*float64(end.Sequence)/b.Elapsed().Seconds(), "records/s")
	})
}

// freshness is how old news may be when a subscriber hears it.
const freshness = 250 * time.Millisecond

// TestFreshness measures the time from an intent to the status that shows its
// effect, within the process and at a subscriber on the other side of Redis.
func TestFreshness(t *testing.T) {
	r := redis(t)
	lead(t, r.URL(), "a1")
	p, _ := project(t, r.URL(), "p1")
	example(t, r.URL())
	await(t, p, "25 connections", allocated(25))
	ctx, cancel := context.WithCancel(t.Context())
	updates, err := projector.Subscribe(ctx, projector.SubscribeOptions{RedisURL: r.URL(), Budget: budget})
	must(t, err)
	seen := newSightings()
	var wg sync.WaitGroup
	wg.Go(func() {
		for u := range updates {
			if u.Status != nil {
				seen.note(u.Status.Services["external"])
			}
		}
	})
	m := join(t, r.URL(), "external", "e1", 1)
	seen.await(t, 1)
	var worst, sum time.Duration
	const rounds = 20
	for i := range rounds {
		want := 1 + (i+1)%2
		began := time.Now()
		m.want(want, events.Demand{})
		took := seen.await(t, want).Sub(began)
		worst, sum = max(worst, took), sum+took
	}
	cancel()
	wg.Wait()
	t.Logf("from an intent to a subscriber: mean %v, worst %v of %d", sum/rounds, worst, rounds)
	if sum/rounds > freshness {
		t.Errorf("a subscriber hears of an intent after %v, want %v at most", sum/rounds, freshness)
	}
}

// Sightings are when a number of connections was first seen after another one.
type sightings struct {
	mu    sync.Mutex
	conns int
	at    time.Time
	news  chan struct{}
}

func newSightings() *sightings { return &sightings{news: make(chan struct{}, 1)} }

func (s *sightings) note(service *status.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if service == nil || service.TotalConnections == s.conns {
		return
	}
	s.conns, s.at = service.TotalConnections, time.Now()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *sightings) await(t *testing.T, conns int) time.Time {
	t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		got, at := s.conns, s.at
		s.mu.Unlock()
		if got == conns {
			return at
		}
		select {
		case <-s.news:
		case <-deadline:
			t.Fatalf("waited %v for %d connections, there are %d", patience, conns, got)
		}
	}
}
