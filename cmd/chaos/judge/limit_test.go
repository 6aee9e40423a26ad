package judge

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
)

var noon = time.Unix(1_000_000, 0)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

// errs collects what was found.
type errs []error

func (e *errs) add(err error) { *e = append(*e, err) }

func (e *errs) String() string {
	var b strings.Builder
	for _, err := range *e {
		b.WriteString(err.Error() + "\n")
	}
	return b.String()
}

func newHistory(t *testing.T, failed func(error)) *History {
	t.Helper()
	h, err := NewHistory(filepath.Join(t.TempDir(), "history"), "b", failed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// charge has the history say what containers are charged for.
func charge(t *testing.T, h *History, when time.Time, available int, charges map[string]int) {
	t.Helper()
	rec := &events.Record{Available: available}
	for id, n := range charges {
		rec.Charged += n
		rec.Decisions = append(rec.Decisions, events.Decision{Container: id, Charge: n})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.count(rec, 0, when); err != nil {
		t.Fatal(err)
	}
}

func TestLimits(t *testing.T) {
	all := map[string]int{"a": 10, "b": 44}
	lapsed := map[string]int{"a": 1, "b": 53}
	for name, c := range map[string]struct {
		charges map[string]int // from second 0 on
		later   map[string]int // from second 20 on
		excuse  *Excuse
		ends    time.Time      // of the excuse; zero: it goes on
		count   map[string]int // at second 30
		over    int
		excused int
	}{
		"at the limit":                     {charges: all, count: map[string]int{"a": 10, "b": 44}},
		"one too many":                     {charges: all, count: map[string]int{"a": 10, "b": 45}, over: 1},
		"of a role that nobody knows":      {charges: all, count: map[string]int{"a": 10, "b": 44, "stranger": 1}, over: 1},
		"paused beyond its lease":          {charges: all, later: lapsed, excuse: &Excuse{Role: "a"}, count: map[string]int{"a": 10, "b": 53}, excused: 1},
		"another is paused":                {charges: all, later: lapsed, excuse: &Excuse{Role: "c"}, count: map[string]int{"a": 10, "b": 53}, over: 1},
		"the excuse is over":               {charges: all, later: lapsed, excuse: &Excuse{Role: "a"}, ends: at(29), count: map[string]int{"a": 10, "b": 53}, over: 1},
		"the excuse has not begun":         {charges: all, later: lapsed, excuse: &Excuse{Role: "a", From: at(31)}, count: map[string]int{"a": 10, "b": 53}, over: 1},
		"others are too many as well":      {charges: all, later: lapsed, excuse: &Excuse{Role: "a"}, count: map[string]int{"a": 10, "b": 54}, over: 1},
		"its own above the charge only":    {charges: all, excuse: &Excuse{Role: "a"}, count: map[string]int{"a": 10, "b": 45}, over: 1},
		"local mode, as many as it may":    {charges: all, excuse: &Excuse{Role: "c", Most: 2}, count: map[string]int{"a": 10, "b": 44, "c": 2}, excused: 1},
		"local mode, one more than it may": {charges: all, excuse: &Excuse{Role: "c", Most: 2}, count: map[string]int{"a": 10, "b": 44, "c": 3}, over: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var found errs
			h := newHistory(t, found.add)
			charge(t, h, at(0), 54, c.charges)
			if c.later != nil {
				charge(t, h, at(20), 54, map[string]int{"a": 0, "b": 44}) // first it falls
				charge(t, h, at(20), 54, c.later)
			}
			l := NewLimits(h, 57, func(role string) string { return role }, found.add)
			if c.excuse != nil {
				l.Excuse(*c.excuse)(c.ends)
			}
			count := Count{At: at(30), Roles: c.count}
			for _, n := range c.count {
				count.Total += n
			}
			l.Take(count)
			if l.tally.OverLimit+l.tally.Excused > 0 {
				t.Error("it was judged before the history was known")
			}
			got := l.Finish()
			if got.OverLimit != c.over || got.Excused != c.excused || (len(found) > 0) != (c.over > 0) {
				t.Errorf("%+v; found:\n%s", got, &found)
			}
		})
	}
}

func TestNobodyGetsMoreThanTheDatabaseHas(t *testing.T) {
	for all, over := range map[int]int{57: 0, 58: 1} {
		var found errs
		h := newHistory(t, found.add)
		charge(t, h, at(0), 54, map[string]int{"a": 50})
		l := NewLimits(h, 57, func(role string) string { return role }, found.add)
		l.Take(Count{At: at(30), Total: 50, Roles: map[string]int{"a": 50}, All: all})
		if got := l.Finish(); got.OverLimit != over || len(found) != over || got.PeakAll != all {
			t.Errorf("%d in all: %+v; found:\n%s", all, got, &found)
		}
	}
}

func TestTheLimitInForceCounts(t *testing.T) {
	var found errs
	h := newHistory(t, found.add)
	charge(t, h, at(0), 54, map[string]int{"a": 54})
	charge(t, h, at(20), 40, map[string]int{"a": 50}) // lowered; it gives up step by step
	charge(t, h, at(25), 40, map[string]int{"a": 40})
	l := NewLimits(h, 57, func(role string) string { return role }, found.add)
	for _, c := range []struct {
		second float64
		n      int
		over   int
	}{{10, 54, 0}, {19.5, 54, 0}, {23, 50, 0}, {23, 51, 1}, {28, 40, 1}, {28, 41, 2}} {
		l.Take(Count{At: at(c.second), Total: c.n, Roles: map[string]int{"a": c.n}})
		if got := l.Finish(); got.OverLimit != c.over {
			t.Errorf("%d connections at second %v: %d times over, want %d", c.n, c.second, got.OverLimit, c.over)
		}
	}
}

func TestGrowthAboveWhatIsAvailableIsFound(t *testing.T) {
	said := func(id string) []byte {
		return events.EncodeIntent(&events.Intent{Kind: events.Renew, Container: id, Counter: 1})
	}
	for name, c := range map[string]struct {
		sender string
		want   bool
	}{
		"whoever says that it holds more may be counted": {"b", false},
		"others may not grow":                            {"a", true},
	} {
		t.Run(name, func(t *testing.T) {
			var found errs
			h := newHistory(t, found.add)
			charge(t, h, at(0), 54, map[string]int{"a": 10, "b": 44})
			rec := &events.Record{
				Sequence: 2, Available: 54, Charged: 55, Intent: said(c.sender),
				Decisions: []events.Decision{{Container: "b", Charge: 45}},
			}
			h.mu.Lock()
			err := h.count(rec, 54, at(1))
			h.mu.Unlock()
			if (err != nil) != c.want || (len(found) > 0) != c.want {
				t.Errorf("%v, %s", err, &found)
			}
		})
	}
}

func TestSeries(t *testing.T) {
	var s series
	for i, v := range []int{3, 5, 5, 2} {
		s.add(at(float64(i)), v)
	}
	for _, c := range []struct {
		from, to    float64
		least, most int
	}{{-2, -1, 0, 0}, {-1, 0, 0, 3}, {0, 0.5, 3, 3}, {0.5, 1, 3, 5}, {1, 2.9, 5, 5}, {2, 9, 2, 5}, {8, 9, 2, 2}} {
		if least, most := s.during(at(c.from), at(c.to)); least != c.least || most != c.most {
			t.Errorf("%v to %v: %d to %d, want %d to %d", c.from, c.to, least, most, c.least, c.most)
		}
	}
	for i := range 10_000 {
		s.add(at(float64(10+i)), i)
	}
	if len(s) > 100 {
		t.Errorf("%d points are kept", len(s))
	}
}
