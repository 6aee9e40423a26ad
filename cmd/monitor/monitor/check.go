package monitor

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/conncord/conncord/projector/status"
)

// The states of a check, which are its exit statuses, as Nagios plugins have
// them.
const (
	stateOK       = 0
	stateWarning  = 1
	stateCritical = 2
	stateUnknown  = 3
)

var stateNames = [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}

// Where the projector's alerts begin, for those who draw a line there. They
// decide; these only show where.
const (
	warnPercent   = 75 // utilization above this
	critRemaining = 5  // fewer remaining than this; of a small database a tenth
)

// maxReasons bounds the alerts that the line names: it is read on pagers.
const maxReasons = 3

// A verdict is the answer of a check.
type verdict struct {
	state int
	text  string
}

// answer prints the verdict on one line and returns the exit status.
func answer(w io.Writer, v verdict) int {
	fmt.Fprintf(w, "CONNCORD %s - %s\n", stateNames[v.state], status.Clean(v.text))
	return v.state
}

// check judges the newest status. An error says that there is none to judge.
func check(ctx context.Context, src source, e *expectation, clock func() time.Time) (verdict, error) {
	s, _, err := read(ctx, src)
	if err != nil {
		return verdict{}, err
	}
	now := clock()
	s = e.add(s, now)
	text := fmt.Sprintf("%d/%d connections (%.1f%%), %d remaining", s.TotalAllocated, s.Available, s.UtilizationPct, s.Remaining)
	v := verdict{state: stateUnknown}
	switch s.HealthAt(now) {
	case status.Healthy:
		v.state = stateOK
	case status.Warning:
		v.state = stateWarning
	case status.Critical:
		v.state = stateCritical
	}
	if s.Stale(now) {
		text += fmt.Sprintf("; stale: published %s ago, is an arbiter running?", status.Ago(s.Age(now)))
	}
	for i, a := range s.Alerts {
		if i == maxReasons {
			text += fmt.Sprintf("; and %d more alerts", len(s.Alerts)-i)
			break
		}
		text += "; " + strings.TrimSuffix(a.Summary, ".")
	}
	// What follows a bar is for programs: there is only one.
	v.text = strings.ReplaceAll(text, "|", "/") + " | " + perfdata(s)
	return v, nil
}

// perfdata are the numbers that are drawn over time: value;warn;crit;min;max.
func perfdata(s *status.Status) string {
	containers, waiting := 0, 0
	for _, service := range s.Services {
		containers += service.Count
		waiting += service.Waiting
	}
	few := min(critRemaining, max(1, s.Available/10))
	return fmt.Sprintf("allocated=%d;%d;%d;0;%d utilization=%.1f%%;%d;;0;100 remaining=%d;;%d:;0;%d external=%d;;;0 waiting=%d;;;0 containers=%d;;;0",
		s.TotalAllocated, s.Available*warnPercent/100, max(0, s.Available-few), s.Available,
		s.UtilizationPct, warnPercent, s.Remaining, few, s.Available, s.External, waiting, containers)
}
