package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/conncord/conncord/arbiter"
)

// arbiterMetrics are what the arbiter of this process does.
var arbiterMetrics = []metric[arbiter.State]{
	gauge("conncord_arbiter_is_leader", "Whether the arbiter of this process leads the budget.",
		func(s arbiter.State) float64 { return is(s.Leading) }),
	gauge("conncord_arbiter_caught_up", "Whether the arbiter of this process has read the history to its end: a standby is ready then.",
		func(s arbiter.State) float64 { return is(s.CaughtUp) }),
	ofLedger("conncord_arbiter_epoch", "The epoch of the newest record in the ledger of this process's arbiter.",
		func(s arbiter.State) float64 { return float64(s.Epoch) }),
	ofLedger("conncord_arbiter_sequence", "The sequence of the newest record in the ledger of this process's arbiter.",
		func(s arbiter.State) float64 { return float64(s.Sequence) }),
	ofLedger("conncord_arbiter_charged_connections", "The sum of all charges in the ledger of this process's arbiter.",
		func(s arbiter.State) float64 { return float64(s.Charged) }),
	ofLedger("conncord_arbiter_containers", "Containers that are registered in the ledger of this process's arbiter.",
		func(s arbiter.State) float64 { return float64(s.Containers) }),
}

// ofLedger is a metric that is absent before the arbiter has read any history.
func ofLedger(name, help string, value func(arbiter.State) float64) metric[arbiter.State] {
	return metric[arbiter.State]{name, help, nil, prometheus.GaugeValue, func(s arbiter.State, say say) {
		if s.Incarnation != 0 {
			say(value(s))
		}
	}}
}
