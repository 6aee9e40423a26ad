// Package page runs a projector and shows what it sees over HTTP, for programs that
// run an arbiter.
package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/metrics"
	"github.com/conncord/conncord/projector/web"
)

// The limits of what is served.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10

	// drainFor is how long answers under way may take when the program ends.
	drainFor = time.Second
)

// A Config says what is to be shown, and where.
type Config struct {
	RedisURL, Budget string
	Arbiter          *arbiter.Arbiter
	Expect           []string // services that should have containers
	Webhook          string   // URL to which alerts are posted; empty: none
	Addr             string   // to listen on; empty: nothing is served
	Hosts            []string // names under which it may be asked for; none: any, or on a loopback address its own
	Version          string   // of the program
	Logger           *slog.Logger
}

// A Page is a projector and all that shows what it sees.
type Page struct {
	log       *events.Log
	projector *projector.Projector
	webhook   *alert.Webhook // nil: none
	listener  net.Listener   // nil: nothing is served
	server    *http.Server
	stop      context.CancelFunc // of the requests under way
}

// Open prepares the projector and opens the address, so that one that is taken is
// known before anything starts. Close must be called when nothing runs any more.
func Open(cfg Config) (*Page, error) {
	eventLog, err := events.OpenLog(cfg.RedisURL, cfg.Budget)
	if err != nil {
		return nil, err
	}
	p := &Page{log: eventLog}
	if err = p.prepare(cfg); err == nil && cfg.Addr != "" {
		err = p.listen(cfg)
	}
	if err != nil {
		return nil, errors.Join(err, eventLog.Close())
	}
	return p, nil
}

func (p *Page) prepare(cfg Config) (err error) {
	follow := projector.Config{
		Log: p.log, Budget: cfg.Budget, ID: cfg.Arbiter.State().ID, Expect: cfg.Expect, Logger: cfg.Logger,
	}
	if cfg.Webhook != "" {
		if p.webhook, err = alert.NewWebhook(cfg.Webhook, cfg.Logger); err != nil {
			return err
		}
		follow.Herald = p.webhook
	}
	p.projector, err = projector.New(follow)
	return err
}

func (p *Page) listen(cfg Config) (err error) {
	if p.listener, err = net.Listen("tcp", cfg.Addr); err != nil {
		return fmt.Errorf("serve the page: %w", err)
	}
	hosts := cfg.Hosts
	if len(hosts) == 0 {
		hosts = web.LoopbackHosts(p.listener.Addr().String())
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.server = &http.Server{
		Handler: web.Handler(web.Config{
			Source: p.projector, Logger: cfg.Logger, Hosts: hosts,
			Ready: func() (bool, string) { return ready(cfg.Arbiter, p.projector) },
			Metrics: metrics.Handler(metrics.Config{
				Budget: cfg.Budget, Source: p.projector, Arbiter: cfg.Arbiter, Version: cfg.Version, Logger: cfg.Logger,
			}),
		}),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelDebug),
	}
	cfg.Logger.Info("serving the page", "url", p.URL())
	return nil
}

// URL is where the page is; empty: it is not served.
func (p *Page) URL() string {
	if p.listener == nil {
		return ""
	}
	return "http://" + p.listener.Addr().String() + "/"
}

// ready reports whether this arbiter is of use: it leads, or could take over at
// once.
func ready(arb *arbiter.Arbiter, p *projector.Projector) (bool, string) {
	state := arb.State()
	switch {
	case !state.CaughtUp:
		return false, "the arbiter has not read the history to its end"
	case !p.CaughtUp():
		if s := p.Status(); s != nil && len(s.Notices) > 0 {
			return false, s.Notices[0]
		}
		return false, "the projector has not read the history to its end"
	}
	return true, ""
}

// Project runs the projector, and the webhook, which ends after it: it may have
// something to post to the last.
func (p *Page) Project(ctx context.Context) error {
	var wg sync.WaitGroup
	posting, stop := context.WithCancel(context.WithoutCancel(ctx))
	if p.webhook != nil {
		wg.Go(func() { p.webhook.Run(posting) })
	}
	err := p.projector.Run(ctx)
	stop()
	wg.Wait()
	return err
}

// Serve answers requests until Shutdown. It is of no use without an address.
func (p *Page) Serve() error {
	if err := p.server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the page: %w", err)
	}
	return nil
}

// Shutdown ends the server: streams at once, other answers when they are through.
func (p *Page) Shutdown() {
	p.stop()
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	if p.server.Shutdown(ctx) != nil {
		_ = p.server.Close()
	}
}

// Close gives up what is still open when nothing runs any more.
func (p *Page) Close() {
	if p.listener != nil {
		_ = p.listener.Close() // closed already if the server ran
		p.stop()
	}
	_ = p.log.Close()
}
