package projector_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/internal/busy"
	"github.com/conncord/conncord/projector/status"
)

func noticed(part string) func(*status.Status) bool {
	return func(s *status.Status) bool {
		return s.Degraded && slices.ContainsFunc(s.Notices, func(n string) bool { return strings.Contains(n, part) })
	}
}

// TestBeforeThereIsAnything starts a projector, and a subscriber, on an empty Redis.
func TestBeforeThereIsAnything(t *testing.T) {
	t.Parallel()
	r := redis(t)
	p, _ := project(t, r.URL(), "p1")
	updates, err := projector.Subscribe(t.Context(), projector.SubscribeOptions{RedisURL: r.URL(), Budget: budget})
	must(t, err)
	if u := <-updates; u.Status != nil || u.Err != nil {
		t.Errorf("the first update: %+v; want neither a status nor an error", u)
	}
	if p.Status() != nil || p.CaughtUp() {
		t.Error("there is a status before there is a history")
	}
	lead(t, r.URL(), "a1")
	await(t, p, "a status", func(s *status.Status) bool { return s.Leader == "a1" && !s.Degraded && s.MaxConnections == 60 })
	for u := range updates {
		if u.Status != nil && u.Status.Leader == "a1" {
			break
		}
	}
}

// TestRedisGone kills Redis under the projector and a subscriber: both say so, keep
// what was known, and recover by themselves.
func TestRedisGone(t *testing.T) {
	t.Parallel()
	r := redis(t)
	lead(t, r.URL(), "a1")
	p, _ := project(t, r.URL(), "p1")
	example(t, r.URL())
	await(t, p, "25 connections", allocated(25))
	updates, err := projector.Subscribe(t.Context(), projector.SubscribeOptions{RedisURL: r.URL(), Budget: budget})
	must(t, err)
	until := func(what string, holds func(projector.Update) bool) {
		t.Helper()
		deadline := time.After(patience)
		for {
			select {
			case u := <-updates:
				if holds(u) {
					return
				}
			case <-deadline:
				t.Fatalf("the subscriber waited %v for: %s", patience, what)
			}
		}
	}
	until("the status", func(u projector.Update) bool { return u.Err == nil && u.Status != nil && u.Status.TotalAllocated == 25 })
	r.Kill()
	s := await(t, p, "Redis is away", noticed("Redis has not answered since"))
	if s.TotalAllocated != 25 || p.CaughtUp() {
		t.Errorf("%d allocated, caught up: %v; want what was known, and false", s.TotalAllocated, p.CaughtUp())
	}
	until("Redis is away", func(u projector.Update) bool { return u.Err != nil && u.Status != nil && u.Status.TotalAllocated == 25 })
	must(t, r.Restart(t.Context()))
	await(t, p, "Redis is back", func(s *status.Status) bool {
		return !slices.ContainsFunc(s.Notices, func(n string) bool { return strings.Contains(n, "Redis") }) && s.Leader == "a1"
	})
	until("Redis is back", func(u projector.Update) bool { return u.Err == nil && u.Status != nil && u.Status.Leader == "a1" })
}

// TestRestarted shows the same after a restart as before, from the beginning of the
// history and, where that is gone, from the snapshot and the records it names.
func TestRestarted(t *testing.T) {
	t.Parallel()
	r := redis(t)
	stopLeading := lead(t, r.URL(), "a1")
	p, stop := project(t, r.URL(), "p1")
	example(t, r.URL())
	join(t, r.URL(), "api", "api-2", 80)
	before := await(t, p, "all shared out", func(s *status.Status) bool { return s.TotalAllocated == 54 && s.Lag == 0 && s.Leader == "a1" })
	stop()
	p, stop = project(t, r.URL(), "p2")
	compare(t, before, await(t, p, "all shared out", allocated(54)))
	stop()
	stopLeading()
	lead(t, r.URL(), "a2") // it stores a snapshot with its first commit
	p, stop = project(t, r.URL(), "p3")
	await(t, p, "a2 leads", func(s *status.Status) bool { return s.Leader == "a2" })
	stop()
	log, err := events.OpenLog(r.URL(), budget)
	must(t, err)
	defer log.Close()
	snap, err := log.LoadSnapshot(t.Context())
	must(t, err)
	trim(t, r, 2) // the beginning
	p, _ = project(t, r.URL(), "p4")
	after := await(t, p, "all shared out", allocated(54))
	if after.Sequence < snap.Sequence {
		t.Errorf("the status is of record %d, before the snapshot of %d", after.Sequence, snap.Sequence)
	}
	compare(t, before, after)
}

