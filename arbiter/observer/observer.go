package observer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/events"
)

// Config says where to look. URL and Budget must be set.
type Config struct {
	// URL names the database: postgres://user:password@host:5432/database?sslmode=require. It should be a direct
	// connection: what a connection pooler shows is its own.
	URL string

	// Budget is the budget whose containers' connections are ours.
	Budget string

	// Platform are the roles whose connections are the platform's own; nil means [DefaultPlatform].
	Platform []string

	// Logger is told when rights are missing, and when they are there again. Nil means none.
	Logger *slog.Logger
}

// An Observer looks at one database over one connection, which it opens when it needs it. Its methods may be called
// concurrently; they take turns.
type Observer struct {
	budget   string
	platform map[string]bool
	pg       *pgx.ConnConfig

	life context.Context // ends with Close, and whatever is under way with it
	end  context.CancelFunc

	mu     sync.Mutex
	closed bool
	line   *line // nil: not connected
	pacer  pacer
	uses   uses
	rights rights
}

// New returns an observer. It checks the configuration and does not connect.
func New(cfg Config) (*Observer, error) {
	if err := events.CheckBudget(cfg.Budget); err != nil {
		return nil, fmt.Errorf("observer: %w", err)
	}
	if cfg.URL == "" {
		return nil, errors.New("observer: no database is named: set a URL")
	}
	pg, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("observer: %w", urlError(cfg.URL, err))
	}
	pg.RuntimeParams["application_name"] = events.ObserverName(cfg.Budget)
	roles := cfg.Platform
	if roles == nil {
		roles = DefaultPlatform()
	}
	o := &Observer{budget: cfg.Budget, platform: make(map[string]bool), pg: pg, uses: newUses()}
	for _, role := range roles {
		o.platform[role] = true
	}
	o.rights.log = cfg.Logger
	if o.rights.log == nil {
		o.rights.log = slog.New(slog.DiscardHandler)
	}
	o.life, o.end = context.WithCancel(context.Background())
	return o, nil
}

// Look looks once. It connects if there is no connection, unless an attempt has failed a moment ago: then it returns
// why at once. It takes no longer than [DialTimeout] and [LookTimeout] together.
func (o *Observer) Look(ctx context.Context) (Look, error) {
	var look Look
	err := o.ask(ctx, "look at the database", func(ctx context.Context, conn *pgx.Conn) error {
		s, err := see(ctx, conn, o.uses)
		if err != nil {
			return err
		}
		look = o.count(s)
		o.rights.tell(s.settings, &look)
		return nil
	})
	return look, err
}

// ask runs one exchange with the database.
func (o *Observer) ask(ctx context.Context, what string, exchange func(context.Context, *pgx.Conn) error) (err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(o.life, cancel)()
	if o.line == nil {
		if wait := o.pacer.wait(time.Now()); wait > 0 {
			return fmt.Errorf("not trying again for %v: %w", wait.Round(time.Millisecond), o.pacer.failure)
		}
		o.line, err = newLine(ctx, o.pg)
		if err != nil {
			o.line = nil
			o.pacer.failed(time.Now(), err)
			return err
		}
	}
	ctx, cancelExchange := context.WithTimeout(ctx, LookTimeout)
	defer cancelExchange()
	err = exchange(ctx, o.line.conn)
	if err == nil || errors.Is(err, ErrMayNotEnd) { // an answer, too
		o.pacer.succeeded()
		return err
	}
	err = fmt.Errorf("%s: %w", what, err)
	o.line.kill()
	o.line = nil
	o.pacer.failed(time.Now(), err)
	return err
}

// Rest closes the connection until the next call needs one.
func (o *Observer) Rest(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.line != nil {
		o.line.close(ctx)
		o.line = nil
	}
}

// Close closes the connection. What is under way is broken off. Further calls do nothing.
func (o *Observer) Close(ctx context.Context) error {
	o.end()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.line != nil {
		o.line.close(ctx)
		o.line = nil
	}
	return nil
}
