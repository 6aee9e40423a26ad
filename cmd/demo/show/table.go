package show

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// tableHeight is how many lines the table has.
const tableHeight = 16 + maxNews

// A style is how the table is drawn.
type style struct {
	color bool
	// What the bars consist of: connections in use, granted but idle, and
	// charged although nobody may use them; and the ground.
	inUse, granted, charged, ground string
	rule                            string
}

var (
	blocks = style{inUse: "█", granted: "▒", charged: "░", ground: "·", rule: "─"}
	ascii  = style{inUse: "#", granted: "=", charged: "!", ground: ".", rule: "-"}
)

func styleFor(o options) style {
	s := ascii
	if l := strings.ToLower(o.locale); strings.Contains(l, "utf-8") || strings.Contains(l, "utf8") {
		s = blocks
	}
	s.color = !o.noColor
	return s
}

// The colors, by what they mean.
const (
	plain  = ""
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// A span is a piece of a line in one color.
type span struct{ text, color string }

// paint makes a line of spans that is no wider than width.
func (s *style) paint(width int, spans ...span) string {
	var b strings.Builder
	for _, p := range spans {
		text := p.text
		if n := utf8.RuneCountInString(text); n > width {
			text = string([]rune(text)[:max(0, width)])
		}
		width -= utf8.RuneCountInString(text)
		if s.color && p.color != plain && text != "" {
			text = "\x1b[" + p.color + "m" + text + "\x1b[0m"
		}
		b.WriteString(text)
	}
	return b.String()
}

// columns is the form of a row without its bar.
const columns = " %-11s %4v %5v %8v %7v %8v %6v  "

const columnsWidth = 59

// table draws the view in tableHeight lines no wider than width.
func (s *style) table(v view, width int) []string {
	f := &v.figures
	bar := max(10, width-columnsWidth)
	var out []string
	add := func(spans ...span) { out = append(out, s.paint(width, spans...)) }

	add(span{" Conncord", bold}, span{fmt.Sprintf("   one PostgreSQL with %d connections, %d of them for five services", f.limit, f.available), plain})
	add()
	head := fmt.Sprintf(columns, "service", "prio", "conts", "granted", "in use", "waiting", "sess/s")
	add(span{head, faint}, span{s.legend(bar), faint})
	for i := range v.rows {
		r := &v.rows[i]
		text := fmt.Sprintf(columns, r.name, r.priority, r.containers, fmt.Sprintf("%d/%d", r.granted, r.wanted), r.inUse, r.waiting, r.rate)
		add(append([]span{{text, plain}}, s.bar(r, f.available, bar)...)...)
	}
	add(span{" " + strings.Repeat(s.rule, width-2), faint})
	t := &v.total
	add(append([]span{{fmt.Sprintf(columns, t.name, "", t.containers, fmt.Sprintf("%d/%d", t.granted, t.wanted), t.inUse, t.waiting, t.rate), bold}},
		s.bar(t, f.available, bar)...)...)
	add()
	add(span{" database ", faint}, span{fmt.Sprintf("%4d connections, at most %d of %d", v.poll.backends, v.poll.peak, f.available), level(v.poll.peak, f.available)},
		span{fmt.Sprintf("   %d past Conncord", v.guests), plain},
		span{fmt.Sprintf("   (pg_stat_activity every %.1f ms)", milliseconds(v.poll.every())), faint})
	add(span{" arbiter  ", faint}, span{fmt.Sprintf("%4d granted,     at most %d of %d", v.charged, f.peakGranted, f.available), level(f.peakGranted, f.available)},
		span{fmt.Sprintf("   %d to share now", v.available), plain}, span{fmt.Sprintf("   refused %d", f.refused), level(int(f.refused), 0)})
	killed := "   - ms from kill -9 to the same connections elsewhere"
	if f.regrant > 0 {
		killed = fmt.Sprintf("%4d ms from kill -9 to the same connections elsewhere", f.regrant.Milliseconds())
	}
	add(span{" kill -9  ", faint}, span{killed, plain})
	add()
	add(s.progress(&v, width)...)
	for i := range maxNews {
		text := ""
		if i < len(v.news) {
			text = v.news[i]
		}
		add(span{text, plain})
	}
	return out
}

func (s *style) legend(width int) string {
	text := fmt.Sprintf("%s in use %s idle %s coming back", s.inUse, s.granted, s.charged)
	if utf8.RuneCountInString(text) > width {
		text = fmt.Sprintf("%sused %sidle", s.inUse, s.granted)
	}
	return text
}

// bar draws what a row has, of what is available.
func (s *style) bar(r *row, available, width int) []span {
	charged := scale(max(r.charged, r.granted), available, width)
	granted := min(scale(r.granted, available, width), charged)
	used := min(scale(r.inUse, available, width), granted)
	return []span{
		{strings.Repeat(s.inUse, used), green},
		{strings.Repeat(s.granted, granted-used), cyan},
		{strings.Repeat(s.charged, charged-granted), yellow},
		{strings.Repeat(s.ground, width-charged), faint},
	}
}

// scale returns how many places of width stand for n of all: at least one if
// there is anything.
func scale(n, all, width int) int {
	if n <= 0 || all <= 0 {
		return 0
	}
	return min(width, max(1, (n*width+all/2)/all))
}

// progress is the line that says how far the demo is, and what goes on.
func (s *style) progress(v *view, width int) []span {
	const places = 20
	done := int(v.part() * places)
	return []span{
		{" " + strings.Repeat(s.inUse, done), cyan}, {strings.Repeat(s.ground, places-done), faint},
		{fmt.Sprintf(" %4.1fs of %v  ", v.elapsed.Seconds(), v.duration.Round(100*time.Millisecond)), plain},
		{v.scene, bold},
	}
}

// level is the color of a number that must not pass a bound.
func level(n, bound int) string {
	if n > bound {
		return red
	}
	return green
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
