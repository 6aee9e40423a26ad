// Package metrics shows a budget to Prometheus.
//
// A collector ([New]) reads, at each scrape, what a projector and an arbiter of
// the same process know, and holds nothing of its own: so what /metrics says is
// what the status says. [Handler] serves it, with the process's own metrics.
//
// # What is not known is absent
//
// Before there is a status there is no limit and no service; where nobody looks at
// the database there is no drift. These metrics are absent then, rather than 0, so
// that nobody takes ignorance for calm. What is always known, such as whether the
// projector is caught up, is always there.
//
// # Who says it
//
// Each arbiter of a budget has a projector, and all of them show the same budget.
// Queries therefore take the maximum over instances, not the sum. Metrics whose
// name begins with conncord_arbiter are about the one arbiter of this process.
//
// # Labels
//
// Every metric has the label budget. Beyond that there are service (at most
// [events.MaxServices] at a time), and sets that are fixed: state, kind, verb,
// reason, alert and severity. No label names a container, a host or an arbiter, so
// that the number of series does not grow with the fleet; who holds what, the
// status says.
//
// docs/metrics.md lists all metrics. The alert rules in deploy/prometheus and the
// dashboard in deploy/grafana use them; tests of this package keep the four
// together.
package metrics
