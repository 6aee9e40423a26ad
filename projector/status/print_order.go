package status

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// An Order is what services, and containers within a service, are sorted by.
type Order string

// The orders. With each, equals follow by name.
const (
	ByPriority    Order = ""            // services by priority, containers by registration
	ByConnections Order = "connections" // most first
	ByWaiting     Order = "waiting"     // most waiting callers first
	ByName        Order = "name"
	ByReserved    Order = "reserved" // the newest lease first
)

// Orders lists the orders that have a name.
func Orders() []Order { return []Order{ByConnections, ByWaiting, ByName, ByReserved} }

// Ordered returns the names of the services in this order: those whose name
// contains the text.
func (s *Status) Ordered(order Order, containing string) []string {
	names := slices.DeleteFunc(s.Names(), func(name string) bool { return !strings.Contains(name, containing) })
	switch order {
	case ByConnections:
		slices.SortStableFunc(names, func(a, b string) int {
			return cmp.Compare(s.Services[b].TotalConnections, s.Services[a].TotalConnections)
		})
	case ByWaiting:
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(s.Services[b].Waiting, s.Services[a].Waiting) })
	case ByName:
		slices.Sort(names)
	case ByReserved:
		newest := make(map[string]time.Time, len(names))
		for _, name := range names {
			for i := range s.Services[name].Containers {
				if at := s.Services[name].Containers[i].ReservedAt; at.After(newest[name]) {
					newest[name] = at
				}
			}
		}
		slices.SortStableFunc(names, func(a, b string) int { return newest[b].Compare(newest[a]) })
	}
	return names
}

// Sorted returns the service's containers in this order. It does not change the
// service.
func (s *Service) Sorted(order Order) []*Container {
	sorted := make([]*Container, len(s.Containers))
	for i := range s.Containers {
		sorted[i] = &s.Containers[i]
	}
	var first func(a, b *Container) int
	switch order {
	case ByConnections:
		first = func(a, b *Container) int { return cmp.Compare(b.Connections, a.Connections) }
	case ByWaiting:
		first = func(a, b *Container) int { return cmp.Compare(b.Waiting, a.Waiting) }
	case ByName:
		first = func(a, b *Container) int { return 0 }
	case ByReserved:
		first = func(a, b *Container) int { return b.ReservedAt.Compare(a.ReservedAt) }
	default:
		return sorted
	}
	slices.SortFunc(sorted, func(a, b *Container) int { return cmp.Or(first(a, b), strings.Compare(a.ID, b.ID)) })
	return sorted
}
