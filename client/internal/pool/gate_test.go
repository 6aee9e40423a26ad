package pool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// peer is a server that accepts and says nothing; the test decides when it closes.
type peer struct {
	net.Listener
	conns chan net.Conn
}

func newPeer(t *testing.T) *peer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{l, make(chan net.Conn, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.conns <- conn
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		close(p.conns)
		for conn := range p.conns {
			conn.Close()
		}
	})
	return p
}

// dials prepares dials through the gate to the peer.
func (p *peer) dials(g *Gate, share int) func(context.Context) (net.Conn, error) {
	l := &lane{gate: g}
	l.setShare(share)
	return func(ctx context.Context) (net.Conn, error) {
		a := &attempt{lane: l, dial: new(net.Dialer).DialContext, timeout: patience}
		return a.dialCounted(ctx, "tcp", p.Addr().String())
	}
}

func TestGateCountsUntilTheServerCloses(t *testing.T) {
	g := newGate(t, GateOptions{CloseTimeout: patience})
	p := newPeer(t)
	dial := p.dials(g, 5)
	g.SetLimit(1)
	conn, err := dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := <-p.conns
	conn.Close()
	if n := g.Open(); n != 1 {
		t.Errorf("Open() = %d, want 1: the server has not closed", n)
	}
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Error("the server does not see the end of the stream")
	}
	next := make(chan error, 1)
	go func() {
		conn, err := dial(t.Context())
		if err == nil {
			defer conn.Close()
		}
		next <- err
	}()
	eventually(t, "the next dial waits", func() bool { return g.Waiting() == 1 })
	server.Close()
	if err := <-next; err != nil {
		t.Error(err)
	}
	(<-p.conns).Close()
}

func TestGateOrder(t *testing.T) {
	g := newGate(t, GateOptions{CloseTimeout: time.Second})
	p := newPeer(t)
	dial, other := p.dials(g, 2), p.dials(g, 5)
	g.SetLimit(0)
	g.SetAdmission(Admission{Until: time.Now()})
	order := make(chan string, 10)
	queue := func(name string, dial func(context.Context) (net.Conn, error)) {
		before := g.Waiting()
		go func() {
			if _, err := dial(context.Background()); err == nil {
				order <- name
			}
		}()
		eventually(t, name+" waits", func() bool { return g.Waiting() == before+1 })
	}
	for i := range 4 {
		queue(fmt.Sprint("a", i), dial)
	}
	queue("b", other)

	g.SetLimit(1)
	if g.Waiting() != 5 {
		t.Error("admitted although admission is not open")
	}
	g.SetAdmission(Admission{})
	for _, want := range []string{"a0", "a1", "b"} { // a2 and a3 are beyond their pool's share
		if got := <-order; got != want {
			t.Errorf("admitted %s, want %s", got, want)
		}
		g.SetLimit(g.Limit() + 1)
	}
	g.SetLimit(10)
	if n := g.Waiting(); n != 2 {
		t.Errorf("Waiting() = %d, want 2", n)
	}
	if n := g.Open(); n != 3 {
		t.Errorf("Open() = %d, want 3", n)
	}
	for range 3 {
		(<-p.conns).Close()
	}
	g.Kill(0)
	for range 2 {
		<-order
		(<-p.conns).Close()
	}
}

func TestGateGivesUp(t *testing.T) {
	g := newGate(t, GateOptions{})
	p := newPeer(t)
	dial := p.dials(g, 1)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 2)
	go func() { _, err := dial(ctx); failed <- err }()
	eventually(t, "it waits", func() bool { return g.Waiting() == 1 })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("gave up with %v", err)
	}
	if n := g.Waiting(); n != 0 {
		t.Errorf("Waiting() = %d, want 0", n)
	}
	go func() { _, err := dial(context.Background()); failed <- err }()
	eventually(t, "it waits", func() bool { return g.Waiting() == 1 })
	if err := g.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, ErrGateClosed) {
		t.Errorf("the closed gate answers %v", err)
	}
}

// Close does not wait for a server longer than it may.
func TestGateCloseInTime(t *testing.T) {
	g := NewGate(GateOptions{CloseTimeout: time.Hour})
	p := newPeer(t)
	dial := p.dials(g, 1)
	g.SetLimit(1)
	if _, err := dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := g.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close() = %v", err)
	}
	if n := g.Open(); n != 0 {
		t.Errorf("Open() = %d", n)
	}
}

func TestFailedDialsLoseNothing(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 3, func(cfg *pgx.ConnConfig) { cfg.User = "nobody knows" })
			g.SetLimit(3)
			tg.SetMax(3)
			for range 10 {
				if err := tg.exec(t.Context(), "select 1"); err == nil {
					t.Fatal("an unknown role was let in")
				}
			}
			eventually(t, "no place is lost", func() bool { return g.Open() == 0 })
		})
	}
}

// sslmode=prefer dials twice where the server has no TLS; a limit of 1 has to do.
func TestSeveralDialsNeedOnePlace(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 3, func(cfg *pgx.ConnConfig) {
				prefer, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=prefer", cfg.Host, cfg.Port, cfg.User, cfg.Database))
				if err != nil {
					t.Fatal(err)
				}
				cfg.TLSConfig, cfg.Fallbacks = prefer.TLSConfig, prefer.Fallbacks
			})
			g.SetLimit(1)
			tg.SetMax(1)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := tg.exec(ctx, "select 1"); err != nil {
				t.Error(err)
			}
		})
	}
}
