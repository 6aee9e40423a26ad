// Package trial is chaos: it lets everything go wrong that can, and judges
// whether Conncord keeps its promises meanwhile.
//
// # What happens
//
// A world (package world) of real processes is under load all the time. Faults
// happen to it in rounds (round.go): one or two at the same time, in a brief run
// three, to different parts, each with a begin and an end; then everything must
// be whole again within a bounded time; then a short rest. The kinds of faults are in the files
// arbiters.go, containers.go, redis.go, links.go, database.go, kills.go, rests.go,
// strangers.go and eyes.go. They are dealt like cards (bag.go), so that each is as
// frequent as the others.
//
// Everything random follows from a seed, which is told, also whether the arbiters
// look at the database and whether they fence: some kinds need it. What a fault is done to
// also depends on how things are at that moment (who leads, for example), so a
// seed gives the same kinds again, not the same run to the millisecond.
//
// # What is judged
//
// See package judge. The first violation ends the run.
//
// # What is not done
//
// A container that keeps more connections beyond its lease than the reserve has
// room for makes the database refuse others: a known limit of Conncord, and a
// refused connection is never excused here. So only containers with few
// connections are paused for longer than their lease, cut off for longer than
// two, or started without Redis; see [stage.spare].
package trial

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/cmd/chaos/world"
)

// The exit statuses.
const (
	ExitOK     = 0
	ExitFailed = 1 // a promise was broken, or could not be judged
	ExitUsage  = 2 // the settings cannot work; nothing was started

	// exitSignal is added to the number of the signal that ended the run.
	exitSignal = 128
)

// Run runs chaos as the arguments and the environment say, and returns the exit
// status. The last line on stdout is the verdict.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	opts, err := readOptions(args, getenv, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return ExitOK
	case err != nil:
		fmt.Fprintln(stderr, err)
		return ExitUsage
	}
	redis.SetLogger(world.Silence{})
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return judged(ctx, opts, stdout, stderr)
}

// judged executes a run and tells how it went.
func judged(ctx context.Context, opts options, stdout, stderr io.Writer) int {
	r := &run{
		opts: opts, owners: map[string]string{}, loads: map[*world.Container]int{}, sessions: map[string]int64{},
		out: &report{out: stdout, began: time.Now()},
	}
	r.out.diary = world.NewDiary(r.heard)
	r.out.say("seed=%d duration=%v ttl=%v; 3 arbiters %v, 12 containers, %d connections", opts.seed, opts.duration, opts.ttl, opts.eyes, databaseLimit)
	r.execute(ctx)
	res := r.result()
	if ctx.Err() != nil && len(res.violations) == 0 {
		fmt.Fprintf(stdout, "chaos: interrupted %v\n", &res)
		return exitSignal + int(syscall.SIGINT)
	}
	fmt.Fprint(stdout, r.summary(&res))
	line, status := res.lastLine()
	if status != ExitOK {
		if len(res.violations) > 0 {
			fmt.Fprintln(stderr, r.evidence(&res))
		}
	}
	fmt.Fprintln(stdout, line)
	return status
}
