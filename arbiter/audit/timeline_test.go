package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
)

func trace(t *testing.T, s *stage, span Span) *Timeline {
	t.Helper()
	line, err := Trace(context.Background(), &tape{records: s.records}, span)
	must(t, err)
	return line
}

// However often the steps widen, areas and peaks stay what they are.
func TestGrid(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	for range 50 {
		g := newGrid(1000)
		x := g.gauge(1000)
		now, area, value, peak := int64(1000), int64(0), 0, 0
		for range 1 + r.IntN(2000) {
			d := r.Int64N(1 << r.IntN(16))
			area += d * int64(value)
			now += d
			value = r.IntN(50)
			peak = max(peak, value)
			g.set(x, value, now)
		}
		g.advance(x, now)
		sum := int64(0)
		for _, a := range x.area {
			sum += a
		}
		if sum != area || slices.Max(x.peak) != peak || x.last[len(x.last)-1] != value || len(x.area) > maxPoints {
			t.Fatalf("area %d peak %d last %d in %d steps; want %d %d %d", sum, slices.Max(x.peak), x.last[len(x.last)-1], len(x.area), area, peak, value)
		}
	}
}

// The timeline adds up to what the what-if measures on its own.
func TestTrace(t *testing.T) {
	t.Parallel()
	s := newStage(50)
	s.wander(4000, 30)
	line := trace(t, s, Span{})
	o := whatIf(t, s, Rules{})
	whole := line.To.Sub(line.From).Seconds()
	for _, c := range line.Services {
		i := slices.IndexFunc(o.Services, func(v ServiceOutcome) bool { return v.Service == c.Name })
		got, want := line.average(c.Mean)*whole, float64(o.Services[i].Real.ChargedSecs)
		if math.Abs(got-want) > want/1000+2 || slices.Max(c.Peak) != o.Services[i].Real.Peak {
			t.Errorf("%s: %.1f unit-seconds, at most %d; want %.0f, %d", c.Name, got, slices.Max(c.Peak), want, o.Services[i].Real.Peak)
		}
		sum := 0
		for _, k := range line.Containers {
			if k.Service == c.Name {
				sum += k.Last[line.Steps-1]
			}
		}
		if sum != c.Last[line.Steps-1] {
			t.Errorf("%s ends with %d, its containers with %d", c.Name, c.Last[line.Steps-1], sum)
		}
	}
	for _, c := range slices.Concat(line.Services, line.Containers, []Curve{line.Limit, line.Available}) {
		if len(c.Mean) != line.Steps || len(c.Peak) != line.Steps || len(c.Last) != line.Steps || line.Steps > maxPoints || line.Steps < maxPoints/2 {
			t.Fatalf("%s has %d, %d, %d of %d steps", c.Name, len(c.Mean), len(c.Peak), len(c.Last), line.Steps)
		}
	}
}

func TestTraceSpan(t *testing.T) {
	t.Parallel()
	s := newStage(51)
	s.wander(1000, 10)
	from, to := began.Add(20*time.Second), began.Add(40*time.Second)
	line := trace(t, s, Span{from, to})
	if line.From.Before(from) || line.From.After(from.Add(time.Second)) || line.To.After(to) || line.To.Before(to.Add(-time.Second)) {
		t.Errorf("from %v to %v", line.From, line.To)
	}
	state, err := At(context.Background(), &tape{records: s.records}, Moment{Time: line.To})
	must(t, err)
	sum := 0
	for _, c := range line.Services {
		sum += c.Last[line.Steps-1]
	}
	if sum != state.Record.Charged {
		t.Errorf("it ends with %d charged, not %d", sum, state.Record.Charged)
	}
	if _, err := Trace(context.Background(), &tape{records: s.records}, Span{From: began.Add(time.Hour)}); !errors.Is(err, ErrNoState) {
		t.Errorf("error %v", err)
	}
}

// What happens to a budget is marked.
func TestIncidents(t *testing.T) {
	t.Parallel()
	s := story()
	s.own(events.Intent{Kind: events.Observe, Observation: events.Observation{
		Usable: 40, Bound: 40, Named: true, Held: []events.Held{{Tag: events.Tag("stranger-1"), Conns: 3}},
	}})
	p := &peer{id: "local-1", service: "api", want: 3, holds: 3}
	s.say(p, events.Register)
	seen := map[IncidentKind]int{}
	for _, m := range trace(t, s, Span{}).Incidents {
		seen[m.Kind] += 1 + m.More
	}
	for _, kind := range incidentKinds {
		if seen[kind] == 0 {
			t.Errorf("no %q is marked: %v", kind, seen)
		}
	}
}

func TestTimelineWrites(t *testing.T) {
	t.Parallel()
	line := trace(t, story(), Span{})
	for name, write := range map[string]func(io.Writer) error{
		"timeline.txt":  func(w io.Writer) error { return line.Print(w, true) },
		"timeline.csv":  line.WriteCSV,
		"timeline.svg":  line.WriteSVG,
		"timeline.html": line.WriteHTML,
		"timeline.json": func(w io.Writer) error { return json.NewEncoder(w).Encode(line) },
	} {
		var b bytes.Buffer
		must(t, write(&b))
		text := b.String()
		switch name {
		case "timeline.csv": // the beginning says it all
			text = strings.Join(strings.SplitAfterN(text, "\n", 21)[:20], "")
		case "timeline.html": // the picture is recorded on its own
			var picture strings.Builder
			must(t, line.WriteSVG(&picture))
			text = strings.Replace(text, picture.String(), "…\n", 1)
		}
		golden(t, name, []byte(text))
		if strings.HasSuffix(name, ".svg") {
			for d := xml.NewDecoder(&b); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, word := range []string{"<script", "@import", "url(", "src=", "href="} {
			if strings.Contains(b.String(), word) {
				t.Errorf("%s holds %q", name, word)
			}
		}
	}
}

// A history of one moment is a picture as well.
func TestTimelineMoment(t *testing.T) {
	t.Parallel()
	line := trace(t, newStage(1), Span{})
	var b bytes.Buffer
	for _, write := range []func(io.Writer) error{line.WriteHTML, line.WriteCSV, func(w io.Writer) error { return line.Print(w, true) }} {
		must(t, write(&b))
	}
	if line.Steps != 1 || strings.Contains(b.String(), "NaN") {
		t.Errorf("%d steps: %s", line.Steps, b.String())
	}
}
