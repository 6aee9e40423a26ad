package status

import (
	"bufio"
	"io"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

const (
	// defaultWidth is the width of a terminal that nobody has resized.
	defaultWidth = 80

	// minLayout is the narrowest that the parts are laid out for. On a narrower
	// screen their lines are cut.
	minLayout = 40

	// defaultContainers is how many containers of a service are printed: a page
	// for a deployment of an ordinary size, and no flood for one of thousands.
	defaultContainers = 10
)

// PrintOptions say how a status is printed. The zero value prints for a terminal
// of 80 columns, without colours, at the present moment.
type PrintOptions struct {
	Width         int            // columns that no line goes beyond; 0: 80
	Color         bool           // with colours; false: without any escape sequence
	ASCII         bool           // with nothing that a terminal without UTF-8 cannot show
	Now           time.Time      // what ages are counted to; zero: now
	Location      *time.Location // whose time of day is printed; nil: the machine's
	MaxContainers int            // printed of each service; 0: 10
	Service       string         // print only services whose name contains this
	Order         Order          // of services and containers
}

func (o PrintOptions) withDefaults() PrintOptions {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	if o.Location == nil {
		o.Location = time.Local
	}
	if o.MaxContainers <= 0 {
		o.MaxContainers = defaultContainers
	}
	return o
}

// A Part is one part of a printed status.
type Part int

// The parts, in the order in which [Status.Print] prints them.
const (
	Configuration   Part = iota // what the database allows
	Usage                       // how much of it is used, and how healthy that is
	Alerts                      // alerts and notices; nothing when there are none
	Services                    // a table of the services
	Coordination                // who leads, and how far the status is behind
	Containers                  // what each container has, and why
	Recommendations             // what to do
	parts
)

var titles = [parts]struct{ icon, text string }{
	Configuration:   {"📊", "SUPABASE CONFIGURATION"},
	Usage:           {"📈", "GLOBAL USAGE"},
	Alerts:          {"🔔", "ALERTS"},
	Services:        {"🔧", "SERVICES"},
	Coordination:    {"👑", "ARBITER"},
	Containers:      {"🐳", "CONTAINER DETAILS"},
	Recommendations: {"💡", "RECOMMENDATIONS"},
}

// Title is the heading of the part.
func (p Part) Title(o PrintOptions) string {
	return paint(o, bold, icon(o, titles[p].icon)+titles[p].text)
}

// Print writes the whole status for people to read. What other programs have
// written into it, such as names, cannot reach the terminal as anything but text.
func (s *Status) Print(w io.Writer, o PrintOptions) error {
	o = o.withDefaults()
	out := bufio.NewWriter(w)
	line := func(text string) {
		out.WriteString(fit(o, text))
		out.WriteByte('\n')
	}
	line(strings.Repeat("=", o.Width))
	line(paint(o, bold, icon(o, "🌐")+"GLOBAL CONNECTION MONITOR (ALL CONTAINERS)"))
	line(strings.Repeat("=", o.Width))
	line(icon(o, "⏰") + s.when(o))
	for p := range parts {
		lines := s.Lines(p, o)
		if len(lines) == 0 {
			continue
		}
		line("")
		line(p.Title(o))
		line(strings.Repeat("-", o.Width))
		for _, text := range lines {
			line(text)
		}
	}
	return out.Flush()
}

// Lines returns the lines of one part, without its heading. None goes beyond the
// width.
func (s *Status) Lines(p Part, o PrintOptions) []string {
	o = o.withDefaults()
	var lines []string
	switch p {
	case Configuration:
		lines = s.configuration(o)
	case Usage:
		lines = s.usage(o)
	case Alerts:
		lines = s.alerts(o)
	case Services:
		lines = s.services(o)
	case Coordination:
		lines = s.coordination(o)
	case Containers:
		lines = s.containers(o)
	case Recommendations:
		lines = s.recommendations(o)
	}
	for i := range lines {
		lines[i] = fit(o, lines[i])
	}
	return lines
}

// when says of which moment the status is.
func (s *Status) when(o PrintOptions) string {
	if s.UpdatedAt.IsZero() {
		return "at an unknown time"
	}
	text := s.UpdatedAt.In(o.Location).Format(time.DateTime)
	if age := s.Age(o.Now); s.Stale(o.Now) {
		text += paint(o, red, " (STALE: "+Ago(age)+" old)")
	} else if age >= time.Second {
		text += " (" + Ago(age) + " ago)"
	}
	return text
}

// fit cuts a line at the width.
func fit(o PrintOptions, line string) string {
	if ansi.StringWidth(line) <= o.Width {
		return line
	}
	return ansi.Truncate(line, o.Width, ellipsis(o))
}
