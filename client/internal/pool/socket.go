package pool

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// socket is one counted connection, as pgx sees it. TLS, if any, sits above it.
//
// Its Close returns at once, as a pool expects, but the place in the gate stays taken until the server has closed too.
type socket struct {
	net.Conn // nil while dialing

	gate *Gate
	lane *lane
	seq  uint64

	// abort ends the dial.
	abort     context.Context
	abortFunc context.CancelFunc

	// pg is known once the connection is established; a query can be cancelled through it.
	pg atomic.Pointer[pgconn.PgConn]

	// readMu is held during a Read, so that the goroutine that drains the socket starts only when pgx has left it. A
	// held readMu also means that somebody waits for the server: the connection is busy.
	readMu sync.Mutex

	// ctlMu orders Close against deadlines set by pgx, which must not reach into the draining.
	ctlMu   sync.Mutex
	closing bool        // set under ctlMu
	gone    atomic.Bool // the server's end was seen

	forced chan struct{} // closed when the gate cannot wait any longer

	// Guarded by gate.mu.
	dialing    bool
	starting   bool      // dialing, or the server has not accepted it yet
	joined     bool      // the server has accepted it
	inWindow   bool      // dialed while anything might be opened
	outOfTouch bool      // given up because its admission had ended
	lifeline   bool      // established and, as far as anybody has noticed, alive; it may be a lifeline,
	shows      time.Time // and shows since then that the database has one of ours
	retired    bool      // counted as closing
	freed      bool      // the place was given back
	orphan     bool      // killed, and the pool does not know
}

// dialed ends the dialing, and reports whether the socket is to be closed again: it was killed meanwhile, or its admission
// has ended.
func (s *socket) dialed(conn net.Conn) (unwanted bool) {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	s.Conn, s.dialing = conn, false
	if !s.retired && !s.gate.coversLocked(s) {
		s.outOfTouch = true
		s.retireLocked()
	}
	return s.retired
}

// joinLocked makes the socket a live connection, unless it was killed.
func (s *socket) joinLocked(shows time.Time) error {
	s.starting = false
	switch {
	case s.outOfTouch:
		return ErrOutOfTouch
	case s.retired:
		return errEnded
	}
	s.lifeline, s.shows = true, shows
	s.joined = true
	s.lane.joined++
	return nil
}

func (s *socket) isOutOfTouch() bool {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.outOfTouch
}

func (s *socket) Read(p []byte) (int, error) {
	if s.isClosing() {
		return 0, errEnded // without waiting for the one that drains the socket
	}
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if s.isClosing() {
		return 0, errEnded
	}
	n, err := s.Conn.Read(p)
	if err == nil {
		return n, nil
	}
	if endOfServer(err) {
		s.gone.Store(true)
		s.free()
	}
	if s.isClosing() { // woken by beginClose
		err = errEnded
	}
	return n, err
}

func (s *socket) Write(p []byte) (int, error) {
	if s.isClosing() {
		return 0, net.ErrClosed
	}
	return s.Conn.Write(p)
}

func (s *socket) isClosing() bool {
	s.ctlMu.Lock()
	defer s.ctlMu.Unlock()
	return s.closing
}

func (s *socket) SetDeadline(t time.Time) error      { return s.control(s.Conn.SetDeadline, t) }
func (s *socket) SetReadDeadline(t time.Time) error  { return s.control(s.Conn.SetReadDeadline, t) }
func (s *socket) SetWriteDeadline(t time.Time) error { return s.control(s.Conn.SetWriteDeadline, t) }

func (s *socket) control(set func(time.Time) error, t time.Time) error {
	s.ctlMu.Lock()
	defer s.ctlMu.Unlock()
	if s.closing {
		return net.ErrClosed
	}
	return set(t)
}

// Close ends the connection for its user. The gate waits for the server in a goroutine of its own.
func (s *socket) Close() error {
	killed := s.adopt()
	if s.beginClose() {
		go s.linger(false)
		return nil
	}
	if killed {
		return nil
	}
	return net.ErrClosed
}

// beginClose makes the caller the one who ends the socket, and drives pgx out of reads and writes.
func (s *socket) beginClose() bool {
	s.ctlMu.Lock()
	if s.closing {
		s.ctlMu.Unlock()
		return false
	}
	s.closing = true
	s.Conn.SetDeadline(time.Unix(1, 0))
	s.ctlMu.Unlock()

	s.gate.mu.Lock()
	s.retireLocked()
	s.gate.mu.Unlock()
	return true
}

// retireLocked moves the socket from the living to the closing ones.
func (s *socket) retireLocked() {
	if s.retired {
		return
	}
	s.retired = true
	s.lifeline = false
	s.gate.live--
	s.lane.live--
	if s.joined {
		s.lane.joined--
	}
}

// adopt notes that the pool itself has closed the connection, and reports whether it was killed before.
func (s *socket) adopt() bool {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	killed := s.orphan
	if killed {
		s.orphan = false
		s.lane.orphans.Add(-1)
	}
	return killed
}

// free gives the place back; the socket itself may still be open on our side.
func (s *socket) free() {
	s.gate.mu.Lock()
	freed := s.gate.freeLocked(s)
	s.gate.mu.Unlock()
	if freed {
		s.gate.changed()
	}
}

// finish ends everything about the socket. It is called once, by whoever ends it: the failed dial or the lingerer.
func (s *socket) finish() {
	s.abortFunc()
	if s.Conn != nil {
		s.Conn.Close()
	}
	s.free()
	s.gate.mu.Lock()
	delete(s.gate.sockets, s)
	s.gate.mu.Unlock()
	s.gate.wg.Done()
}

// endOfServer reports whether a read error proves that the server's side is gone: it closed in order, or its kernel
// answered that it knows no such connection. A timeout or a missing route proves nothing.
func endOfServer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// errEnded is what a reader gets whose connection is closed under it. It is a timeout, because pgx takes any other error
// in the middle of a statement for a connection that was closed before it, and database/sql would then run the statement
// a second time.
var errEnded net.Error = endedError{}

type endedError struct{}

func (endedError) Error() string {
	return "the connection was closed because its place is needed elsewhere"
}
func (endedError) Timeout() bool   { return true }
func (endedError) Temporary() bool { return false }
func (endedError) Unwrap() error   { return net.ErrClosed }
