package web_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/conncord/conncord/projector/status"
)

// A source is a projector whose status the test sets.
type source struct {
	mu      sync.Mutex
	status  *status.Status
	changed chan struct{}
	samples []status.Sample
	leaders []status.Leadership
}

func newSource(st *status.Status) *source {
	return &source{status: st, changed: make(chan struct{})}
}

func (s *source) Status() *status.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *source) Samples() []status.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.samples
}

func (s *source) Leaders() []status.Leadership {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaders
}

// show makes a status the newest.
func (s *source) show(st *status.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = st
	close(s.changed)
	s.changed = make(chan struct{})
}

// A member is a container that a test puts into a status.
type member struct {
	service               string
	has, uses, wants, own int // own: callers that wait
	state                 status.State
	back                  int // what it is giving back
}

// fleet are the spec's services and a container or two of each.
func fleet(limit int, members ...member) *status.Status {
	now := time.Now().UTC()
	rules := map[string]*status.Service{
		"scraper":    {Priority: 10, Minimum: 5},
		"api":        {Priority: 8, Minimum: 3},
		"viewer":     {Priority: 5, Minimum: 2},
		"monitoring": {Priority: 3, Minimum: 1, Maximum: 10},
		"external":   {Priority: 1, Minimum: 1},
	}
	since := now.Add(-time.Hour)
	st := &status.Status{
		Version: status.Version, Budget: "default", Plan: "free",
		MaxConnections: limit, Reserved: (limit + 9) / 10,
		Services: rules, Health: status.Healthy, Alerts: []status.Alert{}, Notices: []string{},
		Leader: "arbiter-1-9f3c", LeaderHost: "node-a", LeaderSince: &since,
		Incarnation: "a3f29c0d11e84b77", Epoch: 3, Sequence: 1, AsOf: &now, UpdatedAt: now, Watched: true,
	}
	for _, s := range rules {
		s.Containers, s.Listed = []status.Container{}, true
	}
	st.Available = st.MaxConnections - st.Reserved
	counts := map[string]int{}
	place := 0
	for i, m := range members {
		s := rules[m.service]
		counts[m.service]++
		c := status.Container{
			ID: fmt.Sprintf("%s-%d-%07x", m.service, counts[m.service], 0x9a3c41d*(i+1)&0xfffffff), Host: fmt.Sprintf("n8n-%s-app-%d", m.service, counts[m.service]),
			State: m.state, Connections: m.has + m.back, Granted: m.has, InUse: m.uses, Held: min(m.has, m.uses+1), Waiting: m.own, Want: m.wants,
			ReservedAt: now.Add(-time.Duration(i+1) * 7 * time.Minute), HeardAt: now, Lease: fmt.Sprintf("%08x", 7919*(i+1)),
		}
		if c.State == "" {
			c.State = status.Active
			if m.has < m.wants {
				c.State = status.Waiting
			}
		}
		if m.has < m.wants {
			place++
			c.Position, c.Reason, c.ReasonCode = place, "others hold the connections; it grows when some come free", "shortage"
		}
		s.Containers = append(s.Containers, c)
	}
	return sum(st)
}

// sum makes the sums of a status agree with its containers.
func sum(st *status.Status) *status.Status {
	st.TotalAllocated = 0
	for _, s := range st.Services {
		s.Count, s.TotalConnections, s.Granted, s.InUse, s.Waiting, s.Want = len(s.Containers), 0, 0, 0, 0, 0
		for _, c := range s.Containers {
			s.TotalConnections += c.Connections
			s.Granted += c.Granted
			s.InUse += c.InUse
			s.Waiting += c.Waiting
			s.Want += c.Want
		}
		if s.UnmetSince = nil; s.Granted < s.Want {
			since := st.UpdatedAt.Add(-3 * time.Minute)
			s.UnmetSince = &since
		}
		st.TotalAllocated += s.TotalConnections
	}
	st.Available = max(0, st.MaxConnections-st.Reserved-st.External)
	st.Remaining = max(0, st.Available-st.TotalAllocated)
	st.UtilizationPct = status.Percent(st.TotalAllocated, st.Available)
	for _, s := range st.Services {
		s.Pct = status.Percent(s.TotalConnections, st.TotalAllocated)
	}
	return st
}

