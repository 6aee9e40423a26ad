package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/conncord/conncord/projector/status"
)

// viewMetrics are known also while there is no status.
var viewMetrics = []metric[view]{
	gauge("conncord_caught_up", "Whether the status shows all of the history but what was written within the last moment.",
		func(v view) float64 { return is(v.caughtUp) }),
	gauge("conncord_health", "The sum of all alerts: 0 healthy, 1 warning, 2 critical, 3 unknown, because there is no status or it is too old.",
		health),
}

// statusMetrics are what a status says.
func statusMetrics() []metric[view] {
	return slices.Concat(shareMetrics, historyMetrics, databaseMetrics, serviceMetrics, alertMetrics)
}

// shareMetrics are how the database's connections are shared out.
var shareMetrics = []metric[view]{
	gauge("conncord_limit_connections", "The limit: the database's max connections.",
		func(v view) float64 { return float64(v.MaxConnections) }),
	gauge("conncord_reserved_connections", "The reserve: connections kept back for the platform.",
		func(v view) float64 { return float64(v.Reserved) }),
	gauge("conncord_external_connections", "Connections taken by others than containers, beyond the reserve.",
		func(v view) float64 { return float64(v.External) }),
	gauge("conncord_available_connections", "What containers share: limit - reserve - external.",
		func(v view) float64 { return float64(v.Available) }),
	gauge("conncord_allocated_connections", "The sum of all charges: what containers may hold, and what they may still hold of what they are giving back.",
		func(v view) float64 { return float64(v.TotalAllocated) }),
	gauge("conncord_remaining_connections", "What is available and not allocated.",
		func(v view) float64 { return float64(v.Remaining) }),
	gauge("conncord_utilization_ratio", "What is allocated of what is available: 1 is all of it, more only while the limit was just lowered.",
		func(v view) float64 { return utilization(v.Status) }),
}

// historyMetrics are who leads, and how far the status has followed.
var historyMetrics = []metric[view]{
	gauge("conncord_has_leader", "Whether any arbiter leads the budget.",
		func(v view) float64 { return is(v.Leader != "") }),
	gauge("conncord_epoch", "The number of the leadership within this incarnation of the history.",
		func(v view) float64 { return float64(v.Epoch) }),
	gauge("conncord_sequence", "The sequence of the newest record that the status shows.",
		func(v view) float64 { return float64(v.Sequence) }),
	gauge("conncord_lag_records", "Records in the history that the status does not show yet.",
		func(v view) float64 { return float64(v.Lag) }),
	gauge("conncord_barrier_seconds", "How long it is until the recovery barrier opens; 0 when it is open.",
		func(v view) float64 { return float64(v.Barrier) / 1000 }),
	gauge("conncord_degraded", "Whether the status may not be all, or not be true any more: its notices say why.",
		func(v view) float64 { return is(v.Degraded) }),
	gauge("conncord_status_age_seconds", "How old the status is.",
		func(v view) float64 { return v.Age(v.now).Seconds() }),
}

// databaseMetrics are what the database itself shows, where an arbiter looks.
var databaseMetrics = []metric[view]{
	gauge("conncord_watched", "Whether the leading arbiter looks at the database.",
		func(v view) float64 { return is(v.Watched) }),
	{"conncord_uncounted_connections", "Drift: connections of containers in the database that are in no charge. Absent where no arbiter looks.", nil,
		prometheus.GaugeValue, func(v view, say say) {
			if v.Watched {
				say(float64(v.Uncounted))
			}
		}},
	{"conncord_unregistered_connections", "Of the uncounted connections, those of containers that are not registered: they run in local mode. Absent where no arbiter looks.", nil,
		prometheus.GaugeValue, func(v view, say say) {
			if v.Watched {
				say(float64(v.Unregistered))
			}
		}},
}

// utilization is 1 when something is allocated of nothing, like the status's
// percentage.
func utilization(s *status.Status) float64 {
	switch {
	case s.TotalAllocated <= 0:
		return 0
	case s.Available <= 0:
		return 1
	}
	return float64(s.TotalAllocated) / float64(s.Available)
}

// health is the health as a number: a check's exit status.
func health(v view) float64 {
	if v.Status == nil {
		return float64(status.Unknown.Code())
	}
	return float64(v.HealthAt(v.now).Code())
}
