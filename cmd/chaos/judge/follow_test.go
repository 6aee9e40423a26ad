package judge

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) { servertest.Main(leakcheck.Wrap(m)) }

// A follower is a history that follows one in Redis, which a test writes.
type follower struct {
	*testing.T
	rdb    *redis.Client
	stream string
	h      *History
	path   string
}

func follow(t *testing.T) *follower {
	server := servertest.SharedRedis(t)
	rdb, err := events.OpenRedis(server.URL(), 2)
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{T: t, rdb: rdb, stream: events.NewKeys("b").Grants, path: filepath.Join(t.TempDir(), "history")}
	found := make(chan error, 100)
	if f.h, err = NewHistory(f.path, "b", func(err error) { found <- err }); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.h.Follow(ctx, server.URL(), "b") }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = rdb.Close()
	})
	return f
}

// write appends records, the first of which has the sequence.
func (f *follower) write(sequence uint64, records ...[]byte) {
	f.Helper()
	for i, rec := range records {
		args := &redis.XAddArgs{Stream: f.stream, ID: idOf(sequence + uint64(i)), Values: []any{recordField, rec}}
		if err := f.rdb.XAdd(f.Context(), args).Err(); err != nil {
			f.Fatal(err)
		}
	}
}

// until waits until the history has so many records.
func (f *follower) until(records int) {
	f.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for f.h.State().Records != records {
		select {
		case <-look.C:
		case <-late.C:
			f.Fatalf("%d records, want %d", f.h.State().Records, records)
		}
	}
}

func (f *follower) verify(want Totals) {
	f.Helper()
	if err := f.h.Close(); err != nil {
		f.Fatal(err)
	}
	if got, err := Verify(f.path); err != nil || got != want {
		f.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestFollowsAHistoryThatGoesBack(t *testing.T) {
	f := follow(t)
	first := sample()
	f.write(1, first.out...)
	f.until(5)
	if s := f.h.State(); s.Leader != "a" || s.Incarnation != 7 || s.Containers["x"].Units != 5 {
		t.Errorf("%+v", s)
	}
	// Redis forgets two records, and a new incarnation writes more than there was.
	if err := f.rdb.Del(t.Context(), f.stream).Err(); err != nil {
		t.Fatal(err)
	}
	f.write(1, first.out[:3]...)
	second := begin(8, 3).lead("b").register("x", 1).register("y", 2).register("z", 3)
	f.write(4, second.out...)
	f.until(11)
	if s := f.h.State(); s.Incarnation != 8 || s.Leader != "b" || len(s.Containers) != 3 {
		t.Errorf("%+v", s)
	}
	// It forgets everything.
	if err := f.rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	third := begin(9, 0).lead("c")
	f.write(1, third.out...)
	f.until(14)
	f.verify(Totals{Records: 14, Incarnations: 3, Leaderships: 3})
}
