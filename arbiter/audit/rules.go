package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/conncord/conncord/events"
)

// Rules are what a what-if changes about each policy that was in force. What is
// zero stays as it was.
type Rules struct {
	Plan     string           // name of a plan, which sets the limit
	Limit    int              // connections that the database allows; it goes before the plan's
	Reserve  *int             // of these, kept back; nil: the same part of the limit as before, rounded up
	TTL      time.Duration    // longest duration of a lease
	Services []events.Service // instead of those listed; nil: as before
	Unlisted *events.Service  // instead of the rule for services that are not listed; nil: as before
}

// Apply returns the policy as it is under the rules. The error says what is wrong
// with it.
func (r *Rules) Apply(p events.Policy) (events.Policy, error) {
	limit := p.Limit
	if r.Plan != "" {
		plan, ok := events.FindPlan(r.Plan)
		if !ok {
			return p, fmt.Errorf("no plan has the name %q: see the list of plans, or give a limit", r.Plan)
		}
		p.Plan, p.Limit = plan.Name, plan.Limit
	}
	if r.Limit != 0 {
		p.Limit = r.Limit
	}
	p.Reserve = (p.Reserve*p.Limit + limit - 1) / limit
	if r.Reserve != nil {
		p.Reserve = *r.Reserve
	}
	if r.TTL != 0 {
		p.TTL = r.TTL
		p.Margin = min(p.Margin, p.TTL/4)
	}
	if r.Services != nil {
		p.Services = slices.Clone(r.Services)
		events.SortServices(p.Services)
	}
	if r.Unlisted != nil {
		p.Unlisted = *r.Unlisted
	}
	if err := p.Check(); err != nil {
		return p, fmt.Errorf("under the other rules the policy is wrong: %w", err)
	}
	return p, nil
}
