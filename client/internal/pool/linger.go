package pool

import (
	"cmp"
	"context"
	"net"
	"time"
)

// closeTimeouts are the bounds on ending one socket.
type closeTimeouts struct {
	close       time.Duration
	cancelDelay time.Duration
	cancel      time.Duration
}

func newCloseTimeouts(opts GateOptions) closeTimeouts {
	return closeTimeouts{
		close:       cmp.Or(opts.CloseTimeout, DefaultCloseTimeout),
		cancelDelay: cmp.Or(opts.CancelDelay, DefaultCancelDelay),
		cancel:      cmp.Or(opts.CancelTimeout, DefaultCancelTimeout),
	}
}

// linger ends a closed socket in its own time: it tells the server that no more will come, waits for the server's end,
// and gives the place back then and not earlier. busy means that a query is known to run; it is cancelled at once,
// because a backend does not look at its socket before the query ends.
//
// It runs in a goroutine that [Gate.Close] waits for.
func (s *socket) linger(busy bool) {
	defer s.finish()
	if s.gone.Load() {
		return
	}
	deadline := time.Now().Add(s.gate.timeouts.close)
	if busy {
		s.requestCancel()
	}
	// What pgx has written, its Terminate at last, goes out before the end of the stream. A connection that cannot be
	// half-closed relies on Terminate and on the cancel request.
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	s.readMu.Lock() // pgx has left; see beginClose
	defer s.readMu.Unlock()

	if !busy {
		if s.drain(time.Now().Add(s.gate.timeouts.cancelDelay)) {
			return
		}
		s.requestCancel()
	}
	if s.drain(deadline) {
		return
	}
	select {
	case <-s.forced:
	default:
		s.gate.log.Warn("the server did not end a closed connection in time; its place is given back unconfirmed",
			"server", s.Conn.RemoteAddr().String(), "backend_pid", s.backendPID(), "waited", s.gate.timeouts.close)
	}
}

// drain reads until the server's end, and reports whether it came before the deadline. Reading is also what keeps our
// kernel from answering late data with a reset.
func (s *socket) drain(deadline time.Time) bool {
	var rest [4096]byte
	for {
		s.Conn.SetReadDeadline(deadline)
		select {
		case <-s.forced:
			return false
		default:
		}
		_, err := s.Conn.Read(rest[:])
		switch {
		case err == nil:
		case endOfServer(err):
			return true
		case isTimeout(err):
			return false
		default:
			// The network failed, which says nothing about the backend: leave it the time to notice by itself.
			wait := time.NewTimer(time.Until(deadline))
			defer wait.Stop()
			select {
			case <-wait.C:
			case <-s.forced:
			}
			return false
		}
	}
}

// requestCancel asks the server to end the running query, if the connection ever got as far as having one.
func (s *socket) requestCancel() {
	pg := s.pg.Load()
	if pg == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.gate.stop, s.gate.timeouts.cancel)
	defer cancel()
	// An error changes nothing: the server ends the query when it finds the client gone, and we wait for that.
	_ = pg.CancelRequest(ctx)
}

func (s *socket) backendPID() uint32 {
	if pg := s.pg.Load(); pg != nil {
		return pg.PID()
	}
	return 0
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}
