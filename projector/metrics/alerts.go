package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/conncord/conncord/projector/alert"
)

var alertMetrics = []metric[view]{
	{"conncord_alert_firing", "Whether the alert is raised, for any service where it is about services.", []string{"alert", "severity"},
		prometheus.GaugeValue, sayAlerts},
	{"conncord_service_alert_firing", "1 while an alert that is about a service is raised for this one; absent otherwise.", []string{"alert", "severity", "service"},
		prometheus.GaugeValue, func(v view, say say) {
			for i := range v.Alerts {
				if a := &v.Alerts[i]; a.Service != "" {
					say(1, a.Name, string(a.Severity), a.Service)
				}
			}
		}},
}

// sayAlerts says of every alert whether it is raised, also of those that are not,
// so that a query can tell calm from ignorance.
func sayAlerts(v view, say say) {
	raised := map[string]bool{}
	for i := range v.Alerts {
		raised[v.Alerts[i].Name] = true
	}
	for _, name := range alert.Names() {
		say(is(raised[name]), name, string(alert.Severity(name)))
	}
}
