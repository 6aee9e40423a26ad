package monitor

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/conncord/conncord/projector/status"
)

// frame is the lines around the document: two above it and one below.
const frame = 3

// bodyHeight is how many lines of the document are on the screen.
func (m *model) bodyHeight() int { return max(1, m.height-frame) }

// View draws the screen: as many lines as it has, none longer than it is wide.
func (m *model) View() tea.View {
	lines := []string{m.titleLine(), m.stateLine()}
	switch {
	case m.page != overview:
		lines = append(lines, strings.Split(m.pane.View(), "\n")...)
	case m.document == nil:
		lines = append(lines, m.nothing()...)
	default:
		for i := m.top; i < min(m.top+m.bodyHeight(), m.document.len()); i++ {
			lines = append(lines, m.document.line(i, m.chosen))
		}
	}
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:max(0, min(len(lines), m.height-1))], m.footer())
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], m.width, "")
	}
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen = true
	return v
}

func (m *model) icon(symbol string) string {
	if m.terminal.ASCII {
		return ""
	}
	return symbol + " "
}

func (m *model) titleLine() string {
	title := m.icon("🌐") + "GLOBAL CONNECTION MONITOR"
	if m.width >= 76 {
		title += " (ALL CONTAINERS)"
	}
	return m.apart(m.theme.strong.Render(title), m.budget+"  "+m.icon("⏰")+m.now().In(m.how.Location).Format("15:04:05"))
}

// apart puts one text to the left and one to the right. Where there is no room
// for both, the left one is cut.
func (m *model) apart(left, right string) string {
	room := m.width - lipgloss.Width(right) - 1
	if room < m.width/3 {
		return left
	}
	left = ansi.Truncate(left, room, m.theme.more)
	return left + strings.Repeat(" ", m.width-lipgloss.Width(left)-lipgloss.Width(right)) + right
}

// stateLine says how the budget is, or why what is shown may not be so.
func (m *model) stateLine() string {
	var how []string
	if m.how.Service != "" {
		how = append(how, "only: "+status.Clean(m.how.Service))
	}
	if m.how.Order != status.ByPriority {
		how = append(how, "sorted by "+string(m.how.Order))
	}
	right := m.theme.faint.Render(strings.Join(how, ", "))
	if m.shown == nil {
		return m.apart(status.Unknown.Label(m.printing()), right)
	}
	health := m.shown.HealthAt(m.now()).Label(m.printing())
	if trouble := m.trouble(); trouble != "" {
		return m.apart(health+" "+m.theme.bad.Render(trouble), right)
	}
	s := m.shown
	return m.apart(fmt.Sprintf("%s %d/%d connections (%.1f%%), %d remaining", health, s.TotalAllocated, s.Available, s.UtilizationPct, s.Remaining), right)
}

// trouble says why what is shown may not be so any more; empty: it is.
func (m *model) trouble() string {
	age := status.Ago(m.shown.Age(m.now()))
	switch {
	case !m.paused.IsZero():
		return "PAUSED at " + m.paused.In(m.how.Location).Format("15:04:05") + ": p goes on"
	case m.update.Err != nil:
		return fmt.Sprintf("Showing what was known %s ago. %s", age, unavailable(m.update.Err))
	case m.shown.Stale(m.now()):
		return fmt.Sprintf("STALE: nothing was published for %s. Is an arbiter running?", age)
	case m.shown.Partial:
		return "PARTIAL: the containers are left out of this status"
	}
	return ""
}

// unavailable says why nothing newer can be read.
func unavailable(err error) string {
	if errors.Is(err, status.ErrVersion) {
		return "Cannot " + status.Clean(err.Error())
	}
	return "Redis unavailable: " + status.Clean(err.Error())
}

// nothing says why there is nothing to show.
func (m *model) nothing() []string {
	text, more, how := "Asking for the status.", "", m.theme.strong
	switch {
	case !m.heard:
	case m.update.Err != nil:
		text, how = unavailable(m.update.Err), m.theme.bad
		more = "The status will be shown as soon as it can be read."
	default:
		text, how = "No status yet: is an arbiter running?", m.theme.warn
		more = "The arbiters of a budget publish its status. It will be shown as soon as one does."
	}
	lines := []string{""}
	for _, line := range m.paragraph(text) {
		lines = append(lines, how.Render(line))
	}
	lines = append(append(lines, ""), m.paragraph("Budget "+m.budget+" at "+m.where)...)
	return append(append(lines, ""), m.paragraph(more)...)
}

// paragraph breaks a clean text into lines, indented as the parts are.
func (m *model) paragraph(text string) []string {
	lines := strings.Split(ansi.Wrap(text, max(20, m.width-4), ""), "\n")
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// redisPlace names the Redis without what is nobody's business.
func redisPlace(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "Redis"
	}
	if u.Scheme == "unix" {
		return status.Clean("unix://" + u.Path)
	}
	return status.Clean(u.Scheme + "://" + u.Host + u.Path)
}

func (m *model) footer() string {
	if m.typing {
		return m.apart("Show services whose name contains: "+m.theme.chosen.Render(status.Clean(m.how.Service)+" "), m.theme.faint.Render("enter keep, esc all"))
	}
	hints := [][2]string{{"q", "quit"}, {"up/down", "choose"}, {"enter", "why"}, {"s", "sort"}, {"/", "filter"}, {"p", "pause"}, {"?", "help"}}
	if m.page != overview {
		hints = [][2]string{{"esc", "back"}, {"q", "quit"}, {"up/down", "scroll"}, {"p", "pause"}}
	}
	separator := " · "
	if m.terminal.ASCII {
		separator = " | "
	}
	var parts []string
	for _, h := range hints {
		key := h[0]
		if key == "up/down" && !m.terminal.ASCII {
			key = "↑↓"
		}
		parts = append(parts, m.theme.strong.Render(key)+" "+m.theme.faint.Render(h[1]))
	}
	return m.apart(strings.Join(parts, m.theme.faint.Render(separator)), m.theme.faint.Render(m.position()))
}

// position says which part of the document is on the screen; empty: all.
func (m *model) position() string {
	if m.page != overview || m.document == nil || m.document.len() <= m.bodyHeight() {
		return ""
	}
	return fmt.Sprintf("%d-%d/%d", m.top+1, min(m.top+m.bodyHeight(), m.document.len()), m.document.len())
}
