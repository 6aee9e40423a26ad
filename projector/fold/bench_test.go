package fold

import (
	"sync"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/internal/busy"
)

// fleet is a large fleet: 10,000 containers.
var fleet = sync.OnceValue(func() *busy.History { return busy.Write(10_000, 50_000) })

// BenchmarkApply folds the records of 10,000 busy containers; the yardstick decodes
// the same records and does nothing with them.
func BenchmarkApply(b *testing.B) {
	f := fleet()
	b.Run("fold", func(b *testing.B) {
		s, i := Restore(f.Start), 0
		for b.Loop() {
			if i == len(f.Records) {
				s, i = Restore(f.Start), 0
			}
			if err := s.Apply(f.Records[i]); err != nil {
				b.Fatal(err)
			}
			i++
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("decode", func(b *testing.B) {
		i := 0
		for b.Loop() {
			if _, err := events.DecodeRecord(f.Records[i%len(f.Records)]); err != nil {
				b.Fatal(err)
			}
			i++
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	})
}

// BenchmarkStatus makes and encodes a status of 10,000 containers.
func BenchmarkStatus(b *testing.B) {
	f := fleet()
	s := Restore(f.Start)
	for _, record := range f.Records[:1000] {
		if err := s.Apply(record); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("make", func(b *testing.B) {
		for b.Loop() {
			s.Status()
		}
	})
	b.Run("make and encode", func(b *testing.B) {
		size := 0
		for b.Loop() {
			body, err := s.Status().Encode()
			if err != nil {
				b.Fatal(err)
			}
			size = len(body)
		}
		b.ReportMetric(float64(size), "bytes")
	})
}
