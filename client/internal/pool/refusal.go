package pool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// refusedPauseMin is the first pause after the database refused a dial for want of room. A place that comes free is
	// found about that soon.
	refusedPauseMin = 50 * time.Millisecond

	// refusedPauseMax bounds the pause, which doubles. A try costs a full database a process that it starts in vain, and
	// one a second for each pool is nothing to it.
	refusedPauseMax = time.Second

	// tooManyConnections is the SQLSTATE of all refusals for want of room: the server's, the database's or the role's.
	tooManyConnections = "53300"

	// fullExplained is what a refusal means, in the words of this package.
	fullExplained = "the database itself is full although the lease has room: others have taken its connections"
)

// ErrDatabaseFull is returned when the database refused a connection that the gate had admitted, and the checkout ended
// before there was room. The error contains the refusal, a [*pgconn.PgError], and what ended the checkout. Trying again
// is safe.
var ErrDatabaseFull = errors.New("pool: " + fullExplained)

// Refusal returns why the database refused the last dial for want of room, or nil if one has gone through since.
func (g *Gate) Refusal() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refusal
}

// scarcity paces the dials of a lane whose database is full. They take turns then, so that one at a time probes, with
// pauses; the others wait without a place at the gate. It ends when two dials in a row go through.
type scarcity struct {
	turn chan struct{} // has room for the one whose turn it is

	// Guarded by gate.mu.
	refusal error // not nil: the database is full
	pause   time.Duration
	paused  int  // dials that wait for their turn
	eased   bool // a dial has gone through since the last refusal
}

// noteRefusal begins the scarcity. It is called without locks.
func (l *lane) noteRefusal(refusal error) {
	g := l.gate
	g.mu.Lock()
	begins := l.scarcity.refusal == nil
	if begins {
		l.scarcity.pause = refusedPauseMin
	}
	l.scarcity.refusal, g.refusal = refusal, refusal
	l.scarcity.eased = false
	g.mu.Unlock()
	if begins && l.reached != nil {
		l.reached()
	}
	if g.onRefused != nil {
		g.onRefused(refusal)
	}
}

// noteRoom ends the scarcity, or the doubling of the pauses while there are others in the queue: a dial went through.
func (l *lane) noteRoom() {
	l.gate.mu.Lock()
	scarce := l.scarcity.refusal != nil
	l.gate.refusal = nil
	l.easeLocked()
	l.gate.mu.Unlock()
	if scarce && l.reached != nil {
		l.reached()
	}
}

// noteFailure is for a dial that failed otherwise. It says nothing about room, but those who wait shall learn as soon.
func (l *lane) noteFailure() {
	l.gate.mu.Lock()
	l.easeLocked()
	l.gate.mu.Unlock()
}

func (l *lane) easeLocked() {
	l.scarcity.pause = refusedPauseMin
	if l.scarcity.eased {
		l.scarcity.refusal = nil // also while others wait: a pool that always has some must not go on with care for ever
	}
	l.scarcity.eased = true
}

// awaitTurn returns at once if the database is not known to be full. If it is, it returns when the caller is to probe,
// and probing is true; the next one's turn comes when done is called.
func (l *lane) awaitTurn(ctx context.Context) (probing bool, done func(), err error) {
	g := l.gate
	g.mu.Lock()
	if l.scarcity.refusal == nil {
		g.mu.Unlock()
		return false, func() {}, nil
	}
	l.scarcity.paused++
	g.mu.Unlock()
	l.dialsChanged()
	defer l.dialsChanged()
	defer func() {
		g.mu.Lock()
		l.scarcity.paused--
		g.mu.Unlock()
	}()
	select {
	case l.scarcity.turn <- struct{}{}:
	case <-ctx.Done():
		return false, nil, context.Cause(ctx)
	}
	done = func() { <-l.scarcity.turn }

	g.mu.Lock()
	if l.scarcity.refusal == nil { // there is room again
		g.mu.Unlock()
		done()
		return false, func() {}, nil
	}
	pause := l.scarcity.pause
	l.scarcity.pause = min(2*pause, refusedPauseMax)
	g.mu.Unlock()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true, done, nil
	case <-ctx.Done():
		done()
		return false, nil, context.Cause(ctx)
	}
}

// fullError is the error of a checkout that ended while the database was full. Once a dial has gone through since the
// last refusal, what the others wait for is most likely their own lease.
func (l *lane) fullError(ended error) error {
	l.gate.mu.Lock()
	defer l.gate.mu.Unlock()
	if l.scarcity.refusal == nil || l.scarcity.eased {
		return ended
	}
	return fmt.Errorf("%w: %w: %w", ErrDatabaseFull, ended, l.scarcity.refusal)
}

// awaitRoom waits while the database is full, for a library that would hand a refusal to its caller: a probe takes the
// dial's place. A connection of its own is opened and closed again, and when the server has ended it there is room for
// the one that is to be kept, unless others are faster.
func (d *dialer) awaitRoom(ctx context.Context, cfg *pgx.ConnConfig) error {
	for {
		probing, done, err := d.lane.awaitTurn(ctx)
		if err != nil {
			return d.lane.fullError(err)
		}
		if !probing {
			return nil
		}
		refused := d.probe(ctx, cfg)
		done()
		if !refused {
			return nil // whatever else is wrong, the dial itself finds out
		}
	}
}

func (d *dialer) probe(ctx context.Context, cfg *pgx.ConnConfig) (refused bool) {
	cfg = cfg.Copy()
	cfg.AfterConnect = nil
	a := d.instrument(cfg)
	pg, err := pgconn.ConnectConfig(ctx, &cfg.Config)
	if err != nil {
		return a.refused.Load()
	}
	s := pg.CustomData()[socketKey].(*socket)
	pg.Close(ctx)
	select {
	case <-s.abort.Done(): // the end of everything about it
	case <-ctx.Done():
	}
	return false
}

// watchRefusals makes the attempt notice when the database refuses it for want of room. explain puts our words into the
// server's error, for a library that gives us no other way to add them.
func (a *attempt) watchRefusals(cfg *pgconn.Config, explain bool) {
	users := cfg.OnPgError
	cfg.OnPgError = func(pg *pgconn.PgConn, err *pgconn.PgError) bool {
		if err.Code == tooManyConnections && !a.isEstablished() {
			a.refused.Store(true)
			theirs := *err
			a.lane.noteRefusal(&theirs)
			if explain {
				err.Message += ": " + fullExplained
			}
		}
		return users == nil || users(pg, err)
	}
}
