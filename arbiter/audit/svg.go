package audit

import (
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"time"
)

// The measures of the picture, in its own units, which are pixels at its natural
// size.
const (
	pictureWidth = 1000
	plotLeft     = 96
	plotRight    = 984
	plotTop      = 64
	plotHeight   = 280
	laneHeight   = 18
	legendHeight = 20
	hues         = 10 // colours of services, which repeat
)

// WriteSVG writes the timeline as a picture: what each service is charged for, one
// upon the other, under the limit; and below it what is marked. It holds no script
// and refers to nothing outside.
func (t *Timeline) WriteSVG(w io.Writer) error {
	p := &picture{line: t, top: t.top()}
	p.lanes = p.kinds()
	p.height = plotTop + plotHeight + 34 + laneHeight*len(p.lanes) + legendHeight*len(p.legend()) + 18
	p.open()
	p.scale()
	p.areas()
	p.rules()
	p.stairs("available", t.Available.Mean)
	p.stairs("limit", t.Limit.Mean)
	p.marks()
	p.key()
	p.b.WriteString("</svg>\n")
	_, err := io.WriteString(w, p.b.String())
	return err
}

// A picture is a timeline being drawn.
type picture struct {
	b      strings.Builder
	line   *Timeline
	top    int // the value at the upper edge
	height int
	lanes  []IncidentKind
}

// top is a round number that nothing goes beyond.
func (t *Timeline) top() int {
	most := max(1, slices.Max(t.Limit.Peak), slices.Max(t.Available.Peak))
	for i := range t.Steps {
		sum := 0.0
		for _, c := range t.Services {
			sum += c.Mean[i]
		}
		most = max(most, int(sum+0.999))
	}
	each := roundStep(most)
	return (most/each + 1) * each
}

// roundStep is the distance of about five lines up to a value: 1, 2 or 5 times a
// power of ten.
func roundStep(most int) int {
	for unit := 1; ; unit *= 10 {
		for _, n := range []int{1, 2, 5} {
			if n*unit*6 >= most {
				return n * unit
			}
		}
	}
}

func (p *picture) kinds() (list []IncidentKind) {
	for _, kind := range incidentKinds {
		if slices.ContainsFunc(p.line.Incidents, func(m Incident) bool { return m.Kind == kind }) {
			list = append(list, kind)
		}
	}
	return list
}

// x is where a time lies.
func (p *picture) x(at time.Time) float64 {
	whole := p.line.To.Sub(p.line.From)
	if whole <= 0 {
		return plotLeft
	}
	return plotLeft + (plotRight-plotLeft)*float64(at.Sub(p.line.From))/float64(whole)
}

// step is where a step begins; the last one ends with the picture.
func (p *picture) step(i int) float64 {
	if i >= p.line.Steps {
		return plotRight
	}
	return min(p.x(p.line.at(i)), plotRight)
}

func (p *picture) y(value float64) float64 {
	return plotTop + plotHeight*(1-value/float64(p.top))
}

func (p *picture) open() {
	t := p.line
	fmt.Fprintf(&p.b, `<svg xmlns="http://www.w3.org/2000/svg" class="cc" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="cc-title cc-desc">`+"\n",
		pictureWidth, p.height, pictureWidth, p.height)
	fmt.Fprintf(&p.b, "<title id=\"cc-title\">Connections by service</title>\n<desc id=\"cc-desc\">%s</desc>\n<style>%s</style>\n", html.EscapeString(t.describe()), pictureStyle)
	fmt.Fprintf(&p.b, `<rect class="ground" width="%d" height="%d" rx="8"/>`+"\n", pictureWidth, p.height)
	fmt.Fprintf(&p.b, `<text class="title" x="20" y="30">Connections by service</text><text class="soft" x="20" y="49">%s to %s UTC, each step %v</text>`+"\n",
		t.From.Format(time.DateTime), t.To.Format(time.DateTime), time.Duration(t.StepMillis)*time.Millisecond)
}

// describe says the picture in words, for those who cannot see it.
func (t *Timeline) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "From %s to %s UTC. The limit went from %d to %d.", t.From.Format(time.DateTime), t.To.Format(time.DateTime), t.Limit.Last[0], t.Limit.Last[t.Steps-1])
	for i := range t.Services {
		c := &t.Services[i]
		fmt.Fprintf(&b, " %s: at most %d, at the end %d.", c.Name, slices.Max(c.Peak), c.Last[t.Steps-1])
	}
	fmt.Fprintf(&b, " %s marked.", plural(len(t.Incidents), "incident is", "incidents are"))
	return b.String()
}

