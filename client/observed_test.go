package client_test

import (
	"context"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/client"
)

// observed has the arbiter look at the database, as the role of the URL. The
// tests' own superuser is the platform's.
func (s *stage) observed(url string, log *journal) func(*arbiter.Config) {
	s.Helper()
	logger := quiet
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	o, err := observer.New(observer.Config{URL: url, Budget: client.DefaultBudget, Platform: []string{"postgres"}, Logger: logger})
	if err != nil {
		s.Fatal(err)
	}
	lookout := observer.NewLookout(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- lookout.Run(ctx) }()
	s.Cleanup(func() {
		cancel()
		<-done
	})
	return func(cfg *arbiter.Config) { cfg.Lookout, cfg.Headroom, cfg.Logger = lookout, 1, logger }
}

// TestKilledContainerIsSeen: with an eye on the database, what a killed container
// held goes to others within seconds, whatever its lease lasts.
func TestKilledContainerIsSeen(t *testing.T) {
	s := newStage(t)
	s.policy.TTL = 5 * time.Minute
	log := &journal{}
	s.arbiter(s.observed(s.pg.URL(), log))
	p := s.hold("54")
	c := s.container("viewer")
	db := s.openDB(c)
	w := s.watch()
	defer func() { t.Log(log.String()) }()
	p.signal(syscall.SIGKILL)
	start := time.Now()
	s.request(c, 54)
	took := time.Since(start)
	t.Logf("54 connections granted to another %v after kill -9, with leases of %v", took, s.policy.TTL)
	if took > 3*time.Second {
		t.Errorf("too late:\n%s", log)
	}
	giveBack(s.take(db, 54))
	w.most(s, 54)
}
