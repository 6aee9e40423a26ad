package pool

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// forcedWait is how long Close waits after its context has ended and every socket was closed the hard way. What is
// still there then hangs in a dial function that ignores its context.
const forcedWait = time.Second

// Kill closes connections under their users until at most n are left that are not being closed: first those that are
// still dialing, then idle ones, then busy ones, and the newest first within each. A busy one's query is cancelled at
// the server. Kill does not wait: Open falls as the server confirms. It returns how many it began to close.
func (g *Gate) Kill(n int) int {
	type candidate struct {
		s    *socket
		rank int
	}
	g.mu.Lock()
	var live []candidate
	for s := range g.sockets {
		if !s.retired {
			live = append(live, candidate{s, s.killRankLocked()})
		}
	}
	slices.SortFunc(live, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.s.seq, a.s.seq))
	})
	victims := live[:max(0, len(live)-max(n, 0))]
	for _, v := range victims {
		v.s.orphanLocked()
	}
	g.mu.Unlock()

	for _, v := range victims {
		v.s.kill(v.rank == rankBusy)
		if v.s.lane.orphaned != nil {
			v.s.lane.orphaned()
		}
	}
	if len(victims) > 0 {
		g.changed()
	}
	return len(victims)
}

// The order in which Kill chooses.
const (
	rankDialing = iota
	rankIdle
	rankBusy
)

func (s *socket) killRankLocked() int {
	if s.dialing {
		return rankDialing
	}
	if s.readMu.TryLock() {
		s.readMu.Unlock()
		return rankIdle
	}
	return rankBusy
}

// orphanLocked marks a socket that is killed without its pool's knowledge.
func (s *socket) orphanLocked() {
	s.retireLocked()
	if !s.orphan && !s.dialing {
		s.orphan = true
		s.lane.orphans.Add(1)
	}
}

func (s *socket) kill(busy bool) {
	s.abortFunc()
	s.gate.mu.Lock()
	dialing := s.dialing
	s.gate.mu.Unlock()
	if !dialing && s.beginClose() { // a dial that succeeds nevertheless finds itself retired
		go s.linger(busy)
	}
}

// force ends the waiting for the server.
func (s *socket) force() {
	s.gate.mu.Lock()
	dialing := s.dialing
	select {
	case <-s.forced:
	default:
		close(s.forced)
	}
	s.gate.mu.Unlock()
	if !dialing {
		s.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// Close refuses further connections, kills all that exist and waits until the server has confirmed the end of each. When
// ctx ends first it stops waiting for the server, closes everything at once and returns an error: the database may then
// see connections for a little longer.
func (g *Gate) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.watchEndLocked()
	for _, t := range g.queue {
		close(t.ready)
	}
	g.queue = nil
	all := make([]*socket, 0, len(g.sockets))
	for s := range g.sockets {
		all = append(all, s)
	}
	g.mu.Unlock()

	g.Kill(0)
	for _, s := range all {
		s.kill(false) // what a pool was about to close
	}
	finished := after(g.wg.Wait)
	select {
	case <-finished:
		g.stopFunc()
		return nil
	case <-ctx.Done():
	}
	unconfirmed := g.Open()
	g.stopFunc()
	for _, s := range all {
		s.force()
	}
	select {
	case <-finished:
	case <-time.After(forcedWait):
	}
	return fmt.Errorf("closing the connection gate with %d connections unconfirmed: %w", unconfirmed, ctx.Err())
}
