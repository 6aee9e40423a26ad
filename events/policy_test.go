package events

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func freePolicy() Policy {
	return Policy{
		Rule: 1, Plan: "free", Limit: 60, Reserve: 6, TTL: 5 * time.Minute, Margin: 2 * time.Second,
		Unlisted: UnlistedService(), Services: BuiltinServices(),
	}
}

func TestPolicyCheck(t *testing.T) {
	good := freePolicy()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Policy){
		"rule version 0 is not known: this program knows 1 to 1":                                    func(p *Policy) { p.Rule = 0 },
		"rule version 2 is not known: this program knows 1 to 1":                                    func(p *Policy) { p.Rule = 2 },
		"the limit of 0 connections is out of range: set 1 to 262143":                               func(p *Policy) { p.Limit = 0 },
		"the limit of 262144 connections is out of range: set 1 to 262143":                          func(p *Policy) { p.Limit = 262_144 },
		"a reserve of 60 leaves nothing of the limit of 60: lower the reserve":                      func(p *Policy) { p.Reserve = 60 },
		"a reserve of -1 leaves nothing of the limit of 60: lower the reserve":                      func(p *Policy) { p.Reserve = -1 },
		"a lease duration of 10ms is out of range: set 1s to 24h0m0s":                               func(p *Policy) { p.TTL = 10 * time.Millisecond },
		"a lease duration of 25h0m0s is out of range: set 1s to 24h0m0s":                            func(p *Policy) { p.TTL = 25 * time.Hour },
		"a lease duration of 7s is too short for a drift margin of 2s: set at least 8s":             func(p *Policy) { p.TTL = 7 * time.Second },
		"the drift margin of -1s is negative: set 0 or more":                                        func(p *Policy) { p.Margin = -time.Second },
		"the plan's name has 64 bytes: at most 63 are allowed":                                      func(p *Policy) { p.Plan = strings.Repeat("p", 64) },
		`the plan's name "a\nb" has a character that cannot be printed`:                             func(p *Policy) { p.Plan = "a\nb" },
		`the rule for unlisted services has the name "x": leave it empty`:                           func(p *Policy) { p.Unlisted.Name = "x" },
		"the rule for unlisted services has priority 1001: set 0 (refuse them) to 1000":             func(p *Policy) { p.Unlisted.Priority = 1001 },
		"the rule for unlisted services has priority -1: set 0 (refuse them) to 1000":               func(p *Policy) { p.Unlisted.Priority = -1 },
		"65 services are listed: at most 64 are allowed":                                            func(p *Policy) { p.Services = make([]Service, 65) },
		"invalid name: the service name is empty":                                                   func(p *Policy) { p.Services[0].Name = "" },
		`the service "api" is listed twice`:                                                         func(p *Policy) { p.Services[1].Name = "api" },
		`the services are not sorted by name: "external" stands after "zebra"`:                      func(p *Policy) { p.Services[0].Name = "zebra" },
		`service "api" has priority 0: set 1 to 1000`:                                               func(p *Policy) { p.Services[0].Priority = 0 },
		`service "api" has priority 1001: set 1 to 1000`:                                            func(p *Policy) { p.Services[0].Priority = 1001 },
		`service "api" has a minimum of -1: set 0 to 262143`:                                        func(p *Policy) { p.Services[0].Minimum = -1 },
		`service "api" has a maximum of -1: set 0 (none) to 262143`:                                 func(p *Policy) { p.Services[0].Maximum = -1 },
		`service "api" has a maximum of 2 below its minimum of 3: raise the one or lower the other`: func(p *Policy) { p.Services[0].Maximum = 2 },
		"the services' minimums add up to 12 but only 11 of 60 connections are available (49 reserved): lower the minimums or raise the limit": func(p *Policy) {
			p.Reserve = 49
		},
	} {
		p := freePolicy()
		spoil(&p)
		if err := p.Check(); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestPolicyFind(t *testing.T) {
	p := freePolicy()
	if s, ok := p.Find("viewer"); !ok || s.Priority != 5 || s.Minimum != 2 {
		t.Errorf("viewer: %+v %v", s, ok)
	}
	if s, ok := p.Find("reports"); !ok || s != (Service{Name: "reports", Priority: 1}) {
		t.Errorf("unlisted: %+v %v", s, ok)
	}
	p.Unlisted.Priority = 0
	if _, ok := p.Find("reports"); ok {
		t.Error("an unlisted service is admitted")
	}
	if !slices.IsSortedFunc(BuiltinServices(), func(a, b Service) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the builtin services are not sorted")
	}
}

func TestAvailable(t *testing.T) {
	for _, c := range [][3]int{{60, 6, 54}, {60, 0, 60}, {5, 9, 0}} {
		if got := (&Policy{Limit: c[0], Reserve: c[1]}).Available(); got != c[2] {
			t.Errorf("%d less %d is %d", c[0], c[1], got)
		}
	}
}

func TestPlans(t *testing.T) {
	for name, limit := range map[string]int{"free": 60, "PRO": 200, "Team": 400, "enterprise": 1000, "nano": 60, "16XL": 500} {
		if p, ok := FindPlan(name); !ok || p.Limit != limit {
			t.Errorf("plan %s: %+v %v", name, p, ok)
		}
	}
	if _, ok := FindPlan("gold"); ok {
		t.Error("there is a plan gold")
	}
	seen := map[string]bool{}
	for _, p := range Plans() {
		if key := strings.ToLower(p.Name); seen[key] || p.Limit < 1 || p.Limit > MaxUnits {
			t.Errorf("plan %+v", p)
		} else {
			seen[key] = true
		}
	}
}
