package history

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
)

// How many records the benchmarks go through at a time, and how many of them are in
// Redis.
const (
	benchRecords = 100_000
	benchLive    = 50_000
)

func size(records [][]byte) (n int64) {
	for _, r := range records {
		n += int64(len(r))
	}
	return n
}

// rate reports records per second beside the yardstick's, as ratio.
func rate(b *testing.B, records int, spent, yardstick time.Duration) {
	b.ReportMetric(float64(records)*float64(b.N)/spent.Seconds(), "records/s")
	b.ReportMetric(float64(yardstick)/float64(spent), "of-yardstick")
}

func decodeAll(b *testing.B, records [][]byte) {
	for _, r := range records {
		if _, err := events.DecodeRecord(r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReadFile reads records from a file and decodes them; the yardstick is
// decoding the same records from memory. Both are measured in turn, because a shared
// machine's speed drifts. Reading alone is reported too.
func BenchmarkReadFile(b *testing.B) {
	records := made(benchRecords)
	path := export(b, records, len(records))
	b.SetBytes(size(records))
	var read, alone, plain time.Duration
	for b.Loop() {
		start := time.Now()
		decodeAll(b, records)
		plain += time.Since(start)
		for _, decode := range []bool{true, false} {
			start = time.Now()
			f, err := OpenFile(path)
			must(b, err)
			n := 0
			for {
				some, err := f.Read(context.Background())
				if errors.Is(err, io.EOF) {
					break
				}
				must(b, err)
				if decode {
					decodeAll(b, some)
				}
				n += len(some)
			}
			must(b, f.Close())
			if n != len(records) {
				b.Fatalf("%d records", n)
			}
			if decode {
				read += time.Since(start)
			} else {
				alone += time.Since(start)
			}
		}
	}
	rate(b, len(records), read, plain)
	b.ReportMetric(float64(size(records))*float64(b.N)/alone.Seconds()/1e6, "MB/s-read-alone")
}

// BenchmarkWriteFile writes a file, with all that makes it safe on the disk.
func BenchmarkWriteFile(b *testing.B) {
	records := made(benchRecords)
	b.SetBytes(size(records))
	for b.Loop() {
		export(b, records, len(records))
	}
	b.ReportMetric(float64(len(records))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// filled is a scene with benchLive records in Redis.
func filled(b *testing.B) *scene {
	s := newScene(b)
	s.begin(3)
	s.add(benchLive)
	return s
}

// BenchmarkReadLive drains a live history; the yardstick is a bare XRANGE drain by the
// same client.
func BenchmarkReadLive(b *testing.B) {
	s := filled(b)
	b.SetBytes(size(s.all))
	var read, bare time.Duration
	for b.Loop() {
		start := time.Now()
		drainRange(b, s.rdb, s.keys.Grants, len(s.all))
		bare += time.Since(start)
		start = time.Now()
		l := s.live()
		got, errs := drain(b, l)
		read += time.Since(start)
		if len(got) != len(s.all) || len(errs) > 0 {
			b.Fatalf("%d records, errors %v", len(got), errs)
		}
	}
	rate(b, len(s.all), read, bare)
}

func drainRange(b *testing.B, rdb *redis.Client, key string, want int) {
	from, n := "-", 0
	for {
		some, err := rdb.XRangeN(context.Background(), key, from, "+", MaxRead).Result()
		must(b, err)
		if len(some) == 0 {
			break
		}
		n += len(some)
		from = "(" + some[len(some)-1].ID
	}
	if n != want {
		b.Fatalf("%d records", n)
	}
}

// BenchmarkArchive has an archiver write a history that is there already.
func BenchmarkArchive(b *testing.B) {
	s := filled(b)
	b.SetBytes(size(s.all))
	for b.Loop() {
		a, err := OpenArchiver(context.Background(), b.TempDir(), s.url, "b", ArchiverOptions{SyncEvery: 20 * time.Millisecond})
		must(b, err)
		must(b, s.catchUp(a))
		must(b, a.Close())
	}
	b.ReportMetric(float64(len(s.all))*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
