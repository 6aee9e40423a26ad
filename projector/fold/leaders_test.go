package fold

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

// TestLeadershipsStay keeps the timeline that was handed out as it was: others
// read it while the state goes on.
func TestLeadershipsStay(t *testing.T) {
	a, s := newAuthor(1), New()
	take := func(in events.Intent) {
		t.Helper()
		if err := s.Apply(a.own(in)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Apply(a.write()); err != nil { // the beginning
		t.Fatal(err)
	}
	for range 2 * maxLeaderships {
		a.epoch++
		take(events.Intent{Kind: events.Lead, Arbiter: "a1"})
		led := s.Leaderships()
		before := slices.Clone(led)
		take(events.Intent{Kind: events.Resign, Arbiter: "a1"})
		if diff := cmp.Diff(before, led); diff != "" {
			t.Fatalf("the timeline that was handed out (-before +after the resignation):\n%s", diff)
		}
		if l := s.Leaderships(); l[len(l)-1].Resigned.IsZero() || len(l) > maxLeaderships {
			t.Fatalf("%d leaderships, the last %+v", len(l), l[len(l)-1])
		}
	}
}
