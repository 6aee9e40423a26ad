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

// Failures judge what clients report. They are safe for concurrent use.
type Failures struct {
	failed       func(error)
	explanations reasons[Explanation]

	mu          sync.Mutex
	refused     int64
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

// Take takes a container's report, and the one before it.
func (f *Failures) Take(name, role string, old, r service.Report, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions += r.Sessions - old.Sessions
	if n := r.Refused - old.Refused; n > 0 {
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

// Refused adds refusals that the database has logged.
func (f *Failures) Refused(n int, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused += int64(n)
	f.failed(fmt.Errorf("the database refused a connection: %s", text))
}

// A FailureTally sums up what clients reported.
type FailureTally struct {
	Sessions, Refused, Unexplained int64
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
	return FailureTally{f.sessions, f.refused, f.unexplained, strings.Join(classes, ", ")}
}
