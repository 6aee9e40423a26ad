package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// A Board holds the alerts of one budget. It is not safe for concurrent use.
type Board struct {
	expected []string // services
	watches  map[key]*watch
	faulty   uint64    // refused intents that somebody has to mend, when last looked
	refused  time.Time // when they last became more
	begun    bool
}

// A key names an alert within a budget.
type key struct{ name, service string }

// A watch is one alert that is raised, or may come to be.
type watch struct {
	since   time.Time // when the condition began to hold
	over    time.Time // when it ceased to; zero: it holds
	raised  bool
	summary string
}

// CheckExpected reports whether these services can be expected: names of services,
// and no more than a budget has.
func CheckExpected(services []string) error {
	if len(services) > events.MaxServices {
		return fmt.Errorf("%d services are expected: a budget has at most %d", len(services), events.MaxServices)
	}
	var errs []error
	for _, name := range services {
		errs = append(errs, events.CheckService(name))
	}
	return errors.Join(errs...)
}

// NewBoard returns the board of a budget that expects these services to have
// containers.
func NewBoard(expected []string) *Board {
	return &Board{expected: expected, watches: map[key]*watch{}}
}

// Evaluate takes a new status and returns the alerts, the gravest first. Faulty is
// how many intents were refused so far for a reason that somebody has to mend.
// It is to be called at least once a second, also when nothing changes.
func (b *Board) Evaluate(now time.Time, s *status.Status, faulty uint64) []status.Alert {
	if b.begun && faulty > b.faulty {
		b.refused = now
	}
	b.begun, b.faulty = true, faulty
	c := &circumstances{status: s, expected: b.expected, rejected: -1}
	if !b.refused.IsZero() {
		c.rejected = now.Sub(b.refused)
	}
	alerts := []status.Alert{}
	for i := range rules {
		alerts = append(alerts, b.follow(now, &rules[i], c)...)
	}
	return alerts
}

// follow applies one rule.
func (b *Board) follow(now time.Time, r *rule, c *circumstances) []status.Alert {
	found := r.look(c, func(service string) bool {
		w := b.watches[key{r.name, service}]
		return w != nil && w.raised
	})
	holds := map[key]bool{}
	for _, f := range found {
		k := key{r.name, f.service}
		holds[k] = true
		w := b.watches[k]
		if w == nil {
			w = &watch{since: now}
			b.watches[k] = w
		}
		w.over, w.summary = time.Time{}, f.summary
		w.raised = w.raised || now.Sub(w.since) >= r.raise
	}
	var alerts []status.Alert
	for k, w := range b.watches {
		if k.name != r.name {
			continue
		}
		if !holds[k] {
			if w.over.IsZero() {
				w.over = now
			}
			if !w.raised || now.Sub(w.over) >= r.clear {
				delete(b.watches, k)
				continue
			}
		}
		if w.raised {
			alerts = append(alerts, status.Alert{Name: k.name, Service: k.service, Severity: r.severity, Summary: w.summary, Since: w.since})
		}
	}
	sortByService(alerts)
	return alerts
}

// HealthOf is the health that alerts amount to.
func HealthOf(alerts []status.Alert) status.Health {
	health := status.Healthy
	for i := range alerts {
		switch {
		case alerts[i].Severity == status.Critical:
			return status.Critical
		default:
			health = status.Warning
		}
	}
	return health
}

func sortByService(alerts []status.Alert) {
	slices.SortFunc(alerts, func(a, b status.Alert) int { return strings.Compare(a.Service, b.Service) })
}
