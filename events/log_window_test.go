package events_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// gate is a proxy to Redis that holds back what begins with SCRIPT LOAD, as a
// pause of the arbiter between campaign and load would.
type gate struct {
	l    net.Listener
	to   string
	held chan struct{}
	open chan struct{}
	once sync.Once
}

func (g *gate) serve() {
	for {
		c, err := g.l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 1<<20)
			var s net.Conn
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if bytes.Contains(bytes.ToLower(buf[:n]), []byte("$6\r\nscript\r\n$4\r\nload")) {
					g.once.Do(func() { close(g.held); <-g.open; if s != nil { s.Close() }; s = nil })
				}
				if s == nil {
					if s, err = net.Dial("tcp", g.to); err != nil {
						return
					}
					go func(s net.Conn) { _, _ = io.Copy(c, s) }(s)
				}
				if _, err := s.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}

// A wins, and is slow to load its script. Meanwhile its lease runs out, B leads
// and commits, and Redis loses that.
func TestZZWindow(t *testing.T) {
	srv := servertest.NeedRedis(t, servertest.RedisOptions{})
	s := connect(t, srv.URL())
	first := s.open(t)
	s0 := win(t, first, "z")
	b0 := batch(s0, 3)
	must(t, first.Commit(t.Context(), s0, b0))
	s.tell("DEL", s.keys.Leader)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	addr := strings.TrimPrefix(srv.URL(), "redis://")
	addr, _, _ = strings.Cut(addr, "/")
	g := &gate{l: l, to: addr, held: make(chan struct{}), open: make(chan struct{})}
	go g.serve()
	logA, err := events.OpenLog("redis://"+l.Addr().String(), "b")
	must(t, err)
	defer logA.Close()
	type won struct {
		s   events.Standing
		err error
	}
	wonA := make(chan won, 1)
	began := time.Now()
	go func() {
		st, err := logA.Campaign(t.Context(), "a", 100*time.Millisecond, 8, false)
		wonA <- won{st, err}
	}()
	<-g.held
	s.tell("SAVE") // what survives
	time.Sleep(110 * time.Millisecond)
	logB := s.open(t)
	sB := win(t, logB, "b")
	bB := batch(sB, 2)
	must(t, logB.Commit(t.Context(), sB, bB))
	t.Logf("B committed records up to %d under incarnation %d epoch %d", bB.Sequence, sB.Incarnation, sB.Epoch)
	srv.Kill()
	must(t, srv.Restart(t.Context()))
	close(g.open)
	a := <-wonA
	t.Logf("A after %v: %+v, error %v", time.Since(began), a.s, a.err)
	must(t, a.err)
	err = logA.Commit(t.Context(), a.s, batch(a.s, 1))
	t.Logf("A commits record %d under incarnation %d epoch %d on the server that lost B's: error %v", a.s.Sequence+1, a.s.Incarnation, a.s.Epoch, err)
	if err == nil {
		t.Error("the loss went unnoticed: no new incarnation, no barrier")
	}
	_ = os.Stdout
}
