package observer

import (
	"context"
	"time"
)

// restTimeout bounds the closing of the connection of one who looks no longer.
const restTimeout = time.Second

// A Lookout looks at the database for somebody who must not wait for it: it takes
// one look at a time, in a goroutine of its own. Its methods may be called
// concurrently with Run.
type Lookout struct {
	observer *Observer
	asked    chan errand // room for one
	sights   chan Sight  // room for one
}

// An errand is a look, after backends are ended; or none any more.
type errand struct {
	id   uint64
	end  []Backend
	rest bool
}

// A Sight is what came of a look.
type Sight struct {
	ID    uint64 // that it was asked for with
	Look  Look
	Ended int   // of the backends that were to be ended before it
	Err   error // of either
}

// NewLookout returns a lookout that looks through the observer, which it owns.
func NewLookout(o *Observer) *Lookout {
	return &Lookout{observer: o, asked: make(chan errand, 1), sights: make(chan Sight, 1)}
}

// Ask asks for a look, after ending these backends. The look begins after the
// call. Whoever asks waits for the sight with its id, or rests, before it asks
// again.
func (l *Lookout) Ask(id uint64, end []Backend) {
	l.put(errand{id: id, end: end})
}

// put leaves an errand, in the place of one that was not begun: whoever asks after
// a rest must not wait for a look that never comes.
func (l *Lookout) put(e errand) {
	select {
	case <-l.asked:
	default:
	}
	select {
	case l.asked <- e:
	default: // somebody else asked meanwhile
	}
}

// Sight returns what came of the look that was asked for, once it is over.
func (l *Lookout) Sight() (Sight, bool) {
	select {
	case s := <-l.sights:
		return s, true
	default:
		return Sight{}, false
	}
}

// Rest says that no look is wanted for now. What was asked for is forgotten.
func (l *Lookout) Rest() { l.put(errand{rest: true}) }

// Run looks when it is asked to, until the context ends. Then it closes the
// observer and returns nil.
func (l *Lookout) Run(ctx context.Context) error {
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTimeout)
		defer cancel()
		_ = l.observer.Close(ctx)
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-l.asked:
			l.run(ctx, e)
		}
	}
}

func (l *Lookout) run(ctx context.Context, e errand) {
	if e.rest {
		ctx, cancel := context.WithTimeout(ctx, restTimeout)
		defer cancel()
		l.observer.Rest(ctx)
		l.Sight() // nobody waits for it any more
		return
	}
	s := Sight{ID: e.id}
	if len(e.end) > 0 {
		s.Ended, s.Err = l.observer.End(ctx, e.end)
	}
	look, err := l.observer.Look(ctx)
	s.Look = look
	if err != nil {
		s.Err = err
	}
	l.Sight() // of a look that nobody waits for any more
	l.sights <- s
}
