package status

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The columns of the table, with the spaces between them.
const (
	minNameColumn = 15
	maxNameColumn = 40
	otherColumns  = 2 + 1 + 12 + 1 + 15 + 1 + 12
	moreColumns   = 1 + 8 + 1 + 8 // left out where there is no room for them
)

func (s *Status) services(o PrintOptions) []string {
	names := s.Ordered(o.Order, o.Service)
	if len(names) == 0 {
		return []string{"  " + s.noService(o)}
	}
	room := o.Width - otherColumns
	more := room >= minNameColumn+moreColumns
	if more {
		room -= moreColumns
	}
	name := minNameColumn
	for _, n := range names {
		name = max(name, ansi.StringWidth(clean(o, n)))
	}
	name = max(minNameColumn, min(name, room, maxNameColumn))
	row := func(service, containers, connections, pct, inUse, waiting string) string {
		line := fmt.Sprintf("  %s %-12s %-15s %-12s", left(o, service, name), containers, connections, pct)
		if more {
			line += fmt.Sprintf(" %-8s %s", inUse, waiting)
		}
		return strings.TrimRight(line, " ")
	}
	rule := func(n int) string { return strings.Repeat("-", n) }
	lines := []string{
		row("Service", "Containers", "Connections", "% of Total", "In Use", "Waiting"),
		row(rule(name), rule(12), rule(15), rule(12), rule(8), rule(8)),
	}
	for _, n := range names {
		service := s.Services[n]
		waiting := number(service.Waiting)
		if service.Waiting > 0 {
			waiting = paint(o, yellow, waiting)
		}
		lines = append(lines, row(n, number(service.Count), number(service.TotalConnections),
			fmt.Sprintf("%.1f%%", service.Pct), number(service.InUse), waiting))
	}
	return lines
}

// noService says why there is no service to print.
func (s *Status) noService(o PrintOptions) string {
	if o.Service != "" && len(s.Services) > 0 {
		return fmt.Sprintf("No service has %q in its name.", cut(o, o.Service, 30))
	}
	return "No container has registered yet."
}
