package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// A fleet of containers that contend for the limit of a budget, and the ledger that
// decides about them.
type fleet struct {
	ledger  *ledger.Ledger
	rng     *rand.Rand
	entries int
	counter map[string]uint64
}

const fleetSize = 100

func newFleet() *fleet {
	return &fleet{ledger: ledger.New(7, 0), rng: rand.New(rand.NewPCG(1, 1)), counter: map[string]uint64{}}
}

// next returns the next record.
func (f *fleet) next() []byte {
	switch f.ledger.Sequence() {
	case 0:
		return f.apply("", events.Intent{Kind: events.Begin})
	case 1:
		return f.apply("", events.Intent{Kind: events.Lead, Arbiter: "arbiter-1"})
	case 2:
		return f.apply("", events.Intent{Kind: events.SetPolicy, Policy: events.Policy{
			Rule: events.RuleVersion, Plan: "pro", Limit: 200, Reserve: 20, TTL: time.Minute, Margin: time.Second,
			Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
		}})
	}
	services := events.BuiltinServices()
	n := f.rng.IntN(fleetSize)
	id := fmt.Sprintf("%s-%03d", services[n%len(services)].Name, n)
	in := events.Intent{
		Kind: events.Register, Container: id, Host: "node",
		Introduce: events.Introduce{Service: services[n%len(services)].Name}, Demand: events.Demand{Want: f.rng.IntN(8)},
	}
	if c, ok := f.ledger.Container(id); ok {
		in.Kind, in.Introduce, in.Host = events.Renew, events.Introduce{}, ""
		in.Incarnation, in.Seen, in.Ceiling = f.ledger.Incarnation(), f.ledger.Sequence(), c.Units
		if f.rng.IntN(4) == 0 {
			in.Kind = events.Request
		} else {
			in.Want = c.Want
		}
	}
	f.counter[id]++
	in.Counter = f.counter[id]
	f.entries++
	return f.apply(fmt.Sprintf("%d-0", f.entries), in)
}

func (f *fleet) apply(entry string, in events.Intent) []byte {
	now := f.ledger.Now() + 5
	return f.ledger.Apply(ledger.Input{Epoch: 1, Now: now, Wall: 1_750_000_000_000 + now, Entry: entry, Intent: events.EncodeIntent(&in)}).Encoded
}

// fleetFile writes a history of so many records.
func fleetFile(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "fleet.history")
	w, err := history.Create(path, history.Header{Budget: "fleet", Exported: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	f := newFleet()
	for range n {
		if err := w.Write([][]byte{f.next()}); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// spent is the processor's time that this process has used: on a shared machine the
// clock says little about one core.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A sampled source notes how large the heap grows.
type sampled struct {
	history.Source
	reads int
	peak  uint64
}

func (s *sampled) Read(ctx context.Context) ([][]byte, error) {
	if s.reads++; s.reads%256 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s.peak = max(s.peak, m.HeapInuse)
	}
	return s.Source.Read(ctx)
}

// BenchmarkVerifyFile proves a file; the yardstick is to read and decode the same
// file. The peak of the heap must not depend on how long the history is.
func BenchmarkVerifyFile(b *testing.B) {
	for _, n := range []int{1_000_000, 10_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := fleetFile(b, n)
			var verify, decode time.Duration
			var peak uint64
			for b.Loop() {
				start := spent(b)
				f, err := history.OpenFile(path)
				if err != nil {
					b.Fatal(err)
				}
				for {
					records, err := f.Read(b.Context())
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					for _, data := range records {
						if _, err := events.DecodeRecord(data); err != nil {
							b.Fatal(err)
						}
					}
				}
				f.Close()
				decode += spent(b) - start
				start = spent(b)
				if f, err = history.OpenFile(path); err != nil {
					b.Fatal(err)
				}
				src := &sampled{Source: f}
				report, err := audit.Verify(b.Context(), src)
				if err != nil || !report.Proved() || report.Records != uint64(n) {
					b.Fatal(&report, err)
				}
				f.Close()
				verify += spent(b) - start
				peak = max(peak, src.peak)
			}
			b.ReportMetric(float64(n*b.N)/verify.Seconds(), "verified/s")
			b.ReportMetric(float64(n*b.N)/decode.Seconds(), "decoded/s")
			b.ReportMetric(decode.Seconds()/verify.Seconds(), "of-decoding")
			b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
		})
	}
}

// BenchmarkVerifyLive proves a history in Redis; the yardstick is a bare XRANGE drain
// of it. Here it is the clock that counts, because Redis works as well.
func BenchmarkVerifyLive(b *testing.B) {
	const n = 200_000
	server := servertest.NeedRedis(b, servertest.RedisOptions{})
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	f, key := newFleet(), events.NewKeys("default").Grants
	for f.ledger.Sequence() < n {
		_, err := rdb.Pipelined(b.Context(), func(p redis.Pipeliner) error {
			for range 1000 {
				data := f.next()
				p.XAdd(b.Context(), &redis.XAddArgs{Stream: key, ID: fmt.Sprintf("%d-0", f.ledger.Sequence()), Values: []any{"r", data}})
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	var verify, drain time.Duration
	for b.Loop() {
		start := time.Now()
		for from, got := "-", 0; got < n; {
			some, err := rdb.XRangeN(b.Context(), key, from, "+", history.MaxRead).Result()
			if err != nil {
				b.Fatal(err)
			}
			got += len(some)
			from = "(" + some[len(some)-1].ID
		}
		drain += time.Since(start)
		start = time.Now()
		live, err := history.OpenLive(b.Context(), server.URL(), "default")
		if err != nil {
			b.Fatal(err)
		}
		report, err := audit.Verify(b.Context(), live)
		if err != nil || !report.Proved() || report.Records != f.ledger.Sequence() {
			b.Fatal(&report, err)
		}
		live.Close()
		verify += time.Since(start)
	}
	b.ReportMetric(float64(n*b.N)/verify.Seconds(), "verified/s")
	b.ReportMetric(float64(n*b.N)/drain.Seconds(), "drained/s")
	b.ReportMetric(drain.Seconds()/verify.Seconds(), "of-XRANGE")
}