// compare compares what a restart must not change.
func compare(t *testing.T, before, after *status.Status) {
	t.Helper()
	for name, service := range before.Services {
		for i := range service.Containers {
			was := service.Containers[i]
			now, _ := after.Find(was.ID)
			if now == nil {
				t.Errorf("%s of %s is gone", was.ID, name)
				continue
			}
			if !now.ReservedAt.Equal(was.ReservedAt) || now.Lease != was.Lease || now.Reason != was.Reason || now.Connections != was.Connections || now.Position != was.Position {
				t.Errorf("%s was %+v and is %+v", was.ID, was, *now)
			}
		}
	}
}

// trim removes all records before the sequence from the history.
func trim(t *testing.T, r *servertest.Redis, before uint64) {
	t.Helper()
	if _, err := r.Do(t.Context(), "XTRIM", events.NewKeys(budget).Grants, "MINID", strconv.FormatUint(before, 10)+"-0"); err != nil {
		t.Fatal(err)
	}
}

// TestTrimmedUnderIt removes records that the projector has not read yet, and the
// snapshot: it says so, and goes on when an arbiter stores another one.
func TestTrimmedUnderIt(t *testing.T) {
	t.Parallel()
	r := redis(t)
	lead(t, r.URL(), "a1")
	example(t, r.URL())
	paused := &pausedLog{}
	p, _ := project(t, r.URL(), "p1", func(c *projector.Config) {
		paused.Log = c.Log
		c.Log = paused
	})
	await(t, p, "25 connections", allocated(25))
	paused.pause(true)
	m := join(t, r.URL(), "external", "e1", 2)
	other, _ := project(t, r.URL(), "p2")
	await(t, other, "27 connections", allocated(27))
	m.want(3, events.Demand{})
	s := await(t, other, "28 connections", allocated(28))
	snap := derive(t, r, s.Sequence)
	trim(t, r, s.Sequence)
	if _, err := r.Do(t.Context(), "DEL", events.NewKeys(budget).Snap); err != nil {
		t.Fatal(err)
	}
	paused.pause(false)
	await(t, p, "the gap", noticed("A part of the history was missing"))
	s = await(t, p, "no beginning", noticed("no snapshot reaches what is left"))
	if s.TotalAllocated != 25 {
		t.Errorf("%d allocated; want what was known, 25", s.TotalAllocated)
	}
	store(t, r.URL(), snap)
	await(t, p, "28 connections", func(s *status.Status) bool { return allocated(28)(s) && !noticed("cannot be followed")(s) })
	if p.Counts().Gaps == 0 {
		t.Error("no gap was counted")
	}
}

// derive returns the snapshot that an arbiter would store after the record.
func derive(t *testing.T, r *servertest.Redis, sequence uint64) *events.Snapshot {
	t.Helper()
	log, err := events.OpenLog(r.URL(), budget)
	must(t, err)
	defer log.Close()
	records, err := log.ReadRecords(t.Context(), 0, int(sequence), 0)
	must(t, err)
	var l *ledger.Ledger
	for _, data := range records {
		rec, err := events.DecodeRecord(data)
		must(t, err)
		if l == nil {
			l = ledger.New(rec.Incarnation, rec.Sequence-1)
		}
		l.Apply(ledger.Input{Epoch: rec.Epoch, Now: rec.Ledger, Wall: rec.Wall, Entry: rec.Entry, Intent: rec.Intent})
	}
	return l.Snapshot()
}

// store puts a snapshot where an arbiter would.
func store(t *testing.T, url string, snap *events.Snapshot) {
	t.Helper()
	rdb, err := events.OpenRedis(url, 1)
	must(t, err)
	defer rdb.Close()
	must(t, rdb.Set(t.Context(), events.NewKeys(budget).Snap, events.EncodeSnapshot(snap), 0).Err())
}

