package client_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/client/lease"
)

// TestRedisAway: a lease is kept to its end and not grown, then the fallback is
// what is left, by force if need be; and all comes back.
func TestRedisAway(t *testing.T) {
	for _, test := range []struct {
		name     string
		strict   bool
		away     func(*stage)
		back     func(*stage) error
		fallback int
	}{
		{"killed", false, func(s *stage) { s.redis.Kill() }, func(s *stage) error { return s.redis.Restart(s.Context()) }, 3},
		{"paused", false, func(s *stage) { _ = s.redis.Pause() }, func(s *stage) error { return s.redis.Resume() }, 3},
		{"killed, strict", true, func(s *stage) { s.redis.Kill() }, func(s *stage) error { return s.redis.Restart(s.Context()) }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t)
			if test.name == "paused" {
				s.policy.TTL = 8 * time.Second // long enough for calls that hang to time out
			}
			s.arbiter()
			var j journal
			c := s.container("api", logTo(&j), func(cfg *client.Config) { cfg.Strict = test.strict })
			db := s.openDB(c)
			s.request(c, 20)
			conns := s.take(db, 20)
			w := s.watch()
			test.away(s)
			gone := time.Now()
			until := c.Grant().Until

			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			g, err := c.Request(ctx, 30, client.AtLeast(30))
			cancel()
			if !errors.Is(err, client.ErrExhausted) || g.Conns != 20 || c.Open() != 20 {
				t.Fatalf("without Redis: %+v, %v", g, err)
			}
			t.Log(err)
			s.until("the fallback", func() bool { return c.Grant().Mode == lease.Fallback }, func() any { return c.Grant() })
			if g := c.Grant(); g.Conns != test.fallback {
				t.Fatalf("%+v", g)
			}
			s.until("the cut", func() bool { return c.Open() <= test.fallback }, func() any { return c.Open() })
			if now := time.Now(); now.After(until) {
				t.Errorf("the connections were closed %v after the end of the lease", now.Sub(until))
			} else {
				t.Logf("closed %v after Redis went away, %v before the end of the lease", now.Sub(gone), until.Sub(now))
			}
			if _, err := c.Request(t.Context(), 25); !errors.Is(err, client.ErrLocalMode) {
				t.Errorf("a request on the fallback: %v", err)
			}
			giveBack(conns)

			if err := test.back(s); err != nil {
				t.Fatal(err)
			}
			back := time.Now()
			s.until("the lease", func() bool { g := c.Grant(); return g.Mode == lease.Leased && g.Conns >= max(test.fallback, 1) }, func() any { return fmt.Sprintf("%+v\n%s", c.Grant(), j.String()) })
			t.Logf("a lease %v after Redis came back", time.Since(back))
			s.until("all", func() bool { return c.Grant().Conns == 25 }, func() any { return c.Grant() })
			t.Logf("all of it %v after Redis came back", time.Since(back))
			giveBack(s.take(db, 20))
			for message, want := range map[string]int{"Redis unavailable": 1, "Redis available again": 1, "going on with the fallback": 1} {
				if n := j.count(message); n != want {
					t.Errorf("%d times %q\n%s", n, message, j.String())
				}
			}
			w.most(s, 25)
		})
	}
}

// TestStartWithoutRedis: the container goes on in local mode and joins later.
func TestStartWithoutRedis(t *testing.T) {
	s := newStage(t)
	s.redis.Kill()
	var j journal
	start := time.Now()
	c := s.container("scraper", logTo(&j), func(cfg *client.Config) { cfg.JoinWithin = 500 * time.Millisecond })
	if g := c.Grant(); g.Mode != lease.Local || time.Since(start) > 3*time.Second {
		t.Fatalf("%+v after %v", g, time.Since(start))
	}
	db := s.openDB(c)
	conns := s.take(db, 5) // its service's minimum
	if g, err := c.Request(t.Context(), 9); !errors.Is(err, client.ErrLocalMode) || g.Conns != 5 {
		t.Fatalf("%+v, %v", g, err)
	}
	if j.count("Redis unavailable") != 1 || j.count("going on in local mode") != 1 {
		t.Error(j.String())
	}
	if err := s.redis.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, _ := s.arbiter()
	s.settles(c, 9)
	// An arbiter shows its state when the round is over, a little after the grant.
	s.until("the charge", func() bool { return a.State().Charged == 9 }, func() any { return a.State() })
	if j.count("Redis unavailable") != 1 || j.count("Redis available again") != 1 {
		t.Error(j.String())
	}
	giveBack(conns)
}

// TestNoArbiter: Redis is there, but nobody decides.
func TestNoArbiter(t *testing.T) {
	s := newStage(t)
	var j journal
	c := s.container("api", logTo(&j), func(cfg *client.Config) { cfg.JoinWithin = 300 * time.Millisecond })
	db := s.openDB(c)
	giveBack(s.take(db, 3))
	if j.count("Redis unavailable") != 0 || j.count("going on in local mode") != 1 {
		t.Error(j.String())
	}
	s.arbiter()
	s.until("a lease", func() bool { return c.Grant().Mode == lease.Leased && c.Grant().Conns == 3 }, func() any { return c.Grant() })
	giveBack(s.take(db, 3))
}

// TestRedisForgets: holders say what they have and keep it, and nobody gains
// before the barrier opens.
func TestRedisForgets(t *testing.T) {
	s := newStage(t)
	s.arbiter()
	holder, other := s.container("viewer"), s.container("scraper")
	db := s.openDB(holder)
	s.request(holder, 40)
	s.request(other, 14)
	conns := s.take(db, 40)
	w := s.watch()
	if err := s.redis.RestartEmpty(t.Context()); err != nil {
		t.Fatal(err)
	}
	epoch := holder.Grant().Lease
	start := time.Now()
	s.until("a lease of the new history", func() bool { return holder.Grant().Lease != epoch }, func() any { return holder.Grant() })
	if g := holder.Grant(); g.Conns != 40 || g.Mode != lease.Leased {
		t.Fatalf("%+v", g)
	}
	t.Logf("kept under the new history after %v", time.Since(start))
	if _, err := other.Resize(t.Context(), 36); err != nil {
		t.Fatal(err)
	}
	for time.Since(start) < s.policy.TTL-time.Second {
		if g := other.Grant(); g.Conns > 14 {
			t.Fatalf("gains behind the barrier: %+v", g)
		}
		if _, err := conns[0].ExecContext(t.Context(), "select pg_sleep(0.05)"); err != nil {
			t.Fatalf("cut: %v", err)
		}
	}
	giveBack(conns)
	s.until("the scraper's share", func() bool { return other.Grant().Conns == 36 }, func() any { return other.Grant() })
	w.most(s, 54)
}
