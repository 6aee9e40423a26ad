package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/cmd/internal/cli"
)

// The program's exit statuses.
const (
	ExitOK         = 0
	ExitFailure    = 1 // something could not be read, found or written
	ExitUsage      = 2 // the settings cannot work
	ExitDivergence = 3 // the history is not what was published
)

// errUsage is wrapped by errors about what was given on the command line.
var errUsage = errors.New("wrong usage")

// A replay is one run of the program.
type replay struct {
	*options
	terminal       cli.Terminal // of the standard output
	stdout, stderr io.Writer
	progress       bool // it may be shown on the standard error
	log            *slog.Logger
	now            time.Time
}

// commands are what the program can do.
var commands = map[string]func(*replay, context.Context) error{
	"verify": (*replay).verify, "status": (*replay).status, "timeline": (*replay).timeline,
	"explain": (*replay).explain, "diff": (*replay).diff, "whatif": (*replay).whatif,
	"tail": (*replay).tail, "export": (*replay).export, "import": (*replay).bring, "archive": (*replay).archive,
}

// Run runs the program until it is done, the user ends it, it gets SIGTERM, SIGINT or
// SIGHUP, or the context ends, and returns its exit status.
func Run(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	o, command, done, err := parse(args, env, stdout)
	if done && err == nil {
		return ExitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return ExitUsage
	}
	r := &replay{
		options: &o, stdout: stdout, stderr: stderr, now: time.Now(),
		terminal: cli.Look(env, stdin, stdout, o.NoColor),
		progress: cli.Look(env, stdin, stderr, o.NoColor).Is,
		log:      slog.New(slog.NewTextHandler(stderr, nil)),
	}
	err = commands[command](r, ctx)
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintf(stderr, "%s: ended before it was done\n", program)
		return ExitFailure
	}
	return r.exit(err)
}

// exit says what went wrong, and returns the exit status for that.
func (r *replay) exit(err error) int {
	var d *audit.Divergence
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errDiverged): // said already
		return ExitDivergence
	}
	fmt.Fprintf(r.stderr, "%s: %v\n", program, err)
	switch {
	case errors.As(err, &d):
		return ExitDivergence
	case errors.Is(err, errUsage), errors.Is(err, audit.ErrMoment):
		return ExitUsage
	}
	return ExitFailure
}

// complete ends a command whose answer was printed: with an error when a part of the
// history is not in it.
func complete(notice string, err error) error {
	if err == nil && notice != "" {
		return errors.New(notice)
	}
	return err
}

// print prints a value as JSON or as text.
func (r *replay) print(value any, text func(io.Writer) error) error {
	if !r.JSON {
		return text(r.stdout)
	}
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	_, err = r.stdout.Write(append(data, '\n'))
	return err
}
