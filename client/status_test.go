package client_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/status"
)

// projector runs a projector until the test ends.
func (s *stage) projector() {
	s.Helper()
	log, err := events.OpenLog(s.redis.URL(), client.DefaultBudget)
	if err != nil {
		s.Fatal(err)
	}
	p, err := projector.New(projector.Config{Log: log, Budget: client.DefaultBudget, ID: "projector", Logger: quiet})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Run(ctx) })
	s.Cleanup(func() {
		cancel()
		wg.Wait()
		log.Close()
	})
}

// shows waits until the published status satisfies the condition.
func (s *stage) shows(c *client.Coordinator, what string, holds func(*status.Status) bool) *status.Status {
	s.Helper()
	var got *status.Status
	var err error
	s.until(what, func() bool {
		got, err = c.Status(s.Context())
		return err == nil && holds(got)
	}, func() any { return err })
	return got
}

func TestStatus(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	c := s.container("api", func(c *client.Config) { c.Container = "api" })
	if _, err := c.Status(t.Context()); !errors.Is(err, client.ErrNoStatus) || !strings.Contains(err.Error(), "is an arbiter running?") {
		t.Errorf("without a projector: %v", err)
	}
	var out bytes.Buffer
	if err := c.PrintStatus(&out); !errors.Is(err, client.ErrNoStatus) {
		t.Errorf("without a projector: %v", err)
	}
	s.projector()
	s.request(c, 5)
	db := s.openDB(c)
	conns := s.take(db, 2)
	s.shows(c, "5 connections", func(st *status.Status) bool { return st.TotalAllocated == 5 })
	// That two are in use is said within 15 seconds, or with the next renewal.
	got := s.shows(c, "2 in use", func(st *status.Status) bool { return st.Services["api"].InUse == 2 })
	if m, service := got.Find(c.ID()); service != "api" || m.Connections != 5 || m.Held < 2 {
		t.Errorf("in %s: %+v", service, m)
	}
	giveBack(conns)
	if err := c.PrintStatus(&out); err != nil || !strings.Contains(out.String(), "5/54") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("printed: %v\n%s", err, &out)
	}
	s.redis.Kill()
	if _, err := c.Status(t.Context()); err == nil || errors.Is(err, client.ErrNoStatus) {
		t.Errorf("without Redis: %v", err)
	}
	if _, err := c.CleanupStale(t.Context()); err == nil {
		t.Error("cleaned up without Redis")
	}
}

func TestCleanupStale(t *testing.T) {
	s := newStage(t)
	s.policy.TTL, s.policy.Margin = 20*time.Second, time.Second
	s.arbiter()
	s.projector()
	c := s.container("api")
	s.request(c, 3)
	s.shows(c, "the api", func(st *status.Status) bool { return st.TotalAllocated == 3 })
	if n, err := c.CleanupStale(t.Context()); n != 0 || err != nil {
		t.Errorf("cleaned %d, %v; there is nothing to clean", n, err)
	}
	// Two viewers register for a second each, and are never heard again: they leave
	// their fallbacks behind.
	for _, id := range []string{"viewer-1", "viewer-2"} {
		post, err := events.OpenPost(s.redis.URL(), client.DefaultBudget, id)
		if err != nil {
			t.Fatal(err)
		}
		defer post.Close()
		if err := post.Send(t.Context(), events.EncodeIntent(&events.Intent{
			Kind: events.Register, Container: id, Counter: 1, Host: "gone",
			Introduce: events.Introduce{Service: "viewer", TTL: 4 * time.Second}, Demand: events.Demand{Want: 4},
		})); err != nil {
			t.Fatal(err)
		}
	}
	s.shows(c, "both are lost", func(st *status.Status) bool {
		lost := 0
		if v := st.Services["viewer"]; v != nil {
			for _, m := range v.Containers {
				if m.State == status.Lost && m.Connections > 0 {
					lost++
				}
			}
		}
		return lost == 2
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if n, err := c.CleanupStale(ctx); n != 2 || err != nil {
		t.Errorf("cleaned %d, %v; want 2", n, err)
	}
	if got, err := c.Status(t.Context()); err != nil || got.Services["viewer"] != nil || got.TotalAllocated != 3 {
		t.Errorf("after that: %+v, %v", got, err)
	}
	if err := c.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CleanupStale(ctx); !errors.Is(err, client.ErrLocalMode) {
		t.Errorf("from a container that has left: %v", err)
	}
}
