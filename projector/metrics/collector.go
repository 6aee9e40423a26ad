package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/projector"
	"github.com/conncord/conncord/projector/status"
)

// A Source is what is measured: [projector.Projector] implements it.
type Source interface {
	Status() *status.Status // nil: there is none yet
	Counts() projector.Counts
	CaughtUp() bool
}

// An Arbiter is the arbiter of this process: [arbiter.Arbiter] implements it.
type Arbiter interface {
	State() arbiter.State
}

// New returns the collector of a budget's metrics. Where the process has no
// arbiter, a is nil, and the arbiter's metrics are absent.
func New(budget string, s Source, a Arbiter) prometheus.Collector {
	return &collector{
		source: s, arbiter: a,
		views: bind(budget, viewMetrics), statuses: bind(budget, statusMetrics()),
		counts: bind(budget, countMetrics), states: bind(budget, arbiterMetrics),
	}
}

type collector struct {
	source  Source
	arbiter Arbiter // nil: none

	views    []bound[view]
	statuses []bound[view] // those that need a status
	counts   []bound[projector.Counts]
	states   []bound[arbiter.State]
}

// A view is what the source shows at the time of a scrape.
type view struct {
	*status.Status // nil: there is none
	caughtUp       bool
	now            time.Time
}

// A metric says something about a T.
type metric[T any] struct {
	name, help string
	labels     []string
	kind       prometheus.ValueType
	// collect calls say for every series of which the value is known.
	collect func(of T, say say)
}

// say takes the value of a series, and what its labels are.
type say func(value float64, labels ...string)

// gauge is a metric with one series, whose value is known whenever there is a T.
func gauge[T any](name, help string, value func(T) float64) metric[T] {
	return metric[T]{name, help, nil, prometheus.GaugeValue, func(of T, say say) { say(value(of)) }}
}

// A bound metric is that of one budget.
type bound[T any] struct {
	metric[T]
	desc *prometheus.Desc
}

func bind[T any](budget string, metrics []metric[T]) []bound[T] {
	all := make([]bound[T], len(metrics))
	for i, m := range metrics {
		all[i] = bound[T]{m, prometheus.NewDesc(m.name, m.help, m.labels, prometheus.Labels{"budget": budget})}
	}
	return all
}

func describe[T any](ch chan<- *prometheus.Desc, metrics []bound[T]) {
	for i := range metrics {
		ch <- metrics[i].desc
	}
}

func collect[T any](ch chan<- prometheus.Metric, metrics []bound[T], of T) {
	for i := range metrics {
		m := &metrics[i]
		m.collect(of, func(value float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
		})
	}
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	describe(ch, c.views)
	describe(ch, c.statuses)
	describe(ch, c.counts)
	describe(ch, c.states)
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	v := view{c.source.Status(), c.source.CaughtUp(), time.Now()}
	collect(ch, c.views, v)
	if v.Status != nil {
		collect(ch, c.statuses, v)
	}
	collect(ch, c.counts, c.source.Counts())
	if c.arbiter != nil {
		collect(ch, c.states, c.arbiter.State())
	}
}

// is is how metrics write yes and no.
func is(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
