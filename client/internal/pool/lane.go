package pool

import "sync/atomic"

// lane is one pool's part of the gate. Its share bounds the pool's physical connections even where the library's own
// bound does not hold, so that no pool can use up the part of another.
type lane struct {
	gate *Gate

	// orphans counts killed sockets that the pool has not noticed. It is changed under gate.mu and read on every
	// checkout of database/sql: while it is not 0, the checkout looks at the connection before it hands it out.
	orphans atomic.Int64

	// orphaned is called, without locks, when orphans has grown. It never blocks. It may be nil.
	orphaned func()

	// reached is called, without locks, when reach may have changed by itself. It never blocks. It may be nil.
	reached func()

	// The rest is guarded by gate.mu.
	share   int
	open    int // sockets that hold a place
	live    int // of these, the ones that nobody has begun to close
	joined  int // of these, the ones that the server has accepted
	waiting int // dials waiting for admission

	scarcity scarcity
}

func newLane(g *Gate) *lane {
	return &lane{gate: g, scarcity: scarcity{turn: make(chan struct{}, 1)}}
}

func (l *lane) setShare(n int) {
	l.gate.mu.Lock()
	l.share = n
	l.gate.serveLocked()
	l.gate.mu.Unlock()
	l.gate.changed()
}

func (l *lane) target() int {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	return l.share
}

// reach is how many connections the pool may try to have: its share, or one more than it has while the database is full.
// stuck is how many dials wait beyond that. To database/sql they are connections, so it would close others for them.
func (l *lane) reach() (reach, stuck int) {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	reach = l.share
	if l.scarcity.refusal != nil {
		reach = min(reach, l.joined+1)
	}
	dials := l.waiting + l.scarcity.paused
	return reach, max(0, min(dials, l.live+dials-reach))
}

// dialsChanged tells of a dial that begins or ends to wait.
func (l *lane) dialsChanged() {
	if l.reached != nil {
		l.reached()
	}
	l.gate.changed()
}

// census is what a lane has at a moment.
type census struct {
	dials int // waiting for admission, or for the database to have room
	live  int // sockets that nobody has begun to close
}

func (l *lane) census() census {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	return census{l.waiting + l.scarcity.paused, l.live}
}

// condemn reports whether this connection has to be closed for the pool to get down to its share, and if so counts it
// as closing from now on, so that two callers do not both close one for the same surplus. Dials that wait count as
// connections here, as they go on when another one goes; not so while nothing is admitted.
func (l *lane) condemn(s *socket) bool {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	if s.retired {
		return true // it is on its way out anyway
	}
	size := l.live
	if l.waiting > 0 && l.gate.admitsLocked(l.gate.open) {
		size += l.waiting
	}
	if size <= l.share {
		return false
	}
	s.retireLocked()
	return true
}

// dead reports whether a connection that is about to be handed out was killed, or is being closed.
func (l *lane) dead(s *socket) bool {
	if l.orphans.Load() == 0 || s == nil {
		return false
	}
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	return s.retired
}
