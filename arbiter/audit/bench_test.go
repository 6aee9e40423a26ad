package audit

import (
	"context"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
)

// BenchmarkVerify re-derives a history from memory, and plainly decodes the same
// records in turn. It counts the processor's time, garbage collection included:
// on a shared machine the clock says little about one core.
func BenchmarkVerify(b *testing.B) {
	s := newStage(1)
	s.wander(200_000, 100)
	var decode, verify time.Duration
	n := 0
	for b.Loop() {
		start := spent(b)
		for _, data := range s.records {
			if _, err := events.DecodeRecord(data); err != nil {
				b.Fatal(err)
			}
		}
		decode += spent(b) - start
		start = spent(b)
		r, err := Verify(context.Background(), &tape{records: s.records})
		verify += spent(b) - start
		if err != nil || !r.Proved() {
			b.Fatal(&r, err)
		}
		n += len(s.records)
	}
	b.ReportMetric(float64(n)/verify.Seconds(), "verified/s")
	b.ReportMetric(float64(n)/decode.Seconds(), "decoded/s")
	b.ReportMetric(decode.Seconds()/verify.Seconds(), "of-decoding")
}

// spent is the processor's time that this process has used.
func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMemory reports what a verifier, and the history's writer, hold after
// 30,000 records and after 300,000.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		s := newStage(1)
		v, err := NewVerifier(nil)
		must(b, err)
		for n := 1; n <= 100; n++ {
			s.wander(3_000, 100)
			for _, data := range s.records {
				must(b, v.Add(data))
			}
			s.records = s.records[:0]
			switch n {
			case 10:
				b.ReportMetric(heapInUse(), "B-30k")
			case 100:
				b.ReportMetric(heapInUse(), "B-300k")
			}
		}
		runtime.KeepAlive(v)
	}
}

func heapInUse() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
