package status

import (
	"fmt"
	"strings"
	"time"
)

// The widest bar, in cells of 2 %, and the narrowest.
const (
	maxBar = 50
	minBar = 10
)

// maxPrintedAlerts bounds the alerts that are printed: some are about one service
// each.
const maxPrintedAlerts = 20

func (s *Status) configuration(o PrintOptions) []string {
	plan := strings.ToUpper(cut(o, s.Plan, 30))
	if plan == "" {
		plan = "none"
	}
	lines := []string{
		label("Budget:", cut(o, s.Budget, 40)),
		label("Plan:", plan),
		label("Max Connections:", number(s.MaxConnections)),
		label("Reserved for Supabase:", fmt.Sprintf("%s (%s)", number(s.Reserved), percent(Percent(s.Reserved, s.MaxConnections)))),
	}
	if s.External > 0 {
		lines = append(lines, label("Taken by Others:", number(s.External)))
	}
	return append(lines, label("Available for Apps:", number(s.Available)))
}

func (s *Status) usage(o PrintOptions) []string {
	health := s.HealthAt(o.Now)
	inUse, waiting := 0, 0
	for _, service := range s.Services {
		inUse += service.InUse
		waiting += service.Waiting
	}
	state := health.Label(o)
	if s.Degraded {
		state += " (degraded)"
	}
	lines := []string{
		label("Status:", state),
		label("Total Allocated:", fmt.Sprintf("%d/%d", s.TotalAllocated, s.Available)),
		label("Remaining:", number(s.Remaining)),
		label("Utilization:", fmt.Sprintf("%.1f%%", s.UtilizationPct)),
		label("In Use:", number(inUse)),
	}
	if waiting > 0 {
		lines = append(lines, label("Waiting:", paint(o, yellow, plural(waiting, "caller", "callers"))))
	}
	return append(lines, s.bar(o, health))
}

// bar draws the utilization.
func (s *Status) bar(o PrintOptions, health Health) string {
	cells := max(minBar, min(maxBar, o.Width-len("  [] 100.0%")))
	filled := min(cells, max(0, int(s.UtilizationPct*float64(cells)/100)))
	full, empty := "█", "░"
	if o.ASCII {
		full, empty = "#", "."
	}
	return fmt.Sprintf("  [%s%s] %.1f%%", paint(o, health.style(), strings.Repeat(full, filled)), strings.Repeat(empty, cells-filled), s.UtilizationPct)
}

func (s *Status) alerts(o PrintOptions) []string {
	var lines []string
	for i, a := range s.Alerts {
		if i == maxPrintedAlerts {
			lines = append(lines, fmt.Sprintf("  %s and %s more", ellipsis(o), number(len(s.Alerts)-i)))
			break
		}
		text := clean(o, a.Summary)
		if !a.Since.IsZero() {
			text += " (since " + Clock(a.Since, o) + ")"
		}
		lines = append(lines, wrapped(o, "  "+a.Severity.Label(o)+" ", "     ", text, 0)...)
	}
	for i, notice := range s.notices() {
		if i == maxPrintedAlerts {
			break
		}
		lines = append(lines, wrapped(o, "  "+bullet(o)+" ", "    ", clean(o, notice), 0)...)
	}
	return lines
}

// notices are what is unusual, also when nobody wrote it down.
func (s *Status) notices() []string {
	if s.Degraded && len(s.Notices) == 0 {
		return []string{"The status may not be all, or not be true any more."}
	}
	return s.Notices
}

func (s *Status) coordination(o PrintOptions) []string {
	leader := paint(o, red, "none: nothing is granted until an arbiter leads")
	if s.Leader != "" {
		leader = cut(o, s.Leader, 40)
		if s.LeaderHost != "" {
			leader += " (" + cut(o, s.LeaderHost, 30) + ")"
		}
	}
	lines := []string{label("Leader:", leader)}
	epoch := fmt.Sprint(s.Epoch)
	if s.LeaderSince != nil && !s.LeaderSince.IsZero() {
		epoch += ", since " + Clock(*s.LeaderSince, o)
	}
	lines = append(lines, label("Epoch:", epoch))
	if s.Lag > 0 {
		lines = append(lines, label("Behind by:", plural(int(s.Lag), "record", "records")))
	}
	if s.Barrier > 0 {
		opens := time.Duration(s.Barrier) * time.Millisecond
		lines = append(lines, label("Recovery Barrier:", paint(o, yellow, fmt.Sprintf("opens in %.1f s; nobody gains before", opens.Seconds()))))
	}
	if s.Rejected > 0 {
		lines = append(lines, label("Rejected Intents:", number(int(s.Rejected))))
	}
	if s.Uncounted > 0 {
		drift := plural(s.Uncounted, "connection", "connections") + " in the database, but in no lease"
		if s.Unregistered > 0 {
			drift += fmt.Sprintf("; %d in local mode", s.Unregistered)
		}
		lines = append(lines, label("Drift:", paint(o, yellow, drift)))
	}
	return lines
}
