package fold

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// Status returns the state as people and programs see it. What does not stand in
// the history (alerts, notices, lag, who leads now) is left to the caller. The
// barrier is given as it was at the newest record.
func (s *State) Status() *status.Status {
	view := &status.Status{
		Version: status.Version, Plan: s.policy.Plan,
		MaxConnections: s.policy.Limit, Reserved: s.policy.Reserve,
		External: max(0, s.policy.Available()-s.available), Available: s.available,
		TotalAllocated: s.charged, Remaining: max(0, s.available-s.charged),
		UtilizationPct: status.Percent(s.charged, s.available),
		Services:       make(map[string]*status.Service, len(s.services)),
		Leader:         s.leader, LeaderHost: s.host, Incarnation: incarnationText(s.incarnation),
		Epoch: s.epoch, Sequence: s.sequence, Barrier: max(0, s.barrier-s.now), Rejected: s.refused,
		Alerts: []status.Alert{}, Notices: []string{},
		Watched: s.look.Usable > 0, Uncounted: s.strange + s.over, Unregistered: s.strange,
	}
	if n := len(s.leaderships); n > 0 && s.leader != "" && s.leaderships[n-1].Leader == s.leader {
		began := s.leaderships[n-1].Began
		view.LeaderSince = &began
	}
	if s.wall > 0 {
		at := wallTime(s.wall)
		view.AsOf = &at
	}
	position := 0
	for _, v := range s.ordered() {
		view.Services[v.name] = s.service(v, &position)
	}
	return view
}

// ordered returns the services: the most important first, equals by name. It is
// the order in which they wait.
func (s *State) ordered() []*service {
	services := make([]*service, 0, len(s.services))
	for _, v := range s.services {
		services = append(services, v)
	}
	priority := func(v *service) int {
		rule, _ := s.policy.Find(v.name)
		return max(rule.Priority, 1)
	}
	slices.SortFunc(services, func(a, b *service) int {
		if d := priority(b) - priority(a); d != 0 {
			return d
		}
		return strings.Compare(a.name, b.name)
	})
	return services
}

func (s *State) service(v *service, position *int) *status.Service {
	rule, _ := s.policy.Find(v.name)
	_, listed := s.policy.Listed(v.name)
	view := &status.Service{
		Containers: make([]status.Container, 0, v.members.Len()), Count: v.members.Len(),
		TotalConnections: v.charge, Pct: status.Percent(v.charge, s.charged),
		Priority: max(rule.Priority, 1), Minimum: rule.Minimum, Maximum: rule.Maximum, Listed: listed,
		Granted: v.units, InUse: v.inUse, Waiting: v.waiting, Want: v.want,
	}
	if v.unmet > 0 {
		since := wallTime(v.unmet)
		view.UnmetSince = &since
	}
	v.members.Scan(func(_ uint64, c *container) bool {
		view.Containers = append(view.Containers, s.container(c, &rule, position))
		return true
	})
	return view
}

func (s *State) container(c *container, rule *events.Service, position *int) status.Container {
	reason := s.reason(c, rule)
	view := status.Container{
		ID: c.id, Host: c.host, State: c.state(), Connections: c.charge, Granted: c.units,
		InUse: c.inUse, Held: c.held, Waiting: c.waiting, Want: c.want,
		ReservedAt: wallTime(c.reserved), HeardAt: wallTime(c.heard), Lease: c.lease,
		Reason: reason.String(), ReasonCode: reason.Code(),
	}
	if !c.away() && c.units < c.want {
		*position++
		view.Position = *position
	}
	if s.look.Usable > 0 {
		shown := c.shown
		view.Backends = &shown
	}
	return view
}

func (c *container) state() status.State {
	switch {
	case c.lost:
		return status.Lost
	case c.silent != 0:
		return status.Silent
	case c.charge > c.units:
		return status.Recalling
	case c.units < c.want:
		return status.Waiting
	}
	return status.Active
}

// reason says why the lease is as it is now. A record says it when it changes the
// lease; what held back a container that waits may be another reason since.
func (s *State) reason(c *container, rule *events.Service) events.Reason {
	switch {
	case c.lost:
		return events.Expired
	case c.silent != 0:
		return events.Silent
	case c.units >= c.want || c.charge > c.units:
		return c.reason
	case s.barrier > s.now:
		return events.Barrier
	case rule.Maximum > 0 && c.service.units >= rule.Maximum:
		return events.Maximum
	case s.charged >= s.available && s.available < s.policy.Available():
		return events.Crowded
	}
	return events.Shortage
}

// Sample returns what a chart needs of the state.
func (s *State) Sample(at time.Time) status.Sample {
	sample := status.Sample{
		At: at, MaxConnections: s.policy.Limit, Reserved: s.policy.Reserve,
		External: max(0, s.policy.Available()-s.available), Available: s.available,
		Services: make(map[string]int, len(s.services)),
	}
	for name, v := range s.services {
		sample.Services[name] = v.charge
	}
	return sample
}

// Known reports whether the history has said by what rules the budget is shared.
func (s *State) Known() bool { return s.policy.Rule != 0 }

func incarnationText(incarnation uint64) string { return fmt.Sprintf("%016x", incarnation) }

// wallTime is the time of Unix milliseconds; of 0 the zero time, which means that
// it is not known.
func wallTime(ms int64) time.Time {
	if ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
