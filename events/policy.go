package events

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RuleVersion is the newest version of the allocation rule. The policy in force
// names the version by which the ledger decides, and a record is re-derived
// under the version that decided it.
const RuleVersion = 1

// A Policy holds everything that the ledger decides by, apart from the intents.
type Policy struct {
	Rule    int           // version of the allocation rule
	Plan    string        // name of the database's plan, for people
	Limit   int           // connections that the database allows
	Reserve int           // of these, kept back for the platform
	TTL     time.Duration // longest duration of a lease
	Margin  time.Duration // drift margin: how much earlier than the arbiter a container ends its lease
	// Unlisted is the rule for services that are not listed; a priority of 0
	// refuses them. Its name is empty.
	Unlisted Service
	Services []Service // sorted by name
}

// A Service is the rule for one kind of container.
type Service struct {
	Name     string
	Priority int // 1 to MaxPriority; more is more important
	Minimum  int // connections that it gets before others get more than theirs
	Maximum  int // most that it can get; 0: no bound of its own
}

// Available is what containers can share.
func (p *Policy) Available() int { return max(0, p.Limit-p.Reserve) }

// Listed returns the rule that the policy lists for the service, and whether it
// lists one.
func (p *Policy) Listed(service string) (Service, bool) {
	i, ok := slices.BinarySearchFunc(p.Services, service, func(s Service, name string) int {
		return strings.Compare(s.Name, name)
	})
	if !ok {
		return Service{}, false
	}
	return p.Services[i], true
}

// Find returns the rule for the service, and whether the policy admits it.
func (p *Policy) Find(service string) (Service, bool) {
	if s, ok := p.Listed(service); ok {
		return s, true
	}
	s := p.Unlisted
	s.Name = service
	return s, s.Priority > 0
}

// Check reports the first thing that is wrong with the policy, in a sentence
// that says what to change.
func (p *Policy) Check() error {
	switch {
	case p.Rule < 1 || p.Rule > RuleVersion:
		return fmt.Errorf("rule version %d is not known: this program knows 1 to %d", p.Rule, RuleVersion)
	case p.Limit < 1 || p.Limit > MaxUnits:
		return fmt.Errorf("the limit of %d connections is out of range: set 1 to %d", p.Limit, MaxUnits)
	case p.Reserve < 0 || p.Reserve >= p.Limit:
		return fmt.Errorf("a reserve of %d leaves nothing of the limit of %d: lower the reserve", p.Reserve, p.Limit)
	case p.TTL < MinTTL || p.TTL > MaxTTL:
		return fmt.Errorf("a lease duration of %v is out of range: set %v to %v", p.TTL, MinTTL, MaxTTL)
	case p.Margin < 0:
		return fmt.Errorf("the drift margin of %v is negative: set 0 or more", p.Margin)
	case p.Margin > p.TTL/4:
		return fmt.Errorf("a lease duration of %v is too short for a drift margin of %v: set at least %v", p.TTL, p.Margin, 4*p.Margin)
	case len(p.Plan) > MaxNameBytes:
		return fmt.Errorf("the plan's name has %d bytes: at most %d are allowed", len(p.Plan), MaxNameBytes)
	case !printable(p.Plan):
		return fmt.Errorf("the plan's name %q has a character that cannot be printed", p.Plan)
	case p.Unlisted.Name != "":
		return fmt.Errorf("the rule for unlisted services has the name %q: leave it empty", p.Unlisted.Name)
	case len(p.Services) > MaxServices:
		return fmt.Errorf("%d services are listed: at most %d are allowed", len(p.Services), MaxServices)
	}
	sum := 0
	for i, s := range p.Services {
		if err := CheckService(s.Name); err != nil {
			return err
		}
		if i > 0 && p.Services[i-1].Name == s.Name {
			return fmt.Errorf("the service %q is listed twice", s.Name)
		}
		if i > 0 && p.Services[i-1].Name > s.Name {
			return fmt.Errorf("the services are not sorted by name: %q stands after %q", s.Name, p.Services[i-1].Name)
		}
		if s.Priority < 1 {
			return fmt.Errorf("service %q has priority %d: set 1 to %d", s.Name, s.Priority, MaxPriority)
		}
		if err := s.check(); err != nil {
			return err
		}
		sum += s.Minimum
	}
	if err := p.Unlisted.check(); err != nil {
		return err
	}
	if sum > p.Available() {
		return fmt.Errorf("the services' minimums add up to %d but only %d of %d connections are available (%d reserved): lower the minimums or raise the limit",
			sum, p.Available(), p.Limit, p.Reserve)
	}
	return nil
}

func (s *Service) check() error {
	what, least := fmt.Sprintf("service %q", s.Name), "1"
	if s.Name == "" {
		what, least = "the rule for unlisted services", "0 (refuse them)"
	}
	switch {
	case s.Priority < 0 || s.Priority > MaxPriority:
		return fmt.Errorf("%s has priority %d: set %s to %d", what, s.Priority, least, MaxPriority)
	case s.Minimum < 0 || s.Minimum > MaxUnits:
		return fmt.Errorf("%s has a minimum of %d: set 0 to %d", what, s.Minimum, MaxUnits)
	case s.Maximum < 0 || s.Maximum > MaxUnits:
		return fmt.Errorf("%s has a maximum of %d: set 0 (none) to %d", what, s.Maximum, MaxUnits)
	case s.Maximum > 0 && s.Maximum < s.Minimum:
		return fmt.Errorf("%s has a maximum of %d below its minimum of %d: raise the one or lower the other", what, s.Maximum, s.Minimum)
	}
	return nil
}

// BuiltinServices are the services that Conncord knows without a policy file,
// sorted by name.
func BuiltinServices() []Service {
	return []Service{
		{Name: "api", Priority: 8, Minimum: 3},
		{Name: "external", Priority: 1, Minimum: 1},
		{Name: "monitoring", Priority: 3, Minimum: 1},
		{Name: "scraper", Priority: 10, Minimum: 5},
		{Name: "viewer", Priority: 5, Minimum: 2},
	}
}

// UnlistedService is the rule for services that no list names: the lowest
// priority and no minimum.
func UnlistedService() Service { return Service{Priority: 1} }

// SortServices sorts by name, as a [Policy] wants them.
func SortServices(s []Service) {
	slices.SortFunc(s, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
}

// A Plan is a database offering with a known limit of direct connections.
type Plan struct {
	Name  string
	Limit int
}

// Plans are the plans and compute sizes of Supabase: the four plan names as
// they are commonly configured, and the compute sizes with the number of direct
// connections that Supabase documents for each.
func Plans() []Plan {
	return []Plan{
		{"free", 60}, {"pro", 200}, {"team", 400}, {"enterprise", 1000},
		{"nano", 60}, {"micro", 60}, {"small", 90}, {"medium", 120}, {"large", 160}, {"xl", 240},
		{"2xl", 380}, {"4xl", 480}, {"8xl", 490}, {"12xl", 500}, {"16xl", 500},
	}
}

// FindPlan looks a plan up by its name, in any case.
func FindPlan(name string) (Plan, bool) {
	for _, p := range Plans() {
		if strings.EqualFold(p.Name, name) {
			return p, true
		}
	}
	return Plan{}, false
}
