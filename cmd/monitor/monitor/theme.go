package monitor

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/projector/status"
)

// A theme is how things look. Colours are of the sixteen that terminals let
// their users choose; without them bold and reverse say the same.
type theme struct {
	strong, faint, chosen  lipgloss.Style
	good, warn, bad, quiet lipgloss.Style
	line, mark, more       string
}

func newTheme(t cli.Terminal) theme {
	plain := lipgloss.NewStyle()
	look := theme{
		strong: plain.Bold(true), faint: plain.Faint(true), chosen: plain.Reverse(true),
		good: plain, warn: plain.Bold(true), bad: plain.Bold(true), quiet: plain,
		line: "─", mark: "▸ ", more: "…",
	}
	if t.Color {
		look.good = plain.Foreground(lipgloss.Green)
		look.warn = plain.Foreground(lipgloss.Yellow)
		look.bad = plain.Foreground(lipgloss.Red).Bold(true)
		look.quiet = plain.Foreground(lipgloss.Cyan)
	}
	if t.ASCII {
		look.line, look.mark, look.more = "-", "> ", "..."
	}
	return look
}

// of is the style of a container's state.
func (t theme) of(s status.State) lipgloss.Style {
	switch s {
	case status.Active:
		return t.good
	case status.Waiting, status.Recalling:
		return t.warn
	}
	return t.bad
}

// heading is a title with a line after it, to the end of the width.
func (t theme) heading(title string, width int) string {
	rest := width - lipgloss.Width(title) - 1
	if rest < 1 {
		return title
	}
	return title + " " + t.faint.Render(strings.Repeat(t.line, rest))
}
