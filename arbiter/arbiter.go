package arbiter

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// An Arbiter is one candidate for the leadership of a budget.
type Arbiter struct {
	Config
	state atomic.Pointer[State]

	// What follows belongs to the goroutine of Run.

	ledger *ledger.Ledger // nil: not read yet, or dropped
	behind bool           // there is more of the history to be read
	again  bool           // it reads the history anew, and has derived nothing yet
	skip   bool           // the stored snapshot was of no use: read the history from its start
	next   time.Time      // when to campaign next
	seen   bool           // it has seen a history or a leader: what is empty now, once was not

	longest time.Duration // lease of the history that was given up last
	unbound bool          // the holders of a former history did not have to give signs of life

	looks uint64 // asked for so far

	lead *leadership // nil: following

	trouble trouble
}

// State is what an arbiter is doing.
type State struct {
	ID          string
	Leading     bool
	CaughtUp    bool   // it has read the history to its end
	Leader      string // who leads, as far as it knows
	Incarnation uint64
	Epoch       uint64
	Sequence    uint64
	Charged     int
	Containers  int
	Refused     uint64
}

// New returns an arbiter that does nothing until Run.
func New(cfg Config) (*Arbiter, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.Logger = cfg.Logger.With("arbiter", cfg.ID)
	a := &Arbiter{Config: cfg}
	a.state.Store(&State{ID: cfg.ID})
	return a, nil
}

// State returns what the arbiter is doing. It may be called concurrently.
func (a *Arbiter) State() State { return *a.state.Load() }

// Run follows and leads until the context ends, and then hands over. It returns
// nil: whatever fails is logged and tried again.
func (a *Arbiter) Run(ctx context.Context) error {
	// A blocking read does not heed its context: interrupt it.
	stop := context.AfterFunc(ctx, a.Log.Interrupt)
	defer stop()
	pause := minPause
	for ctx.Err() == nil {
		err := a.step(ctx)
		a.publish()
		if ctx.Err() != nil {
			break
		}
		if err == nil && a.behind {
			continue // no trouble yet, and no end of one: what follows may be unreadable
		}
		a.trouble.note(a.Logger, a.Clock.Now(), err)
		if err == nil {
			pause = minPause
			continue
		}
		a.Clock.Sleep(ctx, pause)
		pause = min(2*pause, maxPause)
	}
	a.handOver()
	a.publish()
	return nil
}

// step does one round of following or leading. It returns an error when Redis
// is to be tried again later.
func (a *Arbiter) step(ctx context.Context) error {
	if a.lead == nil {
		return a.follow(ctx)
	}
	err := a.lead.round(ctx)
	if errors.Is(err, events.ErrFenced) || errors.Is(err, events.ErrDiverged) {
		a.drop(err)
		return nil
	}
	if err != nil {
		a.lead.watch.disturbed = true
	}
	return err
}

// drop ends a leadership that was lost. The ledger may have run ahead of the
// history and goes with it.
func (a *Arbiter) drop(why error) {
	a.Logger.Warn("leadership lost", "epoch", a.lead.standing.Epoch, "reason", why)
	a.lead = nil
	a.rest()
	a.forget()
	a.next = time.Time{}
}

// publish makes the present state visible to others.
func (a *Arbiter) publish() {
	s := *a.state.Load()
	s.Leading = a.lead != nil
	if l := a.ledger; l != nil {
		s.Incarnation, s.Epoch, s.Sequence = l.Incarnation(), l.Epoch(), l.Sequence()
		s.Charged, s.Containers, s.Refused = l.Charged(), l.Containers(), l.Refused()
	}
	if s.Leading {
		s.Leader, s.CaughtUp = a.ID, true
	}
	if s != *a.state.Load() {
		a.state.Store(&s)
	}
}

// noteLeader remembers who leads, and logs a change.
func (a *Arbiter) noteLeader(id string) {
	a.seen = true
	s := *a.state.Load()
	if s.Leader == id && s.CaughtUp {
		return
	}
	a.Logger.LogAttrs(context.Background(), slog.LevelInfo, "following", slog.String("leader", id))
	s.Leader, s.CaughtUp = id, true
	a.state.Store(&s)
}
