package show

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// frameEvery is how often the table is drawn, and lineEvery how often a
	// line is written where there is no terminal.
	frameEvery = 100 * time.Millisecond
	lineEvery  = time.Second

	// minWidth and maxWidth bound the width of the table.
	minWidth = 60
	maxWidth = 120
)

// A screen shows how things are.
type screen interface {
	every() time.Duration // how often it wants to show something
	show(view) error
	// What happens, for a screen that does not keep it in view.
	scene(at time.Duration, title string)
	news(text string)
}

// newScreen returns a table that is refreshed in place if the output is a
// terminal that can do that, else plain lines.
func newScreen(out io.Writer, o options) screen {
	if file, ok := out.(*os.File); ok && o.term != "dumb" {
		if width, height := size(file); width >= minWidth && height > tableHeight {
			return &terminal{out: file, style: styleFor(o)}
		}
	}
	return &lines{out: out}
}

// size returns the size of the terminal, 0 if it is none.
func size(file *os.File) (width, height int) {
	ws, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(ws.Col), int(ws.Row)
}

// A terminal shows the table, each time in the place of the one before.
type terminal struct {
	out   *os.File
	style style
	drawn int // lines
}

func (t *terminal) every() time.Duration        { return frameEvery }
func (t *terminal) scene(time.Duration, string) {}
func (t *terminal) news(string)                 {}

func (t *terminal) show(v view) error {
	width, height := size(t.out)
	var b strings.Builder
	if t.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", t.drawn)
	}
	// A line that is cut does not wrap; the last column stays free, because some
	// terminals wrap when it is written to.
	rows := t.style.table(v, min(width-1, maxWidth))
	if height <= len(rows) { // it was made smaller: what is gone above cannot be redrawn
		rows = rows[:max(0, height-1)]
	}
	for _, row := range rows {
		b.WriteString(row)
		b.WriteString("\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	t.drawn = len(rows)
	_, err := io.WriteString(t.out, b.String())
	return err
}

// lines writes one line for each look.
type lines struct {
	out  io.Writer
	last time.Duration // when the last line was written
}

func (l *lines) every() time.Duration { return lineEvery }
func (l *lines) news(text string)     { fmt.Fprintln(l.out, text) }

func (l *lines) scene(at time.Duration, title string) {
	fmt.Fprintf(l.out, "%5.1fs  -- %s\n", at.Seconds(), title)
}

func (l *lines) show(v view) error {
	if l.last > 0 && v.elapsed-l.last < lineEvery/2 { // the end, just after a line
		return nil
	}
	l.last = v.elapsed
	_, err := fmt.Fprintln(l.out, line(v))
	return err
}

// line is a view in one line: granted of wanted for each service.
func line(v view) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%5.1fs  %3.0f%%", v.elapsed.Seconds(), 100*v.part())
	for _, r := range v.rows {
		fmt.Fprintf(&b, "  %s %d/%d", r.name, r.granted, r.wanted)
	}
	fmt.Fprintf(&b, "  granted %d/%d  backends %d/%d  waiting %d  refused %d  sessions/s %d",
		v.charged, v.figures.available, v.poll.backends, v.figures.limit, v.total.waiting, v.figures.refused, v.total.rate)
	return b.String()
}
