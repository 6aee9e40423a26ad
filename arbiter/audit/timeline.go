package audit

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/events"
)

// maxCurves is how many containers a timeline follows.
const maxCurves = 500

// A Timeline is the course of a budget over the time of day of its records, in
// steps of equal width. It has maxPoints steps at most.
type Timeline struct {
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
	StepMillis int64     `json:"step_ms"`
	Steps      int       `json:"steps"`

	Limit      Curve   `json:"limit"`     // connections that the database allows
	Available  Curve   `json:"available"` // of these, what containers share
	Services   []Curve `json:"services"`  // the most important first, equals by name
	Containers []Curve `json:"containers"`
	More       int     `json:"more_containers,omitempty"` // that are left out, as often as they joined

	Incidents     []Incident `json:"incidents"`
	MoreIncidents int        `json:"more_incidents,omitempty"`

	Notice string `json:"notice,omitempty"` // that a part of the history is not in it, and why
}

// A Curve is one number over the steps: of a service or a container its charge.
type Curve struct {
	Name    string    `json:"name"`
	Service string    `json:"service,omitempty"`
	Mean    []float64 `json:"mean"` // weighted by time
	Peak    []int     `json:"peak"`
	Last    []int     `json:"last"`              // at the end of each step
	Lacking []float64 `json:"lacking,omitempty"` // of services: wanted and not granted, mean
}

// Span is the part of a history that a timeline shows. A zero time is the
// beginning or the end.
type Span struct{ From, To time.Time }

// Trace returns the timeline of a history.
func Trace(ctx context.Context, src history.Source, span Span) (*Timeline, error) {
	t := &tracer{
		tally: newTally(), services: map[string]*track{}, containers: map[string]*track{}, priorities: map[string]int{},
		line: &Timeline{Services: []Curve{}, Containers: []Curve{}, Incidents: []Incident{}},
	}
	report, err := Walk(ctx, src, func(p *Point) bool {
		at := max(t.now, p.Record.Wall) // a later leader's clock may be behind
		if !span.To.IsZero() && at > span.To.UnixMilli() {
			return false
		}
		t.now = at
		all := t.tally.take(p.Record, p.Ledger)
		marks := t.watch.look(p.Record, p.Ledger)
		if !span.From.IsZero() && at < span.From.UnixMilli() {
			return true
		}
		t.take(p, all, marks)
		return true
	})
	if err != nil {
		return nil, err
	}
	if t.grid == nil {
		return nil, noState(Moment{Time: span.From}, &report)
	}
	line := t.finish()
	line.Notice = report.Notice()
	return line, nil
}

// A tracer makes a timeline.
type tracer struct {
	line       *Timeline
	tally      *tally
	watch      watch
	grid       *grid
	now        int64
	limit      *gauge
	available  *gauge
	services   map[string]*track
	containers map[string]*track
	priorities map[string]int
}

// A track is what is measured of a service or a container.
type track struct {
	service string
	charge  *gauge
	lacking *gauge // of a service
}

func (t *tracer) take(p *Point, all bool, marks []Incident) {
	if t.grid == nil {
		all = true
		t.grid = newGrid(t.now)
		t.limit, t.available = t.grid.gauge(t.now), t.grid.gauge(t.now)
	}
	policy := p.Ledger.Policy()
	t.grid.set(t.limit, policy.Limit, t.now)
	t.grid.set(t.available, p.Record.Available, t.now)
	for name, s := range t.tally.services {
		x := t.services[name]
		if x == nil {
			x = &track{charge: t.grid.gauge(t.now), lacking: t.grid.gauge(t.now)}
			t.services[name] = x
		}
		t.grid.set(x.charge, s.charge, t.now)
		t.grid.set(x.lacking, s.waiting+s.denied, t.now)
		rule, _ := policy.Find(name)
		t.priorities[name] = rule.Priority
	}
	if all {
		for id := range t.containers {
			t.follow(id)
		}
		for id := range t.tally.containers {
			t.follow(id)
		}
	}
	for i := range p.Record.Decisions {
		d := &p.Record.Decisions[i]
		if t.containers[d.Container] == nil && len(t.containers) >= maxCurves && d.Verb == events.Granted {
			t.line.More++
		}
		t.follow(d.Container)
	}
	for _, m := range marks {
		t.mark(m)
	}
}

// follow takes what a container is charged for.
func (t *tracer) follow(id string) {
	h, x := t.tally.containers[id], t.containers[id]
	if x == nil {
		if h == nil || len(t.containers) >= maxCurves {
			return
		}
		x = &track{service: h.service.name, charge: t.grid.gauge(t.now)}
		t.containers[id] = x
	}
	charge := 0
	if h != nil {
		charge = h.charge
	}
	t.grid.set(x.charge, charge, t.now)
}

// mark adds an incident, or counts it to the one before it.
func (t *tracer) mark(m Incident) {
	list := t.line.Incidents
	m.At = time.UnixMilli(t.now).UTC()
	for i := len(list) - 1; i >= 0; i-- {
		if t.grid.step(list[i].At.UnixMilli()) != t.grid.step(t.now) {
			break
		}
		if list[i].Kind == m.Kind {
			list[i].More++
			return
		}
	}
	if len(list) == maxIncidents {
		t.line.MoreIncidents++
		return
	}
	t.line.Incidents = append(list, m)
}

func (t *tracer) finish() *Timeline {
	line, g := t.line, t.grid
	line.Steps = g.step(t.now) + 1
	line.From, line.To, line.StepMillis = time.UnixMilli(g.origin).UTC(), time.UnixMilli(t.now).UTC(), g.width
	for _, x := range g.gauges {
		g.advance(x, t.now)
		x.reach(line.Steps - 1)
		x.last[line.Steps-1], x.peak[line.Steps-1] = x.value, max(x.peak[line.Steps-1], x.value)
	}
	line.Limit, line.Available = t.curve("limit", t.limit), t.curve("available", t.available)
	for name, x := range t.services {
		c := t.curve(name, x.charge)
		c.Lacking = t.mean(x.lacking)
		line.Services = append(line.Services, c)
	}
	slices.SortFunc(line.Services, func(a, b Curve) int {
		if d := t.priorities[b.Name] - t.priorities[a.Name]; d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	for id, x := range t.containers {
		c := t.curve(id, x.charge)
		c.Service = x.service
		line.Containers = append(line.Containers, c)
	}
	slices.SortFunc(line.Containers, func(a, b Curve) int {
		if d := strings.Compare(a.Service, b.Service); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return line
}

func (t *tracer) curve(name string, x *gauge) Curve {
	return Curve{Name: name, Mean: t.mean(x), Peak: x.peak, Last: x.last}
}

// mean divides by the time that each step had: the last one is not over.
func (t *tracer) mean(x *gauge) []float64 {
	list := make([]float64, len(x.area))
	for i := range list {
		over := min(t.grid.width, t.now-t.grid.origin-int64(i)*t.grid.width)
		if over <= 0 {
			list[i] = float64(x.last[i])
			continue
		}
		list[i] = round(float64(x.area[i]) / float64(over))
	}
	return list
}

// round leaves three decimals.
func round(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }

// at is when a step begins.
func (t *Timeline) at(step int) time.Time {
	return t.From.Add(time.Duration(step) * time.Duration(t.StepMillis) * time.Millisecond)
}
