package status

import (
	"fmt"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	change := func(s *Status, f func(s *Status)) *Status { f(s); return s }
	calm := func(s *Status) { s.Barrier, s.Leader = 0, "arbiter-1" }
	for _, c := range []struct {
		name   string
		status *Status
		id     string
		want   []string
	}{
		{"nobody", example(), "gone", []string{""}},
		{"all", example(), "abc123456789", []string{"scraper has 15 of the 15 connections that it wants: all of them."}},
		{"barrier", troubled(), "def987654321", []string{"viewer has 4 of the 10 connections", "nobody gains until the recovery barrier opens in 4.2 s."}},
		{"no leader", change(troubled(), func(s *Status) { s.Barrier = 0 }), "def987654321", []string{"Nobody leads: nothing is granted until an arbiter does."}},
		{"shortage", change(troubled(), calm), "def987654321", []string{
			": scraper (priority 10), api (priority 8) and monitoring (priority 3) hold 48.", "It is the first in the queue: it gets the next unit that comes free.",
		}},
		{"maximum", change(troubled(), func(s *Status) { calm(s); s.Services["viewer"].Maximum = 4 }), "def987654321", []string{"its service's maximum of 4 is reached"}},
		{"recalled", change(troubled(), calm), "abc123456789", []string{"It is giving 5 back, which count until it says that they are closed."}},
		{"lost", change(troubled(), calm), "0a1b2c3d4e5f", []string{"Its lease has expired", "It may go on with 5 connections without an arbiter"}},
		{"many holders", change(troubled(), func(s *Status) {
			calm(s)
			for i := range 20 {
				s.Services[fmt.Sprintf("other-%02d", i)] = &Service{Priority: 20, TotalConnections: 1}
			}
		}), "def987654321", []string{": other-00 (priority 20), other-01", "other-07 (priority 20) and 15 others hold 68."}},
	} {
		got := c.status.Explain(c.id)
		for _, want := range c.want {
			if want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("%s: no %q in %q", c.name, want, got)
			}
		}
	}
}