// scale draws the lines and numbers of both axes.
func (p *picture) scale() {
	each := roundStep(p.top)
	for v := 0; v <= p.top; v += each {
		y := p.y(float64(v))
		fmt.Fprintf(&p.b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text class="soft" x="%d" y="%.1f" text-anchor="end">%d</text>`+"\n",
			plotLeft, plotRight, y, y, plotLeft-8, y+4, v)
	}
	each2, layout := timeStep(p.line.To.Sub(p.line.From))
	for at := p.line.From.Truncate(each2).Add(each2); at.Before(p.line.To); at = at.Add(each2) {
		fmt.Fprintf(&p.b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/><text class="soft" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			p.x(at), p.x(at), plotTop+plotHeight, plotTop+plotHeight+5, p.x(at), plotTop+plotHeight+19, at.Format(layout))
	}
}

// timeStep is the distance of at most eight times over a whole, and how to write
// them.
func timeStep(whole time.Duration) (time.Duration, string) {
	const day = 24 * time.Hour
	for _, each := range []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		if whole <= 8*each {
			switch {
			case each < time.Minute:
				return each, "15:04:05"
			case whole < day:
				return each, "15:04"
			}
			return each, "2 Jan 15:04"
		}
	}
	days := int64(whole/(8*day)) + 1
	return time.Duration(days) * day, "2 Jan"
}

// areas draws what the services are charged for, one upon the other.
func (p *picture) areas() {
	base := make([]float64, p.line.Steps)
	for i, c := range p.line.Services {
		var up, down strings.Builder
		for s := range p.line.Steps {
			verb := "L"
			if s == 0 {
				verb = "M"
			}
			fmt.Fprintf(&up, "%s%.1f %.1fH%.1f", verb, p.step(s), p.y(base[s]+c.Mean[s]), p.step(s+1))
			k := p.line.Steps - 1 - s
			fmt.Fprintf(&down, "L%.1f %.1fH%.1f", p.step(k+1), p.y(base[k]), p.step(k))
		}
		for s := range base {
			base[s] += c.Mean[s]
		}
		fmt.Fprintf(&p.b, `<path class="area" style="fill:var(--s%d)" d="%s%sZ"><title>%s: at most %d</title></path>`+"\n",
			i%hues, up.String(), down.String(), html.EscapeString(c.Name), slices.Max(c.Peak))
	}
}

// stairs draws a line that changes at the steps.
func (p *picture) stairs(class string, values []float64) {
	fmt.Fprintf(&p.b, `<path class="%s" d="`, class)
	for s, v := range values {
		verb := "V"
		if s == 0 {
			verb = fmt.Sprintf("M%.1f ", p.step(0))
		}
		fmt.Fprintf(&p.b, "%s%.1fH%.1f", verb, p.y(v), p.step(s+1))
	}
	p.b.WriteString("\"/>\n")
}

// rules draws lines through the plot where something began anew.
func (p *picture) rules() {
	for i := range p.line.Incidents {
		switch m := &p.line.Incidents[i]; m.Kind {
		case NewIncarnation, NewLeader, NewPolicy:
			fmt.Fprintf(&p.b, `<line class="rule %s" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`+"\n", m.Kind, p.x(m.At), p.x(m.At), plotTop, plotTop+plotHeight)
		}
	}
}

// marks draws the incidents, each kind in a lane of its own.
func (p *picture) marks() {
	for i, kind := range p.lanes {
		y := plotTop + plotHeight + 40 + i*laneHeight
		fmt.Fprintf(&p.b, `<line class="grid" x1="%d" x2="%d" y1="%d" y2="%d"/><text class="soft" x="%d" y="%d" text-anchor="end">%s</text>`+"\n",
			plotLeft, plotRight, y, y, plotLeft-8, y+4, laneNames[kind])
		for j := range p.line.Incidents {
			if m := &p.line.Incidents[j]; m.Kind == kind {
				x := p.x(m.At)
				fmt.Fprintf(&p.b, `<path class="%s" d="M%.1f %dl4 5l-4 5l-4 -5z"><title>%s, record %d: %s</title></path>`+"\n",
					kind, x, y-5, m.At.Format(time.DateTime), m.Sequence, html.EscapeString(m.text()))
			}
		}
	}
}
