package arbiter_test

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// A wire stands between an arbiter and Redis, and can be as bad as a network:
// what was sent arrives much later, even after the sender has given up and said
// it again on another connection.
type wire struct {
	t        testing.TB
	url      string
	listener net.Listener
	redis    string

	mu   sync.Mutex
	held chan struct{} // closed when what is held is let go; nil: nothing is to be held
	late sync.WaitGroup
}

func newWire(t testing.TB, redisURL string) *wire {
	t.Helper()
	u, err := url.Parse(redisURL)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	w := &wire{t: t, listener: l, redis: u.Host}
	u.Host = l.Addr().String()
	w.url = u.String()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { w.serve(c) })
		}
	})
	t.Cleanup(func() {
		w.release()
		l.Close()
		serving.Wait()
	})
	return w
}

// hold keeps what is sent from now on, on the connections that exist. Those that
// are opened later are not held.
func (w *wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = make(chan struct{})
}

// release delivers what was held, and returns when Redis has it.
func (w *wire) release() {
	w.mu.Lock()
	if w.held != nil {
		close(w.held)
		w.held = nil
	}
	w.mu.Unlock()
	w.late.Wait()
}

func (w *wire) serve(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", w.redis, patience)
	if err != nil {
		return
	}
	defer server.Close()
	w.mu.Lock()
	exempt := w.held // what is held while this one opens does not concern it
	w.mu.Unlock()
	var replies sync.WaitGroup
	replies.Go(func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if n > 0 {
				_, _ = client.Write(buf[:n]) // it may have given up; Redis is not to notice
			}
			if err != nil {
				client.Close()
				return
			}
		}
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		w.mu.Lock()
		held := w.held
		late := n > 0 && held != nil && held != exempt
		if late {
			w.late.Add(1)
		}
		w.mu.Unlock()
		if late {
			<-held
		}
		_, failed := server.Write(buf[:n])
		if late {
			w.late.Done()
		}
		if err != nil || failed != nil {
			break
		}
	}
	// Redis answers what it got before it sees the end.
	if tcp, ok := server.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = server.SetReadDeadline(time.Now().Add(patience))
	replies.Wait()
}
