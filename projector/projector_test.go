package projector_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/status"
)

// TestExample shows the fleet of the documentation, within the process, in the key
// and on the channel.
func TestExample(t *testing.T) {
	t.Parallel()
	r := redis(t)
	lead(t, r.URL(), "a1")
	p, _ := project(t, r.URL(), "p1")
	example(t, r.URL())
	s := await(t, p, "25 connections", allocated(25))
	want := &status.Status{
		Version: 1, Budget: budget, Plan: "free", MaxConnections: 60, Reserved: 6, Available: 54,
		TotalAllocated: 25, Remaining: 29, UtilizationPct: 46.3, Health: status.Healthy,
		Leader: "a1", LeaderHost: "host-of-a1", Alerts: []status.Alert{}, Notices: []string{},
		Services: map[string]*status.Service{
			"scraper":    service("scraper", 15, 60, 10, 5),
			"viewer":     service("viewer", 3, 12, 5, 2),
			"api":        service("api", 5, 20, 8, 3),
			"monitoring": service("monitoring", 2, 8, 3, 1),
		},
	}
	opts := cmp.Options{
		cmpopts.IgnoreFields(status.Status{}, "LeaderSince", "Incarnation", "Epoch", "Sequence", "AsOf", "UpdatedAt"),
		cmpopts.IgnoreFields(status.Container{}, "ReservedAt", "HeardAt", "Lease"),
	}
	if diff := cmp.Diff(want, s, opts); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	for _, service := range s.Services {
		if c := service.Containers[0]; time.Since(c.ReservedAt) > time.Minute || c.Lease == "" || c.HeardAt.Before(c.ReservedAt) {
			t.Errorf("%s: lease %q reserved at %v and heard at %v", c.ID, c.Lease, c.ReservedAt, c.HeardAt)
		}
	}
	if s.LeaderSince == nil || s.AsOf == nil || time.Since(s.UpdatedAt) > time.Minute {
		t.Errorf("times: leader since %v, as of %v, updated at %v", s.LeaderSince, s.AsOf, s.UpdatedAt)
	}
	got := subscribed(t, r.URL(), allocated(25))
	if diff := cmp.Diff(s.Services, got.Services); diff != "" {
		t.Errorf("services (-within +published):\n%s", diff)
	}
}

func service(name string, conns int, pct float64, priority, minimum int) *status.Service {
	return &status.Service{
		Count: 1, TotalConnections: conns, Pct: pct, Priority: priority, Minimum: minimum, Listed: true, Granted: conns, Want: conns,
		Containers: []status.Container{{
			ID: name + "-1", Host: "host-of-" + name + "-1", State: status.Active, Connections: conns, Granted: conns, Want: conns,
		}},
	}
}

// subscribed returns the first published status for which the condition holds.
func subscribed(t *testing.T, url string, holds func(*status.Status) bool) *status.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	updates, err := projector.Subscribe(ctx, projector.SubscribeOptions{RedisURL: url, Budget: budget})
	must(t, err)
	var last projector.Update
	for last = range updates {
		if last.Status != nil && last.Err == nil && holds(last.Status) {
			cancel()
			for range updates { // until all has ended
			}
			return last.Status
		}
	}
	t.Fatalf("no such status was published; the last: %+v", last)
	return nil
}

// TestWaitersAndReasons shows who waits, in which place, and why.
func TestWaitersAndReasons(t *testing.T) {
	t.Parallel()
	r := redis(t)
	lead(t, r.URL(), "a1")
	p, _ := project(t, r.URL(), "p1")
	join(t, r.URL(), "scraper", "s1", 60)
	join(t, r.URL(), "viewer", "v1", 10)
	m := join(t, r.URL(), "viewer", "v2", 10)
	await(t, p, "all shared out", allocated(54))
	m.want(12, events.Demand{Held: 1, InUse: 1, Waiting: 4})
	s := await(t, p, "v2 heard", func(s *status.Status) bool { return s.Services["viewer"].Waiting == 4 })
	c, name := s.Find("v2")
	if name != "viewer" || c.Want != 12 || c.InUse != 1 || c.Waiting != 4 || c.Position != 3 || c.ReasonCode != "shortage" || c.State != status.Waiting {
		t.Errorf("v2 in %s: %+v", name, c)
	}
	if s.Services["viewer"].UnmetSince == nil || s.UtilizationPct != 100 || s.Remaining != 0 {
		t.Errorf("viewer unmet since %v, utilization %v, remaining %d", s.Services["viewer"].UnmetSince, s.UtilizationPct, s.Remaining)
	}
	why := s.Explain("v2")
	for _, part := range []string{"viewer has ", " of the 12 connections", "scraper (priority 10)", "place 3 in the queue"} {
		if !strings.Contains(why, part) {
			t.Errorf("the explanation lacks %q: %s", part, why)
		}
	}
	await(t, p, "alerts", func(s *status.Status) bool {
		return raised("exhausted")(s) && raised("utilization")(s) && s.Health == status.Critical
	})
}

// TestLeaders shows who leads, and that nobody does.
func TestLeaders(t *testing.T) {
	t.Parallel()
	r := redis(t)
	stop := lead(t, r.URL(), "a1")
	p, _ := project(t, r.URL(), "p1", func(c *projector.Config) { c.Expect = []string{"scraper"} })
	await(t, p, "a1 leads", func(s *status.Status) bool { return s.Leader == "a1" && s.Health == status.Healthy })
	stop()
	s := await(t, p, "no leader", raised("no_leader"))
	if s.Leader != "" || s.LeaderHost != "" || s.Health != status.Critical {
		t.Errorf("leader %q on %q, health %s", s.Leader, s.LeaderHost, s.Health)
	}
	lead(t, r.URL(), "a2")
	await(t, p, "a2 leads", func(s *status.Status) bool {
		return s.Leader == "a2" && s.LeaderHost == "host-of-a2" && !raised("no_leader")(s)
	})
	timeline := p.Leaders()
	if len(timeline) != 2 || timeline[0].Leader != "a1" || timeline[0].Resigned.IsZero() || timeline[1].Leader != "a2" || !timeline[1].Resigned.IsZero() {
		t.Errorf("timeline: %+v", timeline)
	}
	await(t, p, "the scraper is missed", raised("service_missing"))
	join(t, r.URL(), "scraper", "s1", 3)
	await(t, p, "the scraper is there", func(s *status.Status) bool { return !raised("service_missing")(s) })
}
