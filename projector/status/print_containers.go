package status

import (
	"fmt"
	"strings"
)

func (s *Status) containers(o PrintOptions) []string {
	names := s.Ordered(o.Order, o.Service)
	if len(names) == 0 {
		return []string{"  " + s.noService(o)}
	}
	var lines []string
	for _, name := range names {
		service := s.Services[name]
		if service.Count == 0 && len(service.Containers) == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, "  "+paint(o, bold, strings.ToUpper(cut(o, name, o.Width-4)))+":")
		if len(service.Containers) == 0 {
			lines = append(lines, "    "+plural(service.Count, "container", "containers")+", left out of this status because there are many")
			continue
		}
		sorted := service.Sorted(o.Order)
		for _, c := range sorted[:min(o.MaxContainers, len(sorted))] {
			lines = append(lines, c.lines(o)...)
		}
		if n := len(sorted) - o.MaxContainers; n > 0 {
			lines = append(lines, "    "+ellipsis(o)+" and "+number(n)+" more")
		}
	}
	if len(lines) == 0 {
		return []string{"  No container is registered."}
	}
	return lines
}

func (c *Container) lines(o PrintOptions) []string {
	host := ""
	if c.Host != "" {
		host = " (" + cut(o, c.Host, o.Width/3) + ")"
	}
	id := cut(o, c.ID, max(o.Width, minLayout)-len("    * ")-len(host))
	lines := []string{
		"    " + bullet(o) + " " + paint(o, cyan, id) + host,
		fmt.Sprintf("      Connections: %d | Reserved at: %s | In use: %d", c.Connections, Clock(c.ReservedAt, o), c.InUse),
	}
	mood := yellow
	if c.State == Silent || c.State == Lost {
		mood = red
	}
	for _, text := range wrapped(o, "", "", c.Note(o), 6) {
		lines = append(lines, "      "+paint(o, mood, text))
	}
	return lines
}

// Note says on one line what is unusual about the container, and why it is so;
// empty: nothing.
func (c *Container) Note(o PrintOptions) string {
	var parts []string
	if c.Want > c.Granted {
		parts = append(parts, "wants "+number(c.Want))
	}
	if c.Waiting > 0 {
		parts = append(parts, plural(c.Waiting, "caller waits", "callers wait"))
	}
	switch c.State {
	case Silent, Lost:
		parts = append(parts, string(c.State)+", last heard at "+Clock(c.HeardAt, o))
	default:
		if back := c.Connections - c.Granted; back > 0 {
			parts = append(parts, "gives "+number(back)+" back")
		}
	}
	note := strings.Join(parts, ", ")
	switch reason := clean(o, c.Reason); {
	case reason == "":
	case note == "":
		note = reason
	default:
		note += ": " + reason
	}
	return capital(note)
}
