package service

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/conncord/conncord/client"
)

const (
	// goodbye bounds a graceful end: the longest query, and the arbiter's side
	// of it.
	goodbye = time.Second

	// joinWithin is longer than usual: a machine that is so busy that no answer
	// comes in time is no reason to begin uncoordinated here.
	joinWithin = 10 * time.Second

	// askWithin bounds one Request. The demand stays when it runs out.
	askWithin = 2 * time.Second
)

// Run is a service's life. It returns the exit status.
func Run(stdin io.Reader, stdout, stderr io.Writer) int {
	// The demo decides when its services end. SIGTERM ends one gracefully.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, stdin, stdout, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func serve(ctx context.Context, stdin io.Reader, stdout io.Writer, log *slog.Logger) (err error) {
	cfg, err := client.ConfigFromEnv()
	if err != nil {
		return err
	}
	k, err := kindOf(cfg.Service)
	if err != nil {
		return err
	}
	if cfg.MaxConns, err = strconv.Atoi(os.Getenv(MaxConnsVariable)); err != nil {
		return fmt.Errorf("%s: %w", MaxConnsVariable, err)
	}
	cfg.Container, cfg.JoinWithin, cfg.Logger = cfg.Service, joinWithin, log
	if err := habits(&cfg, &k); err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	orders := readOrders(stdin, cancel)
	c, err := client.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		if closing := c.Close(bye); err == nil && closing != nil {
			err = closing
		}
	}()
	p, err := k.open(ctx, c)
	if err != nil {
		return err
	}
	// A graceful end lets queries finish, so they have a context of their own.
	queries, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	load := newCallers(queries, k, p)
	out := json.NewEncoder(stdout)
	err = obey(ctx, c, load, orders, out)
	hurry := time.AfterFunc(goodbye, interrupt)
	load.stop()
	hurry.Stop()
	_ = out.Encode(reportOf(c, load)) // the last word, if somebody still listens
	return err
}

// habits applies what the environment says about the service's ways.
func habits(cfg *client.Config, k *kind) error {
	if text := os.Getenv(PaceVariable); text != "" {
		pace, err := strconv.Atoi(text)
		if err != nil || pace < 1 {
			return fmt.Errorf("%s is %q: set a whole number from 1", PaceVariable, text)
		}
		k.hold, k.rest = k.hold*time.Duration(pace), k.rest*time.Duration(pace)
	}
	if text := os.Getenv(JoinVariable); text != "" {
		within, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%s: %w", JoinVariable, err)
		}
		cfg.JoinWithin = within
	}
	return nil
}

func reportOf(c *client.Coordinator, load *callers) *Report {
	grant := c.Grant()
	r := &Report{Container: c.ID(), Mode: grant.Mode.String(), Open: c.Open(), Granted: grant.Conns, Want: grant.Want}
	load.report(r)
	return r
}

// obey follows orders and reports until the context ends.
func obey(ctx context.Context, c *client.Coordinator, load *callers, orders <-chan Order, out *json.Encoder) error {
	asks := make(chan int, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ask(ctx, c, asks)
	}()
	defer func() { <-done }()
	defer close(asks)
	tick := time.NewTicker(ReportEvery)
	defer tick.Stop()
	for {
		if err := out.Encode(reportOf(c, load)); err != nil {
			return nil // the demo is gone
		}
		select {
		case order := <-orders:
			load.keep(order.Hold)
			load.resize(min(max(order.Callers, 0), maxCallers))
			if load.kind.tells {
				latest(asks, max(1, order.Callers))
			}
		case <-load.bell:
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// ask tells the arbiter what the service wants, each time that it changes. What
// is granted shows in the reports.
func ask(ctx context.Context, c *client.Coordinator, asks <-chan int) {
	for n := range asks {
		within, cancel := context.WithTimeout(ctx, askWithin)
		_, _ = c.Request(within, n)
		cancel()
	}
}

// latest puts a value into a channel of one place, instead of an older one.
func latest(ch chan int, n int) {
	select {
	case <-ch:
	default:
	}
	ch <- n
}

// readOrders reads orders until the input ends, and then calls gone.
func readOrders(stdin io.Reader, gone func()) <-chan Order {
	orders := make(chan Order)
	go func() {
		defer gone()
		lines := bufio.NewScanner(stdin)
		for lines.Scan() {
			var order Order
			if json.Unmarshal(lines.Bytes(), &order) != nil {
				return
			}
			orders <- order
		}
	}()
	return orders
}
