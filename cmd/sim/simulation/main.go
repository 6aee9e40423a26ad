package simulation

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultSeeds is how many seeds are run unless somebody says otherwise.
const DefaultSeeds = 1000

// The exit statuses of Main.
const (
	ExitOK    = 0
	ExitFails = 1 // something did not hold
	ExitUsage = 2
)

// gcPercent trades memory, of which a world needs little, for speed.
const gcPercent = 1600

// tailLines is how much of the trace of a failure is shown.
const tailLines = 60

type options struct {
	seeds, from uint64
	plan, trace string
	one         int64
	quick       bool
}

// Main is the command: it runs many seeds, or one, or a plan from a file, and
// returns the exit status.
func Main(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("sim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Uint64Var(&o.seeds, "seeds", DefaultSeeds, "how many seeds to run")
	flags.Uint64Var(&o.from, "from", 0, "the first of them")
	flags.Int64Var(&o.one, "seed", -1, "run this seed alone")
	flags.StringVar(&o.plan, "plan", "", "run the plan in this file alone")
	flags.StringVar(&o.trace, "trace", "", "write the whole trace of -seed or -plan to this file")
	flags.BoolVar(&o.quick, "quick", false, "do not make a plan that fails smaller")
	if flags.Parse(args) != nil {
		return ExitUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "sim: %q is not an option: see -help\n", flags.Arg(0))
		return ExitUsage
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	switch {
	case o.plan != "":
		plan, err := ReadPlan(o.plan)
		if err != nil {
			fmt.Fprintln(stderr, "sim:", err)
			return ExitUsage
		}
		return o.runOne(plan, stdout, stderr)
	case o.one >= 0:
		return o.runOne(Generate(uint64(o.one)), stdout, stderr)
	}
	return o.runMany(stdout)
}

// ReadPlan reads a plan from a file.
func ReadPlan(name string) (*Plan, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	p := &Plan{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("%s is not a plan: %w", name, err)
	}
	return p, nil
}

func (o *options) runOne(plan *Plan, stdout, stderr io.Writer) int {
	trace := io.Discard
	if o.trace != "" {
		f, err := os.Create(o.trace)
		if err != nil {
			fmt.Fprintln(stderr, "sim:", err)
			return ExitUsage
		}
		defer f.Close()
		trace = f
	}
	r := Run(plan, trace)
	if r.Failure != nil {
		o.report(plan, r.Failure, stdout)
		return ExitFails
	}
	fmt.Fprintf(stdout, "sim: ok virtual_s=%.0f records=%d epochs=%d redis_lives=%d\n", r.Time.Seconds(), r.Records, r.Epochs, r.Lives)
	return ExitOK
}

// runMany runs the seeds, as many at a time as there are processors, until one
// fails.
func (o *options) runMany(stdout io.Writer) int {
	began := time.Now()
	var (
		next   atomic.Uint64
		wg     sync.WaitGroup
		mu     sync.Mutex
		sum    Result
		failed *Plan
		why    *Failure
	)
	next.Store(o.from)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				seed := next.Add(1) - 1
				mu.Lock()
				over := seed >= o.from+o.seeds || failed != nil && failed.Seed < seed
				mu.Unlock()
				if over {
					return
				}
				plan := Generate(seed)
				r := Run(plan, nil)
				mu.Lock()
				sum.add(r)
				// Of several that fail, the lowest, so that a run is the same each time.
				if r.Failure != nil && (failed == nil || seed < failed.Seed) {
					failed, why = plan, r.Failure
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if failed != nil {
		o.report(failed, why, stdout)
		return ExitFails
	}
	took := time.Since(began)
	fmt.Fprintf(stdout, "sim: ok seeds=%d seeds_per_s=%.1f virtual_hours=%.1f records=%d epochs=%d redis_lives=%d failed=0\n",
		o.seeds, float64(o.seeds)/took.Seconds(), sum.Time.Hours(), sum.Records, sum.Epochs, sum.Lives)
	return ExitOK
}

func (r *Result) add(o Result) {
	r.Time += o.Time
	r.Steps += o.Steps
	r.Records += o.Records
	r.Epochs += o.Epochs
	r.Lives += o.Lives
}

// report says what failed, with the smallest plan that still fails and the end of
// its trace.
func (o *options) report(plan *Plan, why *Failure, stdout io.Writer) {
	fmt.Fprintf(stdout, "sim: seed %d fails: %v\n", plan.Seed, why)
	fmt.Fprintf(stdout, "again: go run ./cmd/sim -seed %d\n", plan.Seed)
	if o.quick {
		return
	}
	small, r := Shrink(plan)
	fmt.Fprintf(stdout, "smaller, with %d of %d deeds: %v\n", len(small.Deeds), len(plan.Deeds), r.Failure)
	text, err := json.Marshal(small)
	if err != nil {
		panic(err) // a plan is made of nothing but values
	}
	fmt.Fprintf(stdout, "plan: %s\n", text)
	for _, d := range small.Deeds {
		fmt.Fprintf(stdout, "  %v\n", d)
	}
	var trace bytes.Buffer
	Run(small, &trace)
	lines := bytes.Split(bytes.TrimSpace(trace.Bytes()), []byte("\n"))
	fmt.Fprintf(stdout, "the end of its trace, of %d lines:\n", len(lines))
	for _, line := range lines[max(0, len(lines)-tailLines):] {
		fmt.Fprintf(stdout, "%s\n", line)
	}
}