// calm is the spec's example.
func calm() *status.Status {
	return fleet(60,
		member{service: "scraper", has: 15, uses: 11, wants: 15}, member{service: "viewer", has: 3, uses: 1, wants: 3},
		member{service: "api", has: 5, uses: 4, wants: 5}, member{service: "monitoring", has: 2, uses: 0, wants: 2})
}

// busy is a full budget with everything that can be seen on a bad day.
func busy() *status.Status {
	st := fleet(60,
		member{service: "scraper", has: 12, uses: 12, wants: 20, own: 4}, member{service: "scraper", has: 7, uses: 6, wants: 7},
		member{service: "api", has: 9, uses: 8, wants: 12, own: 2}, member{service: "api", has: 7, uses: 7, wants: 9, own: 1},
		member{service: "viewer", has: 5, uses: 3, wants: 10}, member{service: "viewer", has: 4, uses: 4, wants: 4, back: 2, state: status.Recalling},
		member{service: "monitoring", has: 3, uses: 1, wants: 3}, member{service: "monitoring", has: 1, uses: 0, wants: 1, state: status.Silent},
		member{service: "external", has: 1, uses: 0, wants: 1, state: status.Lost})
	st.External = 3
	st.Health = status.Critical
	st.Alerts = []status.Alert{
		{Name: "exhausted", Severity: status.Critical, Summary: "0 connections remain of 51: less than 5. Raise the plan, or stop what is not needed.", Since: st.UpdatedAt.Add(-4 * time.Minute)},
		{Name: "utilization", Severity: status.Warning, Summary: "100.0 % of the available connections are allocated: more than 75 %.", Since: st.UpdatedAt.Add(-11 * time.Minute)},
		{Name: "local_mode", Service: "external", Severity: status.Warning, Summary: "1 container of external was not heard in time and may go on without an arbiter.", Since: st.UpdatedAt.Add(-40 * time.Second)},
	}
	return sum(st)
}

// hourOf is an hour in which the services' numbers go up and down on their way to
// the status.
func hourOf(st *status.Status, length time.Duration) []status.Sample {
	var samples []status.Sample
	n := int(length / (5 * time.Second))
	for i := range n {
		s := status.Sample{
			At: st.UpdatedAt.Add(-time.Duration(n-i) * 5 * time.Second), MaxConnections: st.MaxConnections,
			Reserved: st.Reserved, External: st.External, Available: st.Available, Services: map[string]int{},
		}
		for name, service := range st.Services {
			wave := (i / (17 + 3*len(name)) * 7 * len(name)) % 11
			s.Services[name] = max(0, service.TotalConnections*(20+wave-5)/22)
		}
		samples = append(samples, s)
	}
	return samples
}

// reign is a timeline of leaders up to the status'.
func reign(st *status.Status) []status.Leadership {
	at := func(ago time.Duration) time.Time { return st.UpdatedAt.Add(-ago) }
	return []status.Leadership{
		{Epoch: 7, Incarnation: "77e1f09a2b3c4d5e", Leader: "arbiter-2-77aa", Host: "node-b", Began: at(26 * time.Hour)},
		{Epoch: 1, Incarnation: st.Incarnation, Leader: "arbiter-1-51d0", Host: "node-a", Began: at(5 * time.Hour)},
		{Epoch: 2, Incarnation: st.Incarnation, Leader: "arbiter-3-c2e8", Host: "node-c", Began: at(130 * time.Minute), Resigned: at(61 * time.Minute)},
		{Epoch: st.Epoch, Incarnation: st.Incarnation, Leader: st.Leader, Host: st.LeaderHost, Began: at(60 * time.Minute)},
	}
}

// crowd is a budget with many containers.
func crowd(n int) *status.Status {
	names := []string{"scraper", "api", "viewer", "monitoring", "external"}
	members := make([]member, n)
	for i := range members {
		members[i] = member{service: names[i%len(names)], has: 1 + i%4, uses: i % 2, wants: 1 + i%4 + i%7/6}
	}
	return fleet(40_000, members...)
}
