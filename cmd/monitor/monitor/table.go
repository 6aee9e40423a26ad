package monitor

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/conncord/conncord/projector/status"
)

const (
	// otherColumns is what the table takes beside the container, its host and
	// the note: the mark, four numbers, a time and a state, and a space before
	// each.
	otherColumns = 2 + 1 + 4*(1+numberColumn) + 1 + 8 + 1 + 9
	numberColumn = 5

	minNoteColumn = 24 // less says nothing
	minNames      = 24 // with less for both, the container stands without its host
	maxIDColumn   = 40
	maxHostColumn = 24
)

// A table draws containers, one a line.
type table struct {
	width          int
	id, host, note int // columns; 0: there is no room for it
	theme          theme
	how            status.PrintOptions
}

// newTable shares the width out: to names as far as they are long, the rest to
// the notes.
func newTable(width, longestID, longestHost int, theme theme, how status.PrintOptions) table {
	room := max(2, width-otherColumns)
	t := table{width: width, theme: theme, how: how}
	t.id = min(max(longestID, len("CONTAINER")), maxIDColumn)
	t.host = min(max(longestHost, len("HOST")), maxHostColumn)
	if room < minNames {
		t.id, t.host = room, 0
	}
	if t.id+t.host > room {
		t.host = min(t.host, max(room*2/5, room-t.id))
		t.id = room - t.host
	}
	if rest := room - t.id - t.host - 1; rest >= minNoteColumn {
		t.note = rest
	}
	return t
}

func (t table) header() string {
	return t.theme.faint.Render(t.line("  ", "CONTAINER", "HOST", "CONN", "USED", "WAIT", "WANT", "RESERVED", "STATE", "WHY"))
}

// service is the line before a service's containers.
func (t table) service(name string, s *status.Service) string {
	text := strings.ToUpper(status.Clean(name)) + ":"
	what := fmt.Sprintf(" %d containers, %d connections", s.Count, s.TotalConnections)
	if s.Count == 1 {
		what = fmt.Sprintf(" 1 container, %d connections", s.TotalConnections)
	}
	if len(s.Containers) == 0 && s.Count > 0 {
		what += ", left out of this status because there are many"
	}
	return ansi.Truncate("  "+t.theme.strong.Render(text)+t.theme.faint.Render(what), t.width, t.theme.more)
}

// container is one container's line.
func (t table) container(c *status.Container, chosen bool) string {
	mark := "  "
	if chosen {
		mark = t.theme.mark
	}
	line := t.line(mark, c.ID, c.Host, strconv.Itoa(c.Connections), strconv.Itoa(c.InUse), strconv.Itoa(c.Waiting), strconv.Itoa(c.Want),
		t.clock(c.ReservedAt), string(c.State), c.Note(t.how))
	if chosen {
		return t.theme.chosen.Render(line)
	}
	if state := ansi.Truncate(status.Clean(string(c.State)), 9, ""); state != "" {
		before, after := ansi.Cut(line, 0, t.beforeState()), ansi.Cut(line, t.beforeState(), t.width)
		return before + t.theme.of(c.State).Render(after)
	}
	return line
}

// beforeState is how many columns stand before the state.
func (t table) beforeState() int { return 2 + t.id + 1 + t.host + 4*(1+numberColumn) + 1 + 8 + 1 }

// line puts clean texts into the columns.
func (t table) line(mark, id, host, connections, inUse, waiting, want, reserved, state, note string) string {
	var b strings.Builder
	b.WriteString(mark)
	b.WriteString(t.left(id, t.id))
	b.WriteByte(' ')
	b.WriteString(t.left(host, t.host))
	for _, n := range []string{connections, inUse, waiting, want} {
		fmt.Fprintf(&b, " %*s", numberColumn, n)
	}
	fmt.Fprintf(&b, " %-8s ", reserved)
	b.WriteString(t.left(state, 9))
	if t.note > 0 {
		b.WriteByte(' ')
		b.WriteString(t.left(note, t.note))
	}
	return ansi.Truncate(b.String(), t.width, "")
}

func (t table) left(text string, columns int) string {
	text = ansi.Truncate(status.Clean(text), columns, t.theme.more)
	return text + strings.Repeat(" ", max(0, columns-lipgloss.Width(text)))
}

// clock is the time of day, or the date of another day.
func (t table) clock(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	if text := status.Clock(at, t.how); len(text) == len(time.TimeOnly) {
		return text
	}
	return at.In(t.how.Location).Format("02 Jan")
}
