package monitor

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/conncord/conncord/projector/status"
)

// openContainer opens the page of the chosen container.
func (m *model) openContainer() {
	if m.chosenID == "" {
		return
	}
	m.page, m.opened = container, m.chosenID
	m.fillContainer()
	m.pane.GotoTop()
}

func (m *model) openHelp() {
	m.page = helping
	how := m.printing()
	lines := []string{m.theme.heading(m.theme.strong.Render("KEYS"), m.width)}
	for _, k := range m.keys.all() {
		lines = append(lines, fmt.Sprintf("  %-12s %s", k.Help().Key, k.Help().Desc))
	}
	lines = append(lines, "", m.theme.heading(status.Containers.Title(how), m.width),
		"  CONN      connections that count for the container",
		"  USED      of these, in use as it last said",
		"  WAIT      callers that wait for one",
		"  WANT      connections that it asks for",
		"  RESERVED  when its lease began")
	m.fill(lines)
	m.pane.GotoTop()
}

func (m *model) fill(lines []string) {
	m.pane.SetWidth(m.width)
	m.pane.SetHeight(m.bodyHeight())
	m.pane.SetContent(strings.Join(lines, "\n"))
}

// fillContainer writes what is known of the opened container. One that has left
// stays as it was last seen.
func (m *model) fillContainer() {
	c, service := m.shown.Find(m.opened)
	if c == nil {
		m.fill([]string{"", "  " + m.theme.warn.Render("The container "+status.Clean(m.opened)+" has left.")})
		return
	}
	how := m.printing()
	row := func(name, value string) string {
		return ansi.Truncate(fmt.Sprintf("  %-22s %s", name, status.Clean(value)), m.width, m.theme.more)
	}
	number := func(name string, n int) string { return row(name, fmt.Sprint(n)) }
	lines := []string{
		m.theme.heading(m.theme.strong.Render(m.icon("🐳")+ansi.Truncate(status.Clean(c.ID), max(1, m.width-4), m.theme.more)), m.width),
		row("Service:", service), row("Host:", c.Host), row("State:", string(c.State)),
		number("Connections:", c.Connections), number("Granted:", c.Granted), number("In Use:", c.InUse),
		number("Waiting:", c.Waiting), number("Wants:", c.Want),
	}
	if c.Position > 0 {
		lines = append(lines, number("Place in the Queue:", c.Position))
	}
	if c.Backends != nil {
		lines = append(lines, number("Seen in the Database:", *c.Backends))
	}
	lines = append(lines, row("Reserved at:", status.Clock(c.ReservedAt, how)), row("Last heard at:", status.Clock(c.HeardAt, how)), row("Lease:", c.Lease))
	lines = append(lines, "", m.theme.heading(m.theme.strong.Render(m.icon("🔎")+"WHY"), m.width))
	lines = append(lines, m.paragraph(status.Clean(m.shown.Explain(m.opened)))...)
	if c.Reason != "" {
		lines = append(append(lines, ""), m.paragraph("The arbiter's reason: "+status.Clean(c.Reason)+".")...)
	}
	m.fill(lines)
}
