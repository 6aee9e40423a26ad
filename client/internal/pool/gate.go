package pool

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// DefaultCloseTimeout is how long a closed connection keeps its place while the server does not close its end. It is
	// longer than the session parameters (see session.go) need to make the server end it by itself.
	DefaultCloseTimeout = 30 * time.Second

	// DefaultCancelDelay is how long a closed connection may linger before its query is cancelled: an idle backend is
	// gone within a round trip, so what lingers longer is busy.
	DefaultCancelDelay = 500 * time.Millisecond

	// DefaultCancelTimeout bounds one cancel request: a dial, a few bytes and the server's close.
	DefaultCancelTimeout = 2 * time.Second

	// DefaultDialTimeout bounds dial, TLS and authentication where the configuration sets no connect timeout. A dial
	// holds a place, so it may not last for ever. It is pgxpool's own default.
	DefaultDialTimeout = 2 * time.Minute
)

// ErrGateClosed is returned when a connection is asked for after the gate was closed.
var ErrGateClosed = errors.New("pool: connection gate is closed")

// GateOptions configures a [Gate].
type GateOptions struct {
	// Logger gets the rare events nobody else can report. Nil means [slog.Default].
	Logger *slog.Logger

	// OnChange is called whenever Open falls or a dial starts or stops waiting. No lock is held during the call, it may
	// come from any goroutine and several at once, and it must not block: connections wait for it. Nil means none.
	OnChange func()

	// OnRefused is called whenever the database refuses a connection for want of room (see [ErrDatabaseFull]), with its
	// error. The rules of OnChange hold. Nil means none.
	OnRefused func(err error)

	// CloseTimeout bounds the wait for the server's end of a closed connection. Zero means [DefaultCloseTimeout].
	CloseTimeout time.Duration

	// CancelDelay is the wait before a lingering connection's query is cancelled. Zero means [DefaultCancelDelay].
	CancelDelay time.Duration

	// CancelTimeout bounds one cancel request. Zero means [DefaultCancelTimeout].
	CancelTimeout time.Duration
}

// Gate admits physical connections. It counts every socket to the database that may still have a backend behind it:
// dialing, open, or closing. All methods are safe for concurrent use.
type Gate struct {
	log       *slog.Logger
	onChange  func()
	onRefused func(error)
	timeouts  closeTimeouts

	// stop ends cancel requests when Close runs out of time.
	stop     context.Context
	stopFunc context.CancelFunc

	// wg counts sockets that are not finished, and with them the goroutines that end them.
	wg sync.WaitGroup

	mu        sync.Mutex
	limit     int
	admission Admission
	end       *time.Timer // gives up dials when the admission has ended
	closed    bool
	open      int
	live      int // sockets that nobody has begun to close
	lastSeq   uint64
	sockets   map[*socket]struct{}
	queue     []*ticket // dials waiting for admission, oldest first
	refusal   error     // the database's last, if no dial has gone through since
}

// ticket is one dial waiting for admission.
type ticket struct {
	lane   *lane
	ready  chan struct{}
	socket *socket // set, before ready is closed, when admitted
}

// NewGate returns a gate with the limit 0 and without an end of admission.
func NewGate(opts GateOptions) *Gate {
	g := &Gate{
		log:       opts.Logger,
		onChange:  opts.OnChange,
		onRefused: opts.OnRefused,
		timeouts:  newCloseTimeouts(opts),
		sockets:   make(map[*socket]struct{}),
	}
	if g.log == nil {
		g.log = slog.Default()
	}
	g.stop, g.stopFunc = context.WithCancel(context.Background())
	return g
}

// SetLimit sets how many connections may exist. Raising it admits waiting dials, the oldest first. Lowering it closes
// nothing; none is admitted until fewer exist.
func (g *Gate) SetLimit(n int) {
	g.mu.Lock()
	waiting := len(g.queue)
	g.limit = max(n, 0)
	g.serveLocked()
	admitted := len(g.queue) < waiting
	g.mu.Unlock()
	if admitted {
		g.changed()
	}
}

// Limit returns what SetLimit set last.
func (g *Gate) Limit() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit
}

// Open returns how many physical connections may still exist at the server, dialing and closing ones included.
func (g *Gate) Open() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// Waiting returns how many dials wait for admission.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// admit waits until one more physical connection of the lane is allowed and takes a place for it. The place is the
// socket's until [socket.finish].
func (g *Gate) admit(ctx context.Context, l *lane) (*socket, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return nil, ErrGateClosed
	}
	// Whoever waits does not fit now, so a newcomer that fits overtakes nobody.
	if g.fitsLocked(l) {
		s := g.takeLocked(l)
		g.mu.Unlock()
		return s, nil
	}
	t := &ticket{lane: l, ready: make(chan struct{})}
	g.queue = append(g.queue, t)
	l.waiting++
	g.mu.Unlock()
	l.dialsChanged()

	select {
	case <-t.ready:
	case <-ctx.Done():
	}

	g.mu.Lock()
	if t.socket != nil { // admitted, perhaps just as ctx ended: the dial will find out
		g.mu.Unlock()
		l.dialsChanged()
		return t.socket, nil
	}
	closed := g.closed
	g.queue = slices.DeleteFunc(g.queue, func(other *ticket) bool { return other == t })
	l.waiting--
	g.mu.Unlock()
	l.dialsChanged()
	if closed {
		return nil, ErrGateClosed
	}
	return nil, ctx.Err()
}

func (g *Gate) fitsLocked(l *lane) bool {
	return !g.closed && g.open < g.limit && l.open < l.share && g.admitsLocked(g.open+1)
}

// serveLocked admits waiting dials, the oldest first; one whose own pool is at its share lets the others pass.
func (g *Gate) serveLocked() {
	kept := g.queue[:0]
	for _, t := range g.queue {
		if !g.fitsLocked(t.lane) {
			kept = append(kept, t)
			continue
		}
		t.lane.waiting--
		t.socket = g.takeLocked(t.lane)
		close(t.ready)
	}
	clear(g.queue[len(kept):])
	g.queue = kept
}

func (g *Gate) takeLocked(l *lane) *socket {
	g.lastSeq++
	s := &socket{gate: g, lane: l, seq: g.lastSeq, dialing: true, starting: true, forced: make(chan struct{})}
	s.abort, s.abortFunc = context.WithCancel(context.Background())
	g.sockets[s] = struct{}{}
	g.open++
	l.open++
	g.live++
	l.live++
	g.wg.Add(1)
	return s
}

// freeLocked gives the socket's place back, once.
func (g *Gate) freeLocked(s *socket) (freed bool) {
	if s.freed {
		return false
	}
	s.freed = true
	s.retireLocked()
	g.open--
	s.lane.open--
	g.serveLocked()
	return true
}

func (g *Gate) changed() {
	if g.onChange != nil {
		g.onChange()
	}
}
