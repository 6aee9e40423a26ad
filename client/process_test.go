package client_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
)

func (s *stage) hold(n string) *process {
	s.Helper()
	p := run(s, "container", "HOLD="+n, "SERVICE_NAME=scraper", "REDIS_URL="+s.redis.URL(), "DATABASE_URL="+s.pg.URL(), "CONNECTION_RESERVE_TTL=")
	p.expect("holding")
	return p
}

// TestKilledContainer: what a container held that was killed goes to others when
// its lease is over, and its fallback one TTL later.
func TestKilledContainer(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = 2 * time.Second
	s.arbiter()
	p := s.hold("54")
	c := s.container("viewer", func(cfg *client.Config) { cfg.LocalConns = 1 })
	db := s.openDB(c)
	w := s.watch()
	p.signal(syscall.SIGKILL)
	start := time.Now()
	s.request(c, 49)
	took := time.Since(start)
	t.Logf("49 of 54 connections granted to another %v after kill -9, with leases of %v", took, s.policy.TTL)
	if took > s.policy.TTL+s.policy.Margin+500*time.Millisecond {
		t.Errorf("too late")
	}
	s.request(c, 54)
	took = time.Since(start)
	t.Logf("all of them after %v", took)
	if took > 2*s.policy.TTL+s.policy.Margin+500*time.Millisecond {
		t.Errorf("too late")
	}
	giveBack(s.take(db, 54))
	w.most(s, 54)
}

// TestTerminatedContainer: one that is told to end gives everything back at once.
func TestTerminatedContainer(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = time.Minute
	s.arbiter()
	p := s.hold("40")
	c := s.container("viewer")
	if _, err := c.Request(t.Context(), 54); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGTERM)
	start := time.Now()
	s.request(c, 54)
	took := time.Since(start)
	t.Logf("54 connections granted to another %v after SIGTERM", took)
	if took > s.policy.TTL/10 { // about 100 ms; what it must not do is to wait for the lease to end
		t.Error("too late")
	}
	p.expect("closed")
}

// TestKilledArbiter: a standby answers what the killed one did not, and counts
// nothing twice.
func TestKilledArbiter(t *testing.T) {
	s := newStage(t)
	first := run(t, "arbiter", "REDIS_URL="+s.redis.URL())
	first.expect("leading")
	s.arbiter(func(cfg *arbiter.Config) { cfg.Policy = benchPolicy(60) }) // the standby
	c, d := s.container("api"), s.container("scraper")
	db := s.openDB(c)
	w := s.watch()
	s.request(c, 5)
	first.signal(syscall.SIGKILL)
	start := time.Now()
	s.request(c, 20)
	s.request(d, 30)
	t.Logf("answered %v after the arbiter was killed", time.Since(start))
	if time.Since(start) > 2500*time.Millisecond {
		t.Error("too late")
	}
	giveBack(s.take(db, 20))

	log, err := events.OpenLog(s.redis.URL(), client.DefaultBudget)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	records, err := log.ReadRecords(t.Context(), 0, 10_000, 0)
	if err != nil {
		t.Fatal(err)
	}
	type said struct {
		who     string
		counter uint64
	}
	taken := map[said]bool{}
	for _, data := range records {
		rec, err := events.DecodeRecord(data)
		if err != nil {
			t.Fatal(err)
		}
		in, err := events.DecodeIntent(rec.Intent)
		if err != nil {
			t.Fatal(err)
		}
		if rec.Refused != events.NoReason {
			t.Errorf("refused %v: %v", in, rec.Refused)
		}
		if key := (said{in.Container, in.Counter}); in.Container != "" {
			if taken[key] {
				t.Errorf("taken twice: %+v", in)
			}
			taken[key] = true
		}
	}
	w.most(s, 54)
}
