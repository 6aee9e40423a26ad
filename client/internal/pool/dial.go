package pool

import (
	"context"
	"fmt"
	"maps"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// socketKey is where a connection's custom data keeps its socket.
const socketKey = "conncord.socket"

// attempt is one try of pgx to connect. It may dial several sockets in turn (several hosts, sslmode=prefer); each takes a
// place before it is dialed and keeps it for its own life, so a failed start cannot lose one.
//
// pgx calls the same dial function for cancel requests. These pass uncounted: the server does not count them.
type attempt struct {
	lane    *lane
	dial    pgconn.DialFunc
	timeout time.Duration

	// gaveUp tells that the attempt failed for want of a place.
	gaveUp atomic.Bool

	// refused tells that the database had no room for it.
	refused atomic.Bool

	mu          sync.Mutex
	established bool
	current     *socket
	timer       *time.Timer
}

// dialer prepares connection attempts of one pool.
type dialer struct {
	lane *lane
	name func() string // application_name of the next connection; may be nil

	// explain tells that errors of the server reach the caller as they are, see [attempt.watchRefusals].
	explain bool
}

// instrument makes cfg, which belongs to this one attempt, dial through the gate.
func (d *dialer) instrument(cfg *pgx.ConnConfig) *attempt {
	a := &attempt{lane: d.lane, dial: cfg.DialFunc, timeout: cfg.ConnectTimeout}
	if a.timeout <= 0 {
		a.timeout = DefaultDialTimeout
	}
	// pgx would let the wait at the gate use up the connect timeout. The attempt counts from the dial instead.
	cfg.ConnectTimeout = 0
	cfg.DialFunc = a.dialCounted
	a.watchRefusals(&cfg.Config, d.explain)

	if d.name != nil {
		cfg.RuntimeParams = maps.Clone(cfg.RuntimeParams)
		if cfg.RuntimeParams == nil {
			cfg.RuntimeParams = make(map[string]string)
		}
		cfg.RuntimeParams["application_name"] = d.name()
	}
	reap := sessionStatement(cfg.RuntimeParams)
	users := cfg.AfterConnect
	cfg.AfterConnect = func(ctx context.Context, pg *pgconn.PgConn) error {
		if err := a.connected(ctx, pg, reap); err != nil {
			return err
		}
		if users != nil {
			return users(ctx, pg)
		}
		return nil
	}
	return a
}

func (a *attempt) dialCounted(ctx context.Context, network, addr string) (net.Conn, error) {
	if a.isEstablished() || forCancelRequest() {
		return a.dial(ctx, network, addr)
	}
	for {
		s, err := a.lane.gate.admit(ctx, a.lane)
		if err != nil {
			a.gaveUp.Store(true)
			return nil, fmt.Errorf("waiting for a connection place: %w", err)
		}
		err = a.dialAdmitted(ctx, s, network, addr)
		if err == nil {
			return s, nil
		}
		if !s.isOutOfTouch() {
			return nil, err
		}
	}
}

// dialAdmitted dials a socket that has a place.
func (a *attempt) dialAdmitted(ctx context.Context, s *socket, network, addr string) error {
	if !s.gate.begin(s) {
		s.finish()
		return ErrOutOfTouch
	}
	begun := time.Now()
	dialCtx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	defer context.AfterFunc(s.abort, cancel)()
	conn, err := a.dial(dialCtx, network, addr)

	if err != nil {
		s.finish()
		return err
	}
	if unwanted := s.dialed(conn); unwanted {
		if s.beginClose() {
			go s.linger(false)
		}
		return net.ErrClosed
	}
	a.mu.Lock()
	a.current = s
	a.timer = time.AfterFunc(a.timeout-time.Since(begun), func() { a.expire(s) })
	a.mu.Unlock()
	return nil
}

func (a *attempt) isEstablished() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.established
}

// outOfTouch reports whether the attempt failed because its admission had ended.
func (a *attempt) outOfTouch() bool {
	a.mu.Lock()
	s := a.current
	a.mu.Unlock()
	return s != nil && s.isOutOfTouch()
}

// forCancelRequest reports whether pgx dials to send a cancel request. It does so even for a start-up that broke off, and
// must not wait at the gate then; nothing but the caller's name tells. Should pgx rename it, these few dials are counted.
func forCancelRequest() bool { return calledFrom("pgconn.(*PgConn).CancelRequest") }

// calledFrom reports whether a function, named from its end, is among the nearest callers.
func calledFrom(function string) bool {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, function) {
			return true
		}
		if !more {
			return false
		}
	}
}

// expire ends a start-up that takes too long, as pgx's own connect timeout would.
func (a *attempt) expire(s *socket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.established {
		s.SetDeadline(time.Unix(1, 0))
	}
}

// connected runs when the server has accepted the connection.
func (a *attempt) connected(ctx context.Context, pg *pgconn.PgConn, reap string) error {
	a.mu.Lock()
	a.established = true
	a.timer.Stop()
	s := socketOf(pg.Conn())
	if s == nil {
		s = a.current
	}
	a.mu.Unlock()
	s.pg.Store(pg)
	pg.CustomData()[socketKey] = s
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	if err := s.gate.establish(ctx, s, pg); err != nil {
		return err
	}
	a.lane.noteRoom()
	if reap == "" {
		return nil
	}
	_, err := pg.Exec(ctx, reap).ReadAll()
	if err != nil && pg.IsClosed() {
		return fmt.Errorf("setting session parameters: %w", err)
	}
	return nil // a server or pooler that does not know how is served as it is
}

// socketOf finds the socket below what pgx holds: TLS, or a wrapper of the user's that offers NetConn.
func socketOf(conn net.Conn) *socket {
	for {
		if s, ok := conn.(*socket); ok {
			return s
		}
		above, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = above.NetConn()
	}
}

// socketFrom returns the socket of an established connection, or nil if it did not come through a gate.
func socketFrom(conn *pgx.Conn) *socket {
	s, _ := conn.PgConn().CustomData()[socketKey].(*socket)
	return s
}
