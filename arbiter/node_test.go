package arbiter_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
)

// patience bounds every wait of these tests. It is never reached when all is
// well.
const patience = 30 * time.Second

// lease is the leader's lease of arbiters in these tests, unless they say
// otherwise: short, because tests wait for it.
const lease = 200 * time.Millisecond

// policy is what is in force in these tests.
func policy() events.Policy {
	return events.Policy{
		Rule: events.RuleVersion, Plan: "free", Limit: 60, Reserve: 6, TTL: time.Minute, Margin: time.Second,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
}

// A node is an arbiter that runs within the test.
type node struct {
	*arbiter.Arbiter
	tap    *tap
	log    *lines
	cancel context.CancelFunc
	ended  chan struct{}
}

// start runs an arbiter until the test ends.
func start(t testing.TB, url, id string, options ...func(*arbiter.Config)) *node {
	t.Helper()
	inner, err := events.OpenLog(url, budget)
	must(t, err)
	n := &node{tap: &tap{Log: inner}, log: &lines{}, ended: make(chan struct{})}
	cfg := arbiter.Config{
		Log: n.tap, Policy: policy(), ID: id, Lease: lease, Fresh: true,
		Logger: slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, option := range options {
		option(&cfg)
	}
	n.Arbiter, err = arbiter.New(cfg)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() {
		defer close(n.ended)
		_ = n.Run(ctx) // never fails
		inner.Close()
	}()
	t.Cleanup(func() {
		n.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", id, n.log)
		}
	})
	return n
}

// stop ends the arbiter as SIGTERM does.
func (n *node) stop() {
	n.cancel()
	<-n.ended
}

// kill ends the arbiter as SIGKILL does, as far as Redis can see: it never says
// another word.
func (n *node) kill() {
	n.tap.set(func(string) error { return errDead }, nil)
	n.stop()
}

// leads waits until the arbiter leads.
func (n *node) leads(t testing.TB) *node {
	t.Helper()
	until(t, "the arbiter leads", func() bool { return n.State().Leading })
	return n
}

// leaderOf waits until one of the arbiters leads, and returns it.
func leaderOf(t testing.TB, nodes ...*node) (leader *node) {
	t.Helper()
	until(t, "one of the arbiters leads", func() bool {
		for _, n := range nodes {
			if n.State().Leading {
				leader = n
				return true
			}
		}
		return false
	})
	return leader
}

var errDead = errors.New("the test cut the line to Redis")

// A tap stands between an arbiter and its log. Before, given the call's name,
// can keep a call from being made; after can replace its outcome.
type tap struct {
	arbiter.Log
	mu     sync.Mutex
	before func(call string) error
	after  func(call string, err error) error
	won    int // campaigns
	lost   int
}

func (p *tap) set(before func(string) error, after func(string, error) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before, p.after = before, after
}

func (p *tap) campaigns() (won, lost int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.won, p.lost
}

func (p *tap) call(name string, f func() error) error {
	p.mu.Lock()
	before, after := p.before, p.after
	p.mu.Unlock()
	if before != nil {
		if err := before(name); err != nil {
			return err
		}
	}
	err := f()
	if after != nil {
		err = after(name, err)
	}
	return err
}

func (p *tap) Campaign(ctx context.Context, id string, lease time.Duration, incarnation uint64, onlyNew bool) (s events.Standing, err error) {
	err = p.call("campaign", func() error {
		s, err = p.Log.Campaign(ctx, id, lease, incarnation, onlyNew)
		return err
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && s.Won {
		p.won++
	} else if err == nil {
		p.lost++
	}
	return s, err
}

func (p *tap) Extend(ctx context.Context, s events.Standing, lease time.Duration, now int64) (inbox events.Inbox, err error) {
	err = p.call("extend", func() error {
		inbox, err = p.Log.Extend(ctx, s, lease, now)
		return err
	})
	return inbox, err
}

func (p *tap) ReadIntents(ctx context.Context, cursor string, count int, block time.Duration) (entries []events.Entry, err error) {
	err = p.call("read intents", func() error {
		entries, err = p.Log.ReadIntents(ctx, cursor, count, block)
		return err
	})
	return entries, err
}

func (p *tap) Commit(ctx context.Context, s events.Standing, b *events.Batch) error {
	return p.call("commit", func() error { return p.Log.Commit(ctx, s, b) })
}

func (p *tap) Trim(ctx context.Context, s events.Standing, snapshot uint64) (why events.Bound, err error) {
	err = p.call("trim the history", func() (err error) { why, err = p.Log.Trim(ctx, s, snapshot); return err })
	return why, err
}

func (p *tap) SaveSnapshot(ctx context.Context, s events.Standing, snap *events.Snapshot) error {
	return p.call("save snapshot", func() error { return p.Log.SaveSnapshot(ctx, s, snap) })
}

func (p *tap) ReadRecords(ctx context.Context, after uint64, count int, block time.Duration) (records [][]byte, err error) {
	err = p.call("read records", func() error {
		records, err = p.Log.ReadRecords(ctx, after, count, block)
		return err
	})
	return records, err
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) count(part string) int { return strings.Count(l.String(), part) }

// until polls a condition that nothing signals.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
