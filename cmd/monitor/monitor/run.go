package monitor

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/projector/status"
)

// The program's exit statuses. With --check they are those of a check.
const (
	ExitOK      = 0 // it showed what was to be shown
	ExitFailure = 1 // there was nothing to show
	ExitUsage   = 2 // the settings cannot work
)

// Run runs the program until the user ends it, it gets SIGTERM, SIGINT or SIGHUP,
// or the context ends, and returns its exit status.
func Run(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	return runOn(ctx, args, env, stdin, stdout, stderr, openSource)
}

func runOn(ctx context.Context, args []string, env func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer, open func(*options) (source, error)) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	fail := func(exit int, err error) int {
		if isCheck(args) {
			return answer(stdout, verdict{status.Unknown, err.Error()})
		}
		fmt.Fprintf(stderr, "%s: %v\n", program, err)
		return exit
	}
	o, done, err := parse(args, env, stdout)
	if done {
		return ExitOK
	}
	if err != nil {
		return fail(ExitUsage, err)
	}
	src, err := open(&o)
	if err != nil {
		return fail(ExitUsage, err)
	}
	defer src.Close()

	t := cli.Look(env, stdin, stdout, o.NoColor)
	switch {
	case o.Check:
		v, err := check(ctx, src, newExpectation(o.expected()), time.Now)
		if err != nil {
			return fail(ExitFailure, err)
		}
		return answer(stdout, v)
	case o.JSON:
		err = printJSON(ctx, src, stdout)
	case o.Once || !t.Live:
		err = printOnce(ctx, src, &o, printing(t, &o), stdout)
	default:
		err = live(ctx, src, &o, t, env, stdin, stdout)
	}
	if err != nil {
		return fail(ExitFailure, err)
	}
	return ExitOK
}

// isCheck reports whether a check was asked for, also when the other arguments
// cannot be read: who asked for one understands nothing but its exit statuses.
func isCheck(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		return arg == "--check" || strings.HasPrefix(arg, "--check=") && arg != "--check=false"
	})
}
