package replay

import (
	"context"
	"fmt"
	"time"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/cmd/internal/policyfile"
	"github.com/conncord/conncord/events"
)

// whatif decides about the history anew, under other rules.
func (r *replay) whatif(ctx context.Context) error {
	rules, err := r.rules()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return r.read(ctx, func(p *place) error {
		outcome, err := audit.WhatIf(ctx, p, rules)
		if err != nil {
			return err
		}
		return complete(outcome.Notice, r.print(outcome, outcome.Print))
	})
}

// rules are what is to be different.
func (r *replay) rules() (audit.Rules, error) {
	o := &r.Whatif
	rules := audit.Rules{Plan: o.Plan, Limit: o.Limit, Reserve: o.Reserve, TTL: time.Duration(o.TTL)}
	if o.Plan == "" && o.Limit == 0 && o.Reserve == nil && o.TTL == 0 && o.Policy == "" {
		return rules, fmt.Errorf("nothing is different: give at least one of --plan, --limit, --reserve, --ttl and --policy")
	}
	if _, ok := events.FindPlan(o.Plan); o.Plan != "" && !ok {
		return rules, fmt.Errorf("--plan: the plan %.40q is not known: give --limit instead", o.Plan)
	}
	if o.Limit < 0 {
		return rules, fmt.Errorf("--limit: %d is out of range: give 1 to %d", o.Limit, events.MaxUnits)
	}
	if o.Policy != "" {
		p := events.Policy{Services: events.BuiltinServices(), Unlisted: events.UnlistedService()}
		if err := policyfile.Read(o.Policy, &p); err != nil {
			return rules, fmt.Errorf("--policy: %w", err)
		}
		rules.Services, rules.Unlisted = p.Services, &p.Unlisted
		if rules.Services == nil {
			rules.Services = []events.Service{} // the file lists none, which is not to keep those of before
		}
	}
	return rules, nil
}
