package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/alert"
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

// A watch is the projector and all that shows what it sees.
type watch struct {
	log       *events.Log
	projector *projector.Projector
	webhook   *alert.Webhook // nil: none
	listener  net.Listener   // nil: nothing is served
	server    *http.Server
	stop      context.CancelFunc // of the requests under way
}

// open prepares a projector of its own for the arbiter, and the server.
func (w *watching) open(s *settings, arb *arbiter.Arbiter, log *slog.Logger) (*watch, error) {
	eventLog, err := events.OpenLog(s.redisURL, s.budget)
	if err != nil {
		return nil, err
	}
	h := &watch{log: eventLog}
	cfg := projector.Config{Log: eventLog, Budget: s.budget, ID: arb.State().ID, Expect: w.expect, Logger: log}
	if w.webhook != "" {
		if h.webhook, err = alert.NewWebhook(w.webhook, log); err != nil {
			return nil, errors.Join(err, eventLog.Close())
		}
		cfg.Herald = h.webhook
	}
	if h.projector, err = projector.New(cfg); err == nil {
		err = h.listen(w, arb, log)
	}
	if err != nil {
		return nil, errors.Join(err, eventLog.Close())
	}
	return h, nil
}

// listen opens the address, so that one that is taken is known before anything
// starts.
func (h *watch) listen(w *watching, arb *arbiter.Arbiter, log *slog.Logger) (err error) {
	if w.addr == "" {
		return nil
	}
	if h.listener, err = net.Listen("tcp", w.addr); err != nil {
		if w.chosen {
			return fmt.Errorf("serve the page: %w: choose another --http-addr (HTTP_ADDR), or %s", err, httpOff)
		}
		log.Warn("the page and the metrics are not served: the default address is taken; choose an --http-addr (HTTP_ADDR)", "error", err)
		return nil
	}
	hosts := w.hosts
	if len(hosts) == 0 {
		hosts = web.LoopbackHosts(h.listener.Addr().String())
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.server = &http.Server{
		Handler: web.Handler(web.Config{
			Source: h.projector, Logger: log, Hosts: hosts,
			Ready: func() (bool, string) { return ready(arb, h.projector) },
		}),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	log.Info("serving the page", "url", "http://"+h.listener.Addr().String()+"/")
	return nil
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

// project runs the projector, and the webhook, which ends after it: it may have
// something to post to the last.
func (h *watch) project(ctx context.Context) error {
	var wg sync.WaitGroup
	posting, stop := context.WithCancel(context.WithoutCancel(ctx))
	if h.webhook != nil {
		wg.Go(func() { h.webhook.Run(posting) })
	}
	err := h.projector.Run(ctx)
	stop()
	wg.Wait()
	return err
}

// serve answers requests until shutdown.
func (h *watch) serve() error {
	if err := h.server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the page: %w", err)
	}
	return nil
}

// shutdown ends the server: streams at once, other answers when they are through.
func (h *watch) shutdown() {
	h.stop()
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	if h.server.Shutdown(ctx) != nil {
		_ = h.server.Close()
	}
}

// close gives up what is still open when nothing runs any more.
func (h *watch) close() {
	if h.listener != nil {
		_ = h.listener.Close() // closed already if the server ran
		h.stop()
	}
	_ = h.log.Close()
}

// hostOf is where a health check reaches an address that is listened on.
func hostOf(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && (host == "" || strings.Trim(host, "0.:[]") == "") {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
