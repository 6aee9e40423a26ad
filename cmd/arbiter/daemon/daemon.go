package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"syscall"

	"github.com/oklog/run"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/events"
)

// The program's exit statuses.
const (
	ExitOK      = 0 // it was told to end, and handed over
	ExitFailure = 1 // it could not go on
	ExitUsage   = 2 // it did not start: the settings cannot work
)

// Run runs the program until it gets SIGTERM or SIGINT or the context ends, and
// returns its exit status.
func Run(ctx context.Context, args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == healthcheck {
		return checkHealth(ctx, args[1:], env, stdout, stderr)
	}
	opts, done, err := parse(args, env, stdout)
	if done {
		return ExitOK
	}
	var s settings
	if err == nil {
		s, err = opts.check()
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return ExitUsage
	}
	log := opts.logger(stderr)
	for _, text := range s.warnings {
		log.Warn(text)
	}
	if err := serve(ctx, s, log, stdout); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return ExitFailure
	}
	return ExitOK
}

func (o *options) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(o.LogLevel)) // one of four that parse allows
	how := &slog.HandlerOptions{Level: level}
	if o.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, how))
	}
	return slog.New(slog.NewTextHandler(w, how))
}

// lookout returns what the arbiter sees the database by; nil if it is not to.
func (s *settings) lookout(log *slog.Logger) (*observer.Lookout, error) {
	if s.observer == nil {
		return nil, nil
	}
	s.observer.Logger = log
	o, err := observer.New(*s.observer)
	if err != nil {
		return nil, err
	}
	return observer.NewLookout(o), nil
}

// serve runs the actors until one of them ends. Then all are interrupted in the
// order in which they stand here.
func serve(ctx context.Context, s settings, log *slog.Logger, stdout io.Writer) error {
	log = log.With("budget", s.budget)
	var embedded *embeddedRedis
	if s.embeddedAddr != "" {
		var err error
		if embedded, err = startEmbedded(s.embeddedAddr); err != nil {
			return err
		}
		defer embedded.close()
		s.redisURL = embedded.url()
		log.Warn("the embedded Redis is not for production: all data ends with this process", "url", s.redisURL)
		fmt.Fprintf(stdout, "REDIS_URL=%s\n", s.redisURL)
	}
	eventLog, err := events.OpenLog(s.redisURL, s.budget)
	if err != nil {
		return err
	}
	defer eventLog.Close()
	eventLog.Retain(s.retention)
	s.arbiter.Log, s.arbiter.Logger = eventLog, log
	lookout, err := s.lookout(log)
	if err != nil {
		return err
	}
	if lookout != nil {
		s.arbiter.Lookout = lookout
	}
	arb, err := arbiter.New(s.arbiter)
	if err != nil {
		return err
	}
	shown, err := s.watching.open(&s, arb, log)
	if err != nil {
		return err
	}
	defer shown.Close()

	var group run.Group
	{
		// Signals. First, because it holds nothing: when another actor fails, it
		// just stops listening.
		group.Add(run.SignalHandler(ctx, syscall.SIGTERM, syscall.SIGINT))
	}
	resigned := make(chan struct{})
	{
		// The arbiter, once Redis is there. Interrupted, it commits what is under
		// way and resigns, for which it needs Redis: so before what runs Redis.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		group.Add(func() error {
			defer close(resigned)
			if err := awaitRedis(ctx, s.redisURL, log); err != nil {
				return err
			}
			return arb.Run(ctx)
		}, func(error) { cancel() })
	}
	if lookout != nil {
		// The lookout to the database. After the arbiter, which asks it; it writes
		// nothing, so that nothing is lost when it ends at once.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		group.Add(func() error { return lookout.Run(ctx) }, func(error) { cancel() })
	}
	{
		// The projector, which lets another one publish when it ends.
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		group.Add(func() error { return shown.Project(ctx) }, func(error) { cancel() })
	}
	if shown.URL() != "" {
		// What is served over HTTP. After the projector: whoever still watches sees
		// the last of it.
		group.Add(shown.Serve, func(error) { shown.Shutdown() })
	}
	if embedded != nil {
		// The embedded Redis. Last, and not before the arbiter has resigned.
		group.Add(func() error {
			embedded.wait()
			return nil
		}, func(error) {
			<-resigned
			embedded.close()
		})
	}
	err = group.Run()
	if errors.Is(err, run.ErrSignal) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		log.Info("ended", "cause", err)
		return nil
	}
	return err
}
