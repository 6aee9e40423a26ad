package events_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

func TestOffice(t *testing.T) {
	r := servertest.SharedRedis(t)
	log, err := events.OpenLog(r.URL(), "shop")
	must(t, err)
	defer log.Close()
	ctx := t.Context()
	take := func(projector string, want bool) {
		t.Helper()
		got, err := log.TakeOffice(ctx, projector, time.Minute)
		must(t, err)
		if got != want {
			t.Errorf("%s in office: %v, want %v", projector, got, want)
		}
	}
	take("p1", true)
	take("p1", true)
	take("p2", false)
	if done, err := log.PublishStatus(ctx, "p2", time.Minute, []byte("two"), []byte("two")); done || err != nil {
		t.Errorf("p2 publishes: %v, %v", done, err)
	}
	if data, err := log.ReadStatus(ctx); data != nil || err != nil {
		t.Errorf("read %q, %v; want nothing", data, err)
	}
	if done, err := log.PublishStatus(ctx, "p1", time.Minute, []byte("one"), []byte("news")); !done || err != nil {
		t.Errorf("p1 publishes: %v, %v", done, err)
	}
	if data, err := log.ReadStatus(ctx); string(data) != "one" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	must(t, log.LeaveOffice(ctx, "p2"))
	take("p2", false)
	must(t, log.LeaveOffice(ctx, "p1"))
	take("p2", true)
	if _, err := log.PublishStatus(ctx, "p2", time.Minute, make([]byte, events.MaxStatusBytes+1), nil); !errors.Is(err, events.ErrOversize) {
		t.Errorf("too large a status: %v", err)
	}
	if _, err := r.Do(ctx, "PERSIST", events.NewKeys("shop").Office); err != nil {
		t.Fatal(err)
	}
	take("p1", true) // an office that never ends is none
	for _, key := range []string{events.NewKeys("shop").Office, events.NewKeys("shop").Status} {
		for _, command := range [][]string{{"DEL", key}, {"LPUSH", key, "x"}} {
			if _, err := r.Do(ctx, command...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if done, err := log.PublishStatus(ctx, "p2", time.Minute, []byte("over it"), nil); !done || err != nil {
		t.Errorf("over keys that somebody made something else: %v, %v", done, err)
	}
}

func TestGlance(t *testing.T) {
	r := servertest.SharedRedis(t)
	log, err := events.OpenLog(r.URL(), "shop")
	must(t, err)
	defer log.Close()
	ctx := t.Context()
	if g, err := log.Glance(ctx); g != (events.Glance{}) || err != nil {
		t.Errorf("at nothing: %+v, %v", g, err)
	}
	if oldest, err := log.Oldest(ctx); oldest != 0 || err != nil {
		t.Errorf("oldest of nothing: %d, %v", oldest, err)
	}
	s, err := log.Campaign(ctx, "a1", time.Minute, 77, false)
	must(t, err)
	records := []string{"first", "second", "third"}
	batch := &events.Batch{Sequence: 3, BaseCursor: events.NoCursor, Cursor: events.NoCursor}
	for _, r := range records {
		batch.Records = append(batch.Records, []byte(r))
	}
	must(t, log.Commit(ctx, s, batch))
	g, err := log.Glance(ctx)
	must(t, err)
	if want := (events.Glance{Leader: "a1", Incarnation: 77, Epoch: 1, Sequence: 3}); g != want {
		t.Errorf("glance %+v, want %+v", g, want)
	}
	if oldest, err := log.Oldest(ctx); oldest != 1 || err != nil {
		t.Errorf("oldest: %d, %v; want 1", oldest, err)
	}
	picked, err := log.Pick(ctx, []uint64{3, 9, 1})
	must(t, err)
	if len(picked) != 3 || string(picked[0]) != "third" || picked[1] != nil || string(picked[2]) != "first" {
		t.Errorf("picked %q", picked)
	}
	if _, err := r.Do(ctx, "HSET", events.NewKeys("shop").Head, "epoch", "many"); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Glance(ctx); !errors.Is(err, events.ErrMalformed) {
		t.Errorf("at a head that somebody changed: %v", err)
	}
}

func TestBoard(t *testing.T) {
	r := servertest.SharedRedis(t)
	log, err := events.OpenLog(r.URL(), "shop")
	must(t, err)
	defer log.Close()
	board, err := events.OpenBoard(r.URL(), "shop")
	must(t, err)
	defer board.Close()
	if data, err := board.Read(t.Context()); data != nil || err != nil {
		t.Errorf("read %q, %v; want nothing", data, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var heard []string
	enough := errors.New("enough")
	err = board.Watch(ctx, func() error {
		for _, news := range []string{"one", "two"} {
			if _, err := log.PublishStatus(ctx, "p", time.Minute, []byte("whole "+news), []byte(news)); err != nil {
				return err
			}
		}
		return nil
	}, func(news []byte) error {
		if heard = append(heard, string(news)); len(heard) == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || strings.Join(heard, " ") != "one two" {
		t.Errorf("heard %q: %v", heard, err)
	}
	if data, err := board.Read(t.Context()); string(data) != "whole two" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	// A server that stands still is noticed, and the end of the context at once.
	ctx, cancel = context.WithCancel(t.Context())
	err = board.Watch(ctx, func() error { cancel(); return nil }, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
	must(t, r.Pause())
	defer r.Resume()
	if err = board.Watch(t.Context(), func() error { return nil }, nil); err == nil {
		t.Error("a server that stands still is not noticed")
	}
}
