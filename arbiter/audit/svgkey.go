package audit

import (
	"fmt"
	"html"
	"unicode/utf8"
)

// An entry is one of the legend.
type entry struct {
	name string
	hue  int // of a service; -1 and -2 are the limit and what is available
	x    int
}

// legend lays the entries out in lines.
func (p *picture) legend() [][]entry {
	entries := []entry{{name: "limit", hue: -1}, {name: "available", hue: -2}}
	for i, c := range p.line.Services {
		entries = append(entries, entry{name: c.Name, hue: i % hues})
	}
	lines, x := [][]entry{nil}, 20
	for _, e := range entries {
		wide := 34 + 7*utf8.RuneCountInString(e.name)
		if x+wide > pictureWidth-20 && x > 20 {
			lines, x = append(lines, nil), 20
		}
		e.x = x
		lines[len(lines)-1] = append(lines[len(lines)-1], e)
		x += wide
	}
	return lines
}

func (p *picture) key() {
	for i, line := range p.legend() {
		y := plotTop + plotHeight + 34 + laneHeight*len(p.lanes) + legendHeight*i + 24
		for _, e := range line {
			switch e.hue {
			case -1:
				fmt.Fprintf(&p.b, `<path class="limit" d="M%d %dh14"/>`, e.x, y-4)
			case -2:
				fmt.Fprintf(&p.b, `<path class="available" d="M%d %dh14"/>`, e.x, y-4)
			default:
				fmt.Fprintf(&p.b, `<rect style="fill:var(--s%d)" x="%d" y="%d" width="12" height="12" rx="2"/>`, e.hue, e.x+1, y-10)
			}
			fmt.Fprintf(&p.b, `<text x="%d" y="%d">%s</text>`+"\n", e.x+20, y, html.EscapeString(e.name))
		}
	}
}
