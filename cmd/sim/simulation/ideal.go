package simulation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/conncord/conncord/events"
)

// A share is what a container should have in the end.
type share struct {
	box   *box
	rank  uint64 // order of registration
	state events.ContainerState
	units int
}

// available is what there is for containers by the rule, when somebody leads who
// sees the database, or nobody does.
func (w *world) available(p events.Policy, sees bool) int {
	units := p.Limit - p.Reserve
	if sees {
		left := w.db.Usable - w.db.sessions() - w.db.Headroom
		units = min(units, left) - w.db.external
		if w.db.Bound > 0 {
			units = min(units, w.db.Bound)
		}
	}
	return max(0, units)
}

// ideal shares the available connections out by the rule, as slowly and plainly
// as the rule is written down.
func ideal(p events.Policy, left int, members []share) []share {
	type service struct {
		rule         events.Service
		wants, units int
		members      []*share
	}
	var services []*service
	for i := range members {
		m := &members[i]
		rule, _ := p.Find(m.box.member.Service)
		at := slices.IndexFunc(services, func(s *service) bool { return s.rule.Name == rule.Name })
		if at < 0 {
			at = len(services)
			services = append(services, &service{rule: rule})
		}
		services[at].members = append(services[at].members, m)
	}
	slices.SortFunc(services, func(a, b *service) int {
		return cmp.Or(b.rule.Priority-a.rule.Priority, strings.Compare(a.rule.Name, b.rule.Name))
	})
	for _, s := range services {
		for _, m := range s.members {
			s.wants += min(m.box.m.Want(), p.Limit)
		}
		if s.rule.Maximum > 0 {
			s.wants = min(s.wants, s.rule.Maximum)
		}
		s.units = min(left, s.wants, s.rule.Minimum)
		left -= s.units
	}
	for ; left > 0; left-- {
		var next *service
		for _, s := range services {
			if s.units < s.wants && (next == nil || s.rule.Priority*(2*next.units+1) > next.rule.Priority*(2*s.units+1)) {
				next = s
			}
		}
		if next == nil {
			break
		}
		next.units++
	}
	for _, s := range services {
		for range s.units {
			var next *share
			for _, m := range s.members {
				if m.units < min(m.box.m.Want(), p.Limit) && (next == nil || m.units < next.units || m.units == next.units && m.rank < next.rank) {
					next = m
				}
			}
			next.units++
		}
	}
	return members
}
