package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxChanged is how many containers a difference lists.
const maxChanged = 1000

// Changes are what is different between two states.
type Changes struct {
	From Mark `json:"from"`
	To   Mark `json:"to"`

	Budget     []Change          `json:"budget"`     // limit, reserve, available, charged, plan, ttl, margin, rule, leader, epoch, incarnation
	Services   []ServiceChange   `json:"services"`   // by name
	Containers []ContainerChange `json:"containers"` // by service and id
	More       int               `json:"more_containers,omitempty"`
}

// A Mark names a state: its newest record, and when that was made.
type Mark struct {
	Sequence    uint64    `json:"sequence"`
	Incarnation ID        `json:"incarnation"`
	At          time.Time `json:"at"`
}

// A Change is a value that is another one.
type Change struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// A ServiceChange is what is different about a service.
type ServiceChange struct {
	Service string   `json:"service"`
	State   string   `json:"state"`  // joined, left or changed
	Values  []Change `json:"values"` // containers, units, charge, want, priority, minimum, maximum
}

// A ContainerChange is what is different about a container.
type ContainerChange struct {
	Container string   `json:"container"`
	Service   string   `json:"service"`
	State     string   `json:"state"`  // joined, left or changed
	Values    []Change `json:"values"` // units, charge, want, state, reason, lease
}

// The states of what changed.
const (
	joined  = "joined"
	left    = "left"
	changed = "changed"
)

// Diff returns what changed from one state to another.
func Diff(a, b *State) *Changes {
	c := &Changes{From: a.mark(), To: b.mark(), Services: []ServiceChange{}, Containers: []ContainerChange{}}
	c.Budget = compare(a.values(), b.values())
	before, after := servicesOf(a), servicesOf(b)
	for _, name := range union(before, after) {
		if s, values := compareOf(before, after, name); s != "" {
			c.Services = append(c.Services, ServiceChange{name, s, values})
		}
	}
	was, is := containersOf(a), containersOf(b)
	for _, id := range union(was, is) {
		s, values := compareOf(was, is, id)
		if s == "" {
			continue
		}
		if len(c.Containers) == maxChanged {
			c.More++
			continue
		}
		c.Containers = append(c.Containers, ContainerChange{id, cmp.Or(is[id], was[id]).service, s, values})
	}
	slices.SortStableFunc(c.Containers, func(a, b ContainerChange) int { return strings.Compare(a.Service, b.Service) })
	return c
}

func (s *State) mark() Mark {
	return Mark{s.Record.Sequence, ID(s.Record.Incarnation), s.Time()}
}

// values are the names and values of a thing, in the order in which they are told.
type values []Change

func (v *values) add(name string, value any) {
	*v = append(*v, Change{Name: name, To: fmt.Sprint(value)})
}

// compare returns those that differ. Both have the same names.
func compare(a, b values) []Change {
	list := []Change{}
	for i := range b {
		if a[i].To != b[i].To {
			list = append(list, Change{b[i].Name, a[i].To, b[i].To})
		}
	}
	return list
}

// A thing is a service or a container in one state.
type thing struct {
	service string
	values  values
}

// compareOf compares a thing in two states. It returns no state when nothing
// changed.
func compareOf(before, after map[string]*thing, name string) (string, []Change) {
	a, b := before[name], after[name]
	switch {
	case a == nil:
		return joined, compare(make(values, len(b.values)), b.values)
	case b == nil:
		list := []Change{}
		for _, v := range a.values {
			if v.To != "" {
				list = append(list, Change{Name: v.Name, From: v.To})
			}
		}
		return left, list
	}
	if list := compare(a.values, b.values); len(list) > 0 {
		return changed, list
	}
	return "", nil
}

func union(a, b map[string]*thing) []string {
	names := []string{}
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if a[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *State) values() (v values) {
	p := &s.Ledger.Policy
	v.add("incarnation", ID(s.Ledger.Incarnation))
	v.add("epoch", s.Ledger.Epoch)
	v.add("leader", s.view.Leader)
	v.add("plan", p.Plan)
	v.add("limit", p.Limit)
	v.add("reserve", p.Reserve)
	v.add("available", s.Record.Available)
	v.add("charged", s.Record.Charged)
	v.add("ttl", p.TTL)
	v.add("margin", p.Margin)
	v.add("rule", p.Rule)
	return v
}

// servicesOf are the services that the policy lists or a container is of.
func servicesOf(s *State) map[string]*thing {
	type sum struct{ containers, units, charge, want int }
	sums := map[string]*sum{}
	for _, rule := range s.Ledger.Policy.Services {
		sums[rule.Name] = &sum{}
	}
	for i := range s.Ledger.Containers {
		c := &s.Ledger.Containers[i]
		if sums[c.Service] == nil {
			sums[c.Service] = &sum{}
		}
		n := sums[c.Service]
		n.containers, n.units, n.charge, n.want = n.containers+1, n.units+c.Units, n.charge+c.Charge, n.want+c.Want
	}
	list := map[string]*thing{}
	for name, n := range sums {
		rule, _ := s.Ledger.Policy.Find(name)
		t := &thing{service: name}
		t.values.add("containers", n.containers)
		t.values.add("units", n.units)
		t.values.add("charge", n.charge)
		t.values.add("want", n.want)
		t.values.add("priority", rule.Priority)
		t.values.add("minimum", rule.Minimum)
		t.values.add("maximum", rule.Maximum)
		list[name] = t
	}
	return list
}

func containersOf(s *State) map[string]*thing {
	list := map[string]*thing{}
	for i := range s.Ledger.Containers {
		c := &s.Ledger.Containers[i]
		t := &thing{service: c.Service}
		t.values.add("units", c.Units)
		t.values.add("charge", c.Charge)
		t.values.add("want", c.Want)
		t.values.add("lease", c.Lease)
		list[c.ID] = t
	}
	for _, service := range s.view.Services {
		for i := range service.Containers {
			c := &service.Containers[i]
			if t := list[c.ID]; t != nil {
				t.values.add("state", c.State)
				t.values.add("reason", c.ReasonCode)
			}
		}
	}
	return list
}
