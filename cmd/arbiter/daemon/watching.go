package daemon

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/cmd/internal/page"
	"github.com/conncord/conncord/projector/alert"
)

const (
	// defaultHTTPAddr is where the page is served when nobody says where.
	defaultHTTPAddr = "127.0.0.1:8080"

	// httpOff is the address at which nothing is served.
	httpOff = "off"
)

// watching is how people and programs see what the arbiter does.
type watching struct {
	addr    string // empty: nothing is served
	chosen  bool   // the address was given: to serve nothing there is a failure
	hosts   []string
	expect  []string
	webhook string // empty: none
}

// watch checks how the budget is to be watched.
func (o *options) watch() (w watching, err error) {
	w = watching{addr: defaultHTTPAddr, chosen: o.HTTPAddr != "", expect: names(o.Expect), webhook: o.AlertWebhook, hosts: names(o.HTTPHosts)}
	if w.chosen {
		w.addr = o.HTTPAddr
	}
	if w.addr == httpOff {
		w.addr = ""
	} else if err := checkAddr(w.addr); err != nil {
		return w, fmt.Errorf("--http-addr (HTTP_ADDR): %w", err)
	}
	if err := alert.CheckExpected(w.expect); err != nil {
		return w, fmt.Errorf("--expect (CONNCORD_EXPECT): %w", err)
	}
	if w.webhook != "" {
		if err := alert.CheckURL(w.webhook); err != nil {
			return w, fmt.Errorf("--alert-webhook-url (ALERT_WEBHOOK_URL): %w", err)
		}
	}
	return w, nil
}

// open opens the page. The default address may be taken, by another arbiter of this
// machine; one that was chosen must be free.
func (w *watching) open(s *settings, arb *arbiter.Arbiter, log *slog.Logger) (*page.Page, error) {
	cfg := page.Config{
		RedisURL: s.redisURL, Budget: s.budget, Arbiter: arb, Expect: w.expect, Webhook: w.webhook,
		Addr: w.addr, Hosts: w.hosts, Version: cli.Version(), Logger: log,
	}
	p, err := page.Open(cfg)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return p, err
	}
	if w.chosen {
		return nil, fmt.Errorf("%w: choose another --http-addr (HTTP_ADDR), or %s", err, httpOff)
	}
	log.Warn("the page and the metrics are not served: the default address is taken; choose an --http-addr (HTTP_ADDR)", "error", err)
	cfg.Addr = ""
	return page.Open(cfg)
}

// checkAddr reports what is wrong with an address to listen on.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%q is not an address: write host:port, such as %s, or %s", addr, defaultHTTPAddr, httpOff)
	}
	return nil
}

// names returns the names in a list that commas separate.
func names(list string) (names []string) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}
