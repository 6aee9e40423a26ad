package monitor

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/status"
)

// stateNames are those that Nagios plugins have, by exit status.
var stateNames = [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}

// maxReasons bounds the alerts that the line names: it is read on pagers.
const maxReasons = 3

// A verdict is the answer of a check.
type verdict struct {
	health status.Health
	text   string
}

// answer prints the verdict on one line and returns the exit status.
func answer(w io.Writer, v verdict) int {
	code := v.health.Code()
	fmt.Fprintf(w, "CONNCORD %s - %s\n", stateNames[code], status.Clean(v.text))
	return code
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
	return verdict{s.HealthAt(now), strings.ReplaceAll(text, "|", "/") + " | " + perfdata(s)}, nil
}

// perfdata are the numbers that are drawn over time: value;warn;crit;min;max. The
// projector's alerts decide; these only show where they begin.
func perfdata(s *status.Status) string {
	containers, waiting := 0, 0
	for _, service := range s.Services {
		containers += service.Count
		waiting += service.Waiting
	}
	few := alert.Few(s.Available)
	return fmt.Sprintf("allocated=%d;%d;%d;0;%d utilization=%.1f%%;%d;;0;100 remaining=%d;;%d:;0;%d external=%d;;;0 waiting=%d;;;0 containers=%d;;;0",
		s.TotalAllocated, s.Available*alert.HighUtilization/100, max(0, s.Available-few), s.Available,
		s.UtilizationPct, alert.HighUtilization, s.Remaining, few, s.Available, s.External, waiting, containers)
}
