package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector"
)

// countMetrics are the projector's own figures. They begin at 0 with the process,
// and what it read to catch up is not in them.
var countMetrics = []metric[projector.Counts]{
	{"conncord_records_total", "Records that were added to the history, by what their intent was about. Those of rejected intents are not among them.", []string{"kind"},
		prometheus.CounterValue, func(c projector.Counts, say say) {
			for k := events.Register; k <= events.Observe; k++ {
				say(float64(c.Kinds[k]), k.String())
			}
		}},
	{"conncord_decisions_total", "Decisions about leases, by what they did.", []string{"verb"},
		prometheus.CounterValue, func(c projector.Counts, say say) {
			for v := events.Noted; v <= events.Ended; v++ {
				say(float64(c.Verbs[v]), v.String())
			}
		}},
	{"conncord_rejected_intents_total", "Intents that were not accepted, by reason. Of these stale, unknown_sender and no_policy belong to the protocol; the others somebody has to mend.", []string{"reason"},
		prometheus.CounterValue, func(c projector.Counts, say say) {
			for r, n := range c.Refusals {
				reason := events.Reason(r)
				// A newer arbiter may have reasons that this program does not know.
				if known := reason >= events.Unreadable && reason <= events.NoPolicy; known || n > 0 {
					say(float64(n), reason.Code())
				}
			}
		}},
	{"conncord_history_gaps_total", "How often the history did not go on where it was read to, and was read anew.", nil,
		prometheus.CounterValue, func(c projector.Counts, say say) { say(float64(c.Gaps)) }},
}
