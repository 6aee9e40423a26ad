package monitor

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/conncord/conncord/projector/status"
)

const (
	twoColumns   = 76  // the width from which configuration and usage stand beside each other
	threeColumns = 136 // and the width from which the arbiter does, too
)

// A document is the status, as long as it is. Only lines that are seen are asked
// for.
type document struct {
	before, after []string
	rows          []row
	spots         []int // the lines with a container, from the top of the document
	table         table
}

// A row is a line of the containers' part: a service, or a container of it.
type row struct {
	name      string
	service   *status.Service
	container *status.Container // nil: the line is the service's
}

// compose makes the document of a status.
func compose(s *status.Status, how status.PrintOptions, theme theme) *document {
	d := &document{}
	part := func(to *[]string, p status.Part) {
		lines := s.Lines(p, how)
		if len(lines) == 0 {
			return
		}
		if len(d.before) > 0 {
			*to = append(*to, "")
		}
		*to = append(append(*to, theme.heading(p.Title(how), how.Width)), lines...)
	}
	top := []status.Part{status.Configuration, status.Usage, status.Coordination}
	switch {
	case how.Width >= threeColumns:
		d.before = beside(s, how, theme, top)
		top = nil
	case how.Width >= twoColumns:
		d.before = beside(s, how, theme, top[:2])
		top = top[2:]
	default:
		part(&d.before, status.Configuration)
		part(&d.before, status.Usage)
		top = top[2:]
	}
	part(&d.before, status.Alerts)
	part(&d.before, status.Services)
	d.containers(s, how, theme)
	part(&d.after, status.Recommendations)
	for _, p := range top {
		part(&d.after, p)
	}
	return d
}

// beside puts parts beside each other.
func beside(s *status.Status, how status.PrintOptions, theme theme, parts []status.Part) []string {
	const gap = 2
	narrow := how
	narrow.Width = (how.Width - gap*(len(parts)-1)) / len(parts)
	var columns []string
	for i, p := range parts {
		lines := append([]string{theme.heading(p.Title(narrow), narrow.Width)}, s.Lines(p, narrow)...)
		block := lipgloss.NewStyle().Width(narrow.Width)
		if i < len(parts)-1 {
			block = block.Width(narrow.Width + gap)
		}
		columns = append(columns, block.Render(strings.Join(lines, "\n")))
	}
	return strings.Split(lipgloss.JoinHorizontal(lipgloss.Top, columns...), "\n")
}

// containers lists the rows. It draws none of them.
func (d *document) containers(s *status.Status, how status.PrintOptions, theme theme) {
	d.before = append(d.before, "", theme.heading(status.Containers.Title(how), how.Width))
	longestID, longestHost := 0, 0
	var rows []row
	for _, name := range s.Ordered(how.Order, how.Service) {
		service := s.Services[name]
		if service.Count == 0 && len(service.Containers) == 0 {
			continue
		}
		rows = append(rows, row{name: name, service: service})
		for _, c := range service.Sorted(how.Order) {
			rows = append(rows, row{name, service, c})
			longestID, longestHost = max(longestID, len(c.ID)), max(longestHost, len(c.Host))
		}
	}
	if len(rows) == 0 {
		d.before = append(d.before, s.Lines(status.Containers, how)...)
		return
	}
	d.table = newTable(how.Width, longestID, longestHost, theme, how)
	d.before = append(d.before, d.table.header())
	d.rows = rows
	for i := range rows {
		if rows[i].container != nil {
			d.spots = append(d.spots, len(d.before)+i)
		}
	}
}

func (d *document) len() int { return len(d.before) + len(d.rows) + len(d.after) }

// line draws one line. The chosen container is told by its index.
func (d *document) line(i, chosen int) string {
	if i < len(d.before) {
		return d.before[i]
	}
	if r := i - len(d.before); r < len(d.rows) {
		if c := d.rows[r].container; c != nil {
			return d.table.container(c, chosen >= 0 && chosen < len(d.spots) && d.spots[chosen] == i)
		}
		return d.table.service(d.rows[r].name, d.rows[r].service)
	}
	return d.after[i-len(d.before)-len(d.rows)]
}

// container returns the container with this index; nil if there is none.
func (d *document) container(index int) *status.Container {
	if index < 0 || index >= len(d.spots) {
		return nil
	}
	return d.rows[d.spots[index]-len(d.before)].container
}

// find returns the index of the container with this id, -1 if it is not there.
func (d *document) find(id string) int {
	for i := range d.spots {
		if d.container(i).ID == id {
			return i
		}
	}
	return -1
}
