package client

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/conncord/conncord/client/internal/pool"
	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
)

// A Coordinator takes part in a budget for one container: it keeps the
// container's lease and makes its pools follow it.
type Coordinator struct {
	cfg  Config
	id   string
	born time.Time
	log  *slog.Logger
	post *events.Post
	gate *pool.Gate

	ctx    context.Context // of the goroutines
	cancel context.CancelFunc
	wg     sync.WaitGroup

	courierBell chan struct{} // something may have to be sent
	keeperBell  chan struct{} // the limit may have changed
	samplerBell chan struct{} // there is a new pool
	heartBell   chan struct{} // a heartbeat may be needed
	diary       chan func()   // log lines to be written

	sending sync.Mutex // held while an intent is made and sent, so that they arrive in order

	mu      sync.Mutex
	machine *lease.Machine
	// When courier, keeper and heart wake by themselves; each sets its own.
	courierWakes, keeperWakes time.Time
	heartWakes                time.Time
	demand                    demand
	pools                     []*member
	changed                   chan struct{} // closed, and replaced, when the grant changes
	told                      Grant         // what was last made known
	refusal                   events.Reason // why the arbiter does not accept the container
	admission                 pool.Admission
	crowded                   bool // the database itself is full, as far as was said
	watchers                  map[chan Grant]struct{}
	redis                     outage
	closed                    bool

	opening sync.Mutex
	db      *sql.DB // of Session
}

// New joins the budget and returns when the arbiter has answered, or when
// JoinWithin has passed and the container goes on in local mode. It returns an
// error when the configuration cannot be used, the arbiter refuses the container
// ([ErrRefused]) or the context ends first. The context bounds the joining alone.
func New(ctx context.Context, cfg Config) (*Coordinator, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("conncord: %w", err)
	}
	id := cfg.Container + randomPart()
	post, err := events.OpenPost(cfg.RedisURL, cfg.Budget, id)
	if err != nil {
		return nil, fmt.Errorf("conncord: %w", err)
	}
	c := &Coordinator{
		cfg: cfg, id: id, born: time.Now(), post: post,
		log:         cfg.Logger.With("container", id, "service", cfg.Service),
		courierBell: make(chan struct{}, 1),
		keeperBell:  make(chan struct{}, 1),
		samplerBell: make(chan struct{}, 1),
		heartBell:   make(chan struct{}, 1),
		diary:       make(chan func(), diaryRoom),
		changed:     make(chan struct{}),
		watchers:    map[chan Grant]struct{}{},
	}
	c.gate = pool.NewGate(pool.GateOptions{Logger: c.log, OnChange: func() { ring(c.courierBell) }})
	c.machine = lease.New(lease.Config{
		Container: id, Host: cfg.Host, Service: cfg.Service, Strict: cfg.Strict, TTL: cfg.TTL,
		Local: cfg.LocalConns, JoinWithin: cfg.JoinWithin,
	}, time.Now(), 0)
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for _, run := range []func(){c.listen, c.deliver, c.keep, c.sample, c.beat, c.narrate} {
		c.wg.Go(run)
	}
	if err := c.join(ctx); err != nil {
		_ = c.Close(ctx)
		return nil, fmt.Errorf("conncord: %w", err)
	}
	return c, nil
}

// FromEnv is [New] with what [ConfigFromEnv] reads.
func FromEnv(ctx context.Context) (*Coordinator, error) {
	cfg, err := ConfigFromEnv()
	if err != nil {
		return nil, fmt.Errorf("conncord: %w", err)
	}
	return New(ctx, cfg)
}

// join waits for the first answer.
func (c *Coordinator) join(ctx context.Context) error {
	return c.await(ctx, func(now time.Time) (bool, error) {
		if c.refusal != events.NoReason {
			return false, fmt.Errorf("%w: %v", ErrRefused, c.refusal)
		}
		return c.machine.Mode(now) != lease.Joining, nil
	})
}

// await returns when the condition holds or fails, or the context or the
// coordinator ends. The condition is called with the lock held.
func (c *Coordinator) await(ctx context.Context, condition func(now time.Time) (bool, error)) error {
	for {
		c.mu.Lock()
		done, err := condition(time.Now())
		if err == nil && !done && c.closed {
			err = ErrClosed
		}
		changed := c.changed
		c.mu.Unlock()
		if done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ID returns the container's id.
func (c *Coordinator) ID() string { return c.id }

// Grant returns what the container may hold now.
func (c *Coordinator) Grant() Grant {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.grantLocked(time.Now())
}

// Open returns how many physical connections the container has now, those that
// are being opened or closed included.
func (c *Coordinator) Open() int { return c.gate.Open() }

// Changes returns a channel that gets the grant whenever it changes. A slow
// receiver gets the newest and misses those in between. Call stop when the
// channel is no longer needed; [Coordinator.Close] closes it.
func (c *Coordinator) Changes() (changes <-chan Grant, stop func()) {
	ch := make(chan Grant, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		close(ch)
		return ch, func() {}
	}
	c.watchers[ch] = struct{}{}
	return ch, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, ok := c.watchers[ch]; ok {
			delete(c.watchers, ch)
			close(ch)
		}
	}
}

// ring wakes a goroutine without waiting for it.
func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
