package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/conncord/conncord/cmd/demo/service"
)

// An Explanation says which failures of clients a fault explains.
type Explanation struct {
	Classes []service.Class
	Roles   []string // of the containers concerned; empty: all
}

func (e *Explanation) explains(role string, class service.Class) bool {
	return slices.Contains(e.Classes, class) && (len(e.Roles) == 0 || slices.Contains(e.Roles, role))
}

// A Full allows that connections are refused, because others have really taken
// what there is.
type Full struct {
	From  time.Time
	Roles func(role string) bool // of those that may be refused
	Text  string                 // what the database has to say; empty: anything
}

// Failures judge what clients report. They are safe for concurrent use.
type Failures struct {
	failed       func(error)
	explanations reasons[Explanation]
	full         reasons[Full]

	mu          sync.Mutex
	refused     int64
	expected    int64 // refusals that are allowed
	explained   map[service.Class]int64
	unexplained int64
	sessions    int64
}

// NewFailures returns failures; failed is called with the ones that nothing
// explains.
func NewFailures(failed func(error)) *Failures {
	return &Failures{failed: failed, explained: map[service.Class]int64{}}
}

// Explain adds an explanation. It goes on until end is called with a moment, which
// may lie ahead.
func (f *Failures) Explain(e Explanation) (end func(at time.Time)) { return f.explanations.add(e) }

// Fill allows refusals. It goes on until end is called with a moment, which may
// lie ahead.
func (f *Failures) Fill(full Full) (end func(at time.Time)) { return f.full.add(full) }

// allowed reports whether a refusal is.
func (f *Failures) allowed(role, text string, at time.Time) bool {
	return slices.ContainsFunc(f.full.at(at), func(a Full) bool {
		return !at.Before(a.From) && a.Roles(role) && strings.Contains(text, a.Text)
	})
}

// Take takes a container's report, and the one before it.
func (f *Failures) Take(name, role string, old, r service.Report, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions += r.Sessions - old.Sessions
	if n := r.Refused - old.Refused; n > 0 && f.allowed(role, r.LastError, at) {
		f.expected += n
	} else if n > 0 {
		f.refused += n
		f.failed(fmt.Errorf("the database refused %d connections of %s: %s", n, name, r.LastError))
	}
	for class, now := range r.Failures {
		n := now.Count - old.Failures[class].Count
		if n == 0 {
			continue
		}
		if slices.ContainsFunc(f.explanations.at(at), func(e Explanation) bool { return e.explains(role, class) }) {
			f.explained[class] += n
			continue
		}
		f.unexplained += n
		f.failed(fmt.Errorf("%d sessions of %s (%s) failed and no fault explains it: %s: %s", n, name, role, class, now.Last))
	}
}

// Refused adds a refusal that the database has logged.
func (f *Failures) Refused(role, text string, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.allowed(role, text, at) {
		f.expected++
		return
	}
	f.refused++
	f.failed(fmt.Errorf("the database refused a connection of %s: %s", role, text))
}

// A FailureTally sums up what clients reported.
type FailureTally struct {
	Sessions, Refused, Unexplained int64
	Expected                       int64  // refusals while others had really filled the database
	Explained                      string // by class
}

// Tally returns the sums.
func (f *Failures) Tally() FailureTally {
	f.mu.Lock()
	defer f.mu.Unlock()
	var classes []string
	for _, class := range slices.Sorted(maps.Keys(f.explained)) {
		classes = append(classes, fmt.Sprintf("%s %d", class, f.explained[class]))
	}
	return FailureTally{f.sessions, f.refused, f.unexplained, f.expected, strings.Join(classes, ", ")}
}
