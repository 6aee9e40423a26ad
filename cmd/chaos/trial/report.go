package trial

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
)

const (
	// logBefore is how much of the log before the first violation is told.
	logBefore = 8 * time.Second

	// maxTold is how many violations are told.
	maxTold = 10
)

// A report is what a run says. It is safe for concurrent use.
type report struct {
	diary  *world.Diary
	totals judge.Totals

	mu    sync.Mutex
	out   io.Writer
	began time.Time
	said  []string // the schedule up to now
}

// say says a line, with the time since the begin.
func (p *report) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("%8.3fs  %s", time.Since(p.began).Seconds(), fmt.Sprintf(format, args...))
	p.said = append(p.said, line)
	fmt.Fprintln(p.out, line)
}

// A result is what a run came to.
type result struct {
	faults, kinds int
	took          time.Duration
	limits        judge.Tally
	clients       judge.FailureTally
	maximum       time.Duration
	regrants      []time.Duration // sorted
	violations    []violation
}

// result sums a run up.
func (r *run) result() result {
	res := result{took: time.Since(r.out.began)}
	if r.limits != nil {
		res.limits, res.clients = r.limits.Finish(), r.clients.Tally()
	}
	seen := map[string]bool{}
	for _, round := range r.rounds {
		res.maximum = max(res.maximum, round.recovery)
		for _, name := range round.faults {
			res.faults++
			seen[name] = true
		}
	}
	res.kinds = len(seen)
	r.mu.Lock()
	defer r.mu.Unlock()
	res.violations = r.violations
	res.regrants = slices.Sorted(slices.Values(r.regrants))
	return res
}

func (r *result) String() string {
	text := fmt.Sprintf("faults=%d kinds=%d minutes=%.1f refused=%d over_limit=%d max_recovery_ms=%d",
		r.faults, r.kinds, r.took.Minutes(), r.clients.Refused, r.limits.OverLimit, r.maximum.Milliseconds())
	if n := len(r.regrants); n > 0 {
		text += fmt.Sprintf(" max_regrant_ms=%d median_regrant_ms=%d", r.regrants[n-1].Milliseconds(), r.regrants[n/2].Milliseconds())
	}
	return text
}

// lastLine is the line that a script reads, and the exit status.
func (r *result) lastLine() (string, int) {
	switch {
	case len(r.violations) > 0:
		return fmt.Sprintf("chaos: FAILED %s: %v", oneLine(r.violations[0].err.Error()), r), ExitFailed
	case r.faults == 0:
		return fmt.Sprintf("chaos: FAILED nothing went wrong, so nothing was tried: %v", r), ExitFailed
	}
	return "chaos: ok " + r.String(), ExitOK
}

// A row is one kind of fault in the summary.
type row struct {
	name              string
	count             int
	recovery, barrier time.Duration // the longest; from faults behind a barrier
}

// rows sums the rounds up by kind, the slowest first.
func rows(rounds []round) []*row {
	byName := map[string]*row{}
	var all []*row
	for _, round := range rounds {
		for _, name := range round.faults {
			r := byName[name]
			if r == nil {
				r = &row{name: name}
				byName[name] = r
				all = append(all, r)
			}
			r.count++
			if round.barrier {
				r.barrier = max(r.barrier, round.recovery)
			} else {
				r.recovery = max(r.recovery, round.recovery)
			}
		}
	}
	slices.SortFunc(all, func(a, b *row) int {
		return cmp.Or(cmp.Compare(b.recovery, a.recovery), cmp.Compare(a.name, b.name))
	})
	return all
}

// summary tells how a run went, kind by kind.
func (r *run) summary(res *result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-22s %6s %22s %18s\n", "kind", "faults", "longest recovery, ms", "behind a barrier")
	for _, l := range rows(r.rounds) {
		fmt.Fprintf(&b, "%-22s %6d %22d %18d\n", l.name, l.count, l.recovery.Milliseconds(), l.barrier.Milliseconds())
	}
	fmt.Fprintf(&b, "sessions %d; failures that faults explain: %s; refused while others had filled the database: %d\n",
		res.clients.Sessions, cmp.Or(res.clients.Explained, "none"), res.clients.Expected)
	if n := len(res.regrants); n > 0 {
		fmt.Fprintf(&b, "killed with kill -9 and measured %d: granted to others after %d to %d ms\n",
			n, res.regrants[0].Milliseconds(), res.regrants[n-1].Milliseconds())
	}
	t := res.limits
	fmt.Fprintf(&b, "connections counted %d times, %.1f ms apart, at worst %.0f; at most %d at a time; above what was available %d times, by at most %d, explained by known limits; with strangers and arbiters at most %d\n",
		t.Counts, t.Every().Seconds()*1000, t.Longest.Seconds()*1000, t.Peak, t.Excused, t.MostOver, t.PeakAll)
	fmt.Fprintf(&b, "records derived again %d, incarnations %d, leaderships %d\n",
		r.out.totals.Records, r.out.totals.Incarnations, r.out.totals.Leaderships)
	return b.String()
}

// evidence tells what went wrong, and what the processes logged around it.
func (r *run) evidence(res *result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d. Violations:\n", r.opts.seed)
	for _, v := range res.violations[:min(maxTold, len(res.violations))] {
		fmt.Fprintf(&b, "%8.3fs  %v\n", v.at.Sub(r.out.began).Seconds(), v.err)
	}
	fmt.Fprintf(&b, "\nThe faults up to there:\n%s\n", strings.Join(r.out.said, "\n"))
	fmt.Fprintf(&b, "\nWhat was logged around the first one:\n%s", r.out.diary.Since(res.violations[0].at.Add(-logBefore)))
	return b.String()
}

// oneLine makes a single line of a text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
