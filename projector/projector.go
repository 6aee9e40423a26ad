package projector

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/fold"
	"github.com/conncord/conncord/projector/status"
)

// A Projector follows the history of one budget.
type Projector struct {
	Config
	bell chan struct{} // rings when the state has changed

	newest atomic.Pointer[status.Status]

	mu      sync.Mutex
	changed chan struct{}
	state   *fold.State
	loaded  bool         // the state is that of the history, as far as it was read
	series  series       // of samples
	gap     gap          // the newest
	trouble trouble      // of the folding goroutine
	glance  glance       // the newest
	board   *alert.Board // of the publishing goroutine, like all that follows

	office office
	sent   []status.Alert // that the herald was told of
	made   time.Time      // when the newest status was made
	took   time.Duration  // how long that took
}

// A gap is that the history did not go on where it was read to.
type gap struct {
	at    time.Time
	what  string
	count uint64 // since the beginning
}

// A trouble is that something cannot be done at present.
type trouble struct {
	since time.Time // zero: there is none
	err   error
}

// note takes how something ended, and reports whether that is news.
func (t *trouble) note(now time.Time, err error) bool {
	news := (err == nil) != t.since.IsZero()
	switch {
	case err == nil:
		*t = trouble{}
	case t.since.IsZero():
		*t = trouble{now, err}
	default:
		t.err = err
	}
	return news
}

// A glance is what was last seen beside the history.
type glance struct {
	events.Glance
	at      time.Time // zero: nothing was seen yet
	trouble trouble
}

// New returns a projector that does nothing until Run.
func New(cfg Config) (*Projector, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Projector{
		Config: cfg, bell: make(chan struct{}, 1), changed: make(chan struct{}),
		state: fold.New(), board: alert.NewBoard(cfg.Expect),
	}, nil
}

// Run follows the history and publishes the status until the context ends. It
// returns nil: whatever fails is logged, shown in the status and tried again.
func (p *Projector) Run(ctx context.Context) error {
	// A blocking read does not heed its context: interrupt it.
	stop := context.AfterFunc(ctx, p.Log.Interrupt)
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { p.follow(ctx) })
	wg.Go(func() { p.publish(ctx) })
	wg.Wait()
	p.leave()
	return nil
}

// Status returns the newest status; nil before there is any. It must not be
// changed.
func (p *Projector) Status() *status.Status { return p.newest.Load() }

// Changed returns a channel that is closed when there is another status.
func (p *Projector) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// Samples returns what a chart of the last hour needs, oldest first.
func (p *Projector) Samples() []status.Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.series.all()
}

// Leaders returns the timeline of leaders, the newest last. It must not be
// changed.
func (p *Projector) Leaders() []status.Leadership {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Leaderships()
}

// Counts are a projector's own figures.
type Counts struct {
	fold.Counts        // what was folded since it began
	Gaps        uint64 // how often the history did not go on where it was read to
}

// Counts returns the projector's figures.
func (p *Projector) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Counts{p.state.Counts(), p.gap.count}
}

// CaughtUp reports whether the status shows all of the history but what was
// written within the last moment.
func (p *Projector) CaughtUp() bool {
	s := p.Status()
	return s != nil && s.Lag <= maxRead && !s.Degraded
}

// ring wakes the publishing goroutine without waiting for it.
func (p *Projector) ring() {
	select {
	case p.bell <- struct{}{}:
	default:
	}
}

// say logs something that changed.
func (p *Projector) say(level slog.Level, text string, args ...any) {
	p.Logger.Log(context.Background(), level, text, args...)
}
