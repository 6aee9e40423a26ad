package show

import (
	"strings"
	"testing"
	"time"
)

func good() figures {
	f := figures{limit: 60, available: 54, peakGranted: 54, peakBackends: 53, sessions: 500, served: map[string]int64{}}
	for _, s := range services {
		f.served[s.Name] = 100
	}
	return f
}

func TestVerdict(t *testing.T) {
	const same = ": limit=60 available=54 peak_granted="
	for name, c := range map[string]struct {
		spoil func(*figures)
		want  string // beginning of the line
	}{
		"all is well":       {func(f *figures) {}, "demo: ok limit=60 available=54 peak_granted=54 peak_backends=53 refused=0 sessions=500"},
		"one was killed":    {func(f *figures) { f.regrant = 2100 * time.Millisecond }, "demo: ok limit=60 available=54 peak_granted=54 peak_backends=53 refused=0 sessions=500 regrant_ms=2100"},
		"at the limit":      {func(f *figures) { f.peakBackends = 54 }, "demo: ok "},
		"refused":           {func(f *figures) { f.refused = 3 }, "demo: FAILED the database refused connections: 3" + same},
		"too many backends": {func(f *figures) { f.peakBackends = 55 }, "demo: FAILED there were 55 connections where 54 are available" + same},
		"too many granted":  {func(f *figures) { f.peakGranted = 55 }, "demo: FAILED 55 connections were granted where 54 are available" + same},
		"nothing seen":      {func(f *figures) { f.peakBackends = 0 }, "demo: FAILED no connection was ever seen in the database" + same},
		"starved":           {func(f *figures) { f.served["viewer"] = 0 }, "demo: FAILED the viewer got nothing" + same},
		"another fault":     {func(f *figures) { f.faults = []string{"the api ended\n by itself"} }, "demo: FAILED the api ended by itself" + same},
		"the worst first": {func(f *figures) { f.refused, f.peakBackends = 1, 61 },
			"demo: FAILED the database refused connections: 1; there were 61 connections where 54 are available" + same},
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			c.spoil(&f)
			line, status := f.lastLine()
			if !strings.HasPrefix(line, c.want) || strings.Contains(line, "\n") {
				t.Errorf("got  %q\nwant %q", line, c.want)
			}
			if ok := strings.HasPrefix(line, "demo: ok"); ok != (status == ExitOK) || !ok && status != ExitFailed {
				t.Errorf("status %d with %q", status, line)
			}
		})
	}
}

func TestAFaultBeforeTheBeginIsTheOnlyOne(t *testing.T) {
	f := figures{faults: []string{"no database"}}
	if line, _ := f.lastLine(); line != "demo: FAILED no database: limit=0 available=0 peak_granted=0 peak_backends=0 refused=0 sessions=0" {
		t.Errorf("%q", line)
	}
}