// TestHistoryLost empties Redis: the projector shows the new history.
func TestHistoryLost(t *testing.T) {
	t.Parallel()
	r := redis(t)
	lead(t, r.URL(), "a1")
	p, _ := project(t, r.URL(), "p1")
	example(t, r.URL())
	before := await(t, p, "25 connections", allocated(25))
	must(t, r.RestartEmpty(t.Context()))
	await(t, p, "a new history", func(s *status.Status) bool {
		return s.Incarnation != before.Incarnation && len(s.Services) == 0 && s.Leader == "a1" && s.Barrier > 0 && raised("barrier")(s)
	})
}

// TestOneInOffice runs two projectors: one publishes, and tells the herald; when it
// goes, the other one does, and tells nothing twice.
func TestOneInOffice(t *testing.T) {
	t.Parallel()
	r := redis(t)
	lead(t, r.URL(), "a1")
	h1, h2 := &herald{}, &herald{}
	p1, stop := project(t, r.URL(), "p1", func(c *projector.Config) { c.Herald = h1; c.Expect = []string{"api"} })
	await(t, p1, "in office", func(*status.Status) bool {
		office, _ := r.Do(t.Context(), "GET", events.NewKeys(budget).Office)
		return office == "p1"
	})
	p2, _ := project(t, r.URL(), "p2", func(c *projector.Config) { c.Herald = h2; c.Expect = []string{"api"} })
	join(t, r.URL(), "scraper", "s1", 60)
	for _, p := range []*projector.Projector{p1, p2} {
		await(t, p, "alerts", func(s *status.Status) bool { return raised("exhausted")(s) && raised("service_missing")(s) })
	}
	subscribed(t, r.URL(), raised("service_missing"))
	if got := h2.all(); len(got) != 0 {
		t.Errorf("the projector out of office told %q", got)
	}
	if got := h1.all(); !slices.Contains(got, "exhausted  firing") || !slices.Contains(got, "service_missing api firing") {
		t.Errorf("the projector in office told %q", got)
	}
	stop()
	join(t, r.URL(), "api", "api-1", 1)
	await(t, p2, "in office", func(s *status.Status) bool { return slices.Contains(h2.all(), "service_missing api resolved") })
	for _, told := range h2.all() {
		if strings.HasSuffix(told, "firing") && !strings.HasPrefix(told, "unmet_demand") {
			t.Errorf("the second projector told %q again", told)
		}
	}
}

// TestLargeFleet publishes a status that is too large for the channel: subscribers
// get all containers, and the last change.
func TestLargeFleet(t *testing.T) {
	t.Parallel()
	r := redis(t)
	log, err := events.OpenLog(r.URL(), budget)
	must(t, err)
	defer log.Close()
	h := busy.Write(3000, 3000)
	s, err := log.Campaign(t.Context(), "arbiter-1", time.Hour, h.Start.Incarnation, false)
	must(t, err)
	at := writeHistory(t, log, s, &events.Batch{}, h.Before)
	p, _ := project(t, r.URL(), "p1")
	await(t, p, "all registered", func(s *status.Status) bool { return s.Sequence == at.Sequence })
	subscribed(t, r.URL(), func(s *status.Status) bool { return s.Sequence == at.Sequence })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	updates, err := projector.Subscribe(ctx, projector.SubscribeOptions{RedisURL: r.URL(), Budget: budget})
	must(t, err)
	at = writeHistory(t, log, s, at, h.Records)
	for u := range updates {
		if u.Status == nil || u.Status.Sequence != at.Sequence {
			continue
		}
		containers := 0
		for _, service := range u.Status.Services {
			containers += len(service.Containers)
		}
		if containers != 3000 || u.Status.Partial {
			t.Errorf("%d containers, partial: %v", containers, u.Status.Partial)
		}
		return
	}
	t.Errorf("no subscriber got record %d", at.Sequence)
}

// A pausedLog stands still when told to.
type pausedLog struct {
	projector.Log
	gate gate
}

func (l *pausedLog) pause(on bool) { l.gate.set(on) }

func (l *pausedLog) ReadRecords(ctx context.Context, after uint64, count int, block time.Duration) ([][]byte, error) {
	l.gate.wait(ctx)
	records, err := l.Log.ReadRecords(ctx, after, count, min(block, 50*time.Millisecond))
	if l.gate.shut() { // what was read while it shut, it has not read
		l.gate.wait(ctx)
		return nil, nil
	}
	return records, err
}
