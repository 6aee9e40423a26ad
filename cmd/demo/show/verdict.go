package show

import (
	"fmt"
	"strings"
	"time"
)

// The exit statuses.
const (
	ExitOK     = 0
	ExitFailed = 1 // the promise was broken, or could not be judged
	ExitUsage  = 2 // the settings cannot work; nothing was started

	// exitSignal is added to the number of the signal that ended the demo.
	exitSignal = 128
)

// figures are what the demo is judged by.
type figures struct {
	limit, available int
	peakGranted      int // most that the arbiter had granted at a time, by its history
	peakBackends     int // most that the services had at a time, by pg_stat_activity
	refused          int64
	sessions         int64
	regrant          time.Duration // from kill -9 until what was held was granted to others; 0: it is not known

	served map[string]int64 // sessions of each service
	faults []string         // other things that must not be
}

func (f *figures) String() string {
	text := fmt.Sprintf("limit=%d available=%d peak_granted=%d peak_backends=%d refused=%d sessions=%d",
		f.limit, f.available, f.peakGranted, f.peakBackends, f.refused, f.sessions)
	if f.regrant > 0 { // a demo that was too short does not know
		text += fmt.Sprintf(" regrant_ms=%d", f.regrant.Milliseconds())
	}
	return text
}

// failures lists what went wrong, the worst first.
func (f *figures) failures() []string {
	var all []string
	add := func(bad bool, format string, args ...any) {
		if bad {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(f.refused > 0, "the database refused connections: %d", f.refused)
	add(f.peakBackends > f.available, "there were %d connections where %d are available", f.peakBackends, f.available)
	add(f.peakGranted > f.available, "%d connections were granted where %d are available", f.peakGranted, f.available)
	all = append(all, f.faults...)
	add(f.peakBackends == 0 && len(all) == 0, "no connection was ever seen in the database")
	for _, s := range services {
		add(f.served != nil && f.served[s.Name] == 0, "the %s got nothing", s.Name)
	}
	return all
}

// lastLine is the line that a script reads, and the exit status.
func (f *figures) lastLine() (string, int) {
	failures := f.failures()
	if len(failures) == 0 {
		return "demo: ok " + f.String(), ExitOK
	}
	return "demo: FAILED " + oneLine(strings.Join(failures, "; ")) + ": " + f.String(), ExitFailed
}

// oneLine makes a single line of a text.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
