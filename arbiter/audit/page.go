package audit

import (
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"
)

//go:embed timeline.html
var pageText string

var pageTemplate = template.Must(template.New("timeline").Parse(pageText))

// WriteHTML writes the timeline as a page of its own: the picture, what the
// services had, and what is marked. It holds no script and refers to nothing
// outside.
func (t *Timeline) WriteHTML(w io.Writer) error {
	var picture strings.Builder
	if err := t.WriteSVG(&picture); err != nil {
		return err
	}
	type row struct {
		Name          string
		Mean, Lacking float64
		Most, Last    int
	}
	type mark struct {
		At, Text string
		Kind     IncidentKind
		Sequence uint64
	}
	page := struct {
		From, To  string
		Picture   template.HTML
		Notice    string
		Services  []row
		Incidents []mark
		More      int
	}{
		From: t.From.Format(time.DateTime), To: t.To.Format(time.DateTime),
		Picture: template.HTML(picture.String()), Notice: t.Notice, More: t.MoreIncidents,
	}
	for i := range t.Services {
		c := &t.Services[i]
		page.Services = append(page.Services, row{c.Name, t.average(c.Mean), t.average(c.Lacking), slices.Max(c.Peak), c.Last[t.Steps-1]})
	}
	for i := range t.Incidents {
		m := &t.Incidents[i]
		page.Incidents = append(page.Incidents, mark{m.At.Format(time.DateTime), m.text(), m.Kind, m.Sequence})
	}
	return pageTemplate.Execute(w, page)
}

// average is the mean over the whole time; the last step counts as much as there
// is of it.
func (t *Timeline) average(values []float64) float64 {
	sum, whole := 0.0, 0.0
	for i, v := range values {
		over := float64(min(t.StepMillis, t.To.Sub(t.at(i)).Milliseconds()))
		sum, whole = sum+v*over, whole+over
	}
	if whole == 0 {
		return values[len(values)-1]
	}
	return sum / whole
}
