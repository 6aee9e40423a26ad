package audit

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// textColumns is how wide the curves are in text.
const textColumns = 60

// bars are the heights of a curve in text.
var bars = []rune(" ▁▂▃▄▅▆▇█")

// Print writes the timeline as text: a curve of bars for each service, and, if
// they are wanted, for each container; and what is marked.
func (t *Timeline) Print(w io.Writer, containers bool) error {
	var b strings.Builder
	top := slices.Max(t.Limit.Peak)
	columns := min(textColumns, t.Steps)
	fmt.Fprintf(&b, "%s to %s, %v each column; a full bar is %d connections for the budget, and the highest value for the others\n\n",
		t.From.Format(timeLayout), t.To.Format(timeLayout), (t.To.Sub(t.From) / time.Duration(columns)).Round(time.Millisecond), top)
	if t.Notice != "" {
		fmt.Fprintf(&b, "%s\n\n", t.Notice)
	}
	all := make([]float64, t.Steps)
	for _, c := range t.Services {
		for i, v := range c.Mean {
			all[i] += v
		}
	}
	t.spark(&b, "limit", &t.Limit, t.Limit.Mean, float64(top))
	t.spark(&b, "available", &t.Available, t.Available.Mean, float64(top))
	fmt.Fprintf(&b, "%-24s %s\n", "charged", sparkline(all, columns, float64(top)))
	b.WriteString("\n")
	for i := range t.Services {
		c := &t.Services[i]
		t.spark(&b, c.Name, c, c.Mean, float64(slices.Max(c.Peak)))
		if !containers {
			continue
		}
		for j := range t.Containers {
			if k := &t.Containers[j]; k.Service == c.Name {
				t.spark(&b, "  "+k.Name, k, k.Mean, float64(slices.Max(k.Peak)))
			}
		}
	}
	if containers && t.More > 0 {
		fmt.Fprintf(&b, "and %s more\n", plural(t.More, "container", "containers"))
	}
	if len(t.Incidents) > 0 {
		b.WriteString("\n")
	}
	for i := range t.Incidents {
		m := &t.Incidents[i]
		fmt.Fprintf(&b, "%s  %-11s %s\n", m.At.Format(timeLayout), m.Kind, m.text())
	}
	if t.MoreIncidents > 0 {
		fmt.Fprintf(&b, "and %s more\n", plural(t.MoreIncidents, "incident", "incidents"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *Incident) text() string {
	if m.More > 0 {
		return fmt.Sprintf("%s, and %d more", clean(m.Text), m.More)
	}
	return clean(m.Text)
}

func (t *Timeline) spark(b *strings.Builder, name string, c *Curve, values []float64, top float64) {
	fmt.Fprintf(b, "%-24s %s  %d to %d, at the end %d\n", clean(name), sparkline(values, min(textColumns, t.Steps), top), slices.Min(c.Last), slices.Max(c.Peak), c.Last[len(c.Last)-1])
}

// sparkline draws values in so many columns. What is more than nothing is seen.
func sparkline(values []float64, columns int, top float64) string {
	line := make([]rune, columns)
	for i := range line {
		from, to := i*len(values)/columns, max((i+1)*len(values)/columns, i*len(values)/columns+1)
		sum := 0.0
		for _, v := range values[from:to] {
			sum += v
		}
		mean := sum / float64(to-from)
		height := 0
		if top > 0 && mean > 0 {
			height = max(1, min(len(bars)-1, int(mean/top*float64(len(bars)-1)+0.5)))
		}
		line[i] = bars[height]
	}
	return string(line)
}

// WriteCSV writes the timeline as a table: a line for each step of the budget, of
// each service and of each container.
func (t *Timeline) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"time", "kind", "name", "service", "mean", "peak", "last", "lacking_mean"}) // Error tells
	write := func(kind string, c *Curve) {
		for i := range c.Mean {
			lacking := ""
			if c.Lacking != nil {
				lacking = strconv.FormatFloat(c.Lacking[i], 'f', -1, 64)
			}
			_ = out.Write([]string{
				t.at(i).Format("2006-01-02T15:04:05.000Z07:00"), kind, c.Name, c.Service,
				strconv.FormatFloat(c.Mean[i], 'f', -1, 64), strconv.Itoa(c.Peak[i]), strconv.Itoa(c.Last[i]), lacking,
			})
		}
	}
	write("budget", &t.Limit)
	write("budget", &t.Available)
	for i := range t.Services {
		write("service", &t.Services[i])
	}
	for i := range t.Containers {
		write("container", &t.Containers[i])
	}
	out.Flush()
	return out.Error()
}
