package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/conncord/conncord/projector/status"
)

// serviceMetrics are what each service that has containers has, wants and is due.
var serviceMetrics = []metric[view]{
	perService("conncord_service_connections", "The sum of the charges of the service's containers.",
		func(s *status.Service) int { return s.TotalConnections }),
	perService("conncord_service_granted_connections", "What the service's containers may use; the rest of its connections is being given back.",
		func(s *status.Service) int { return s.Granted }),
	perService("conncord_service_in_use_connections", "Connections that callers have checked out, as the containers last said.",
		func(s *status.Service) int { return s.InUse }),
	perService("conncord_service_wanted_connections", "What the service's containers would use if they could.",
		func(s *status.Service) int { return s.Want }),
	perService("conncord_service_waiting_callers", "Callers that wait for a connection, as the containers last said.",
		func(s *status.Service) int { return s.Waiting }),
	perService("conncord_service_priority", "The service's priority: the larger, the more it is due.",
		func(s *status.Service) int { return s.Priority }),
	perService("conncord_service_minimum_connections", "What the service gets before others get more than their minimum.",
		func(s *status.Service) int { return s.Minimum }),
	{"conncord_service_maximum_connections", "What the service gets at most. Absent where it has no maximum.", []string{"service"},
		prometheus.GaugeValue, func(v view, say say) {
			for name, s := range v.Services {
				if s.Maximum > 0 {
					say(float64(s.Maximum), name)
				}
			}
		}},
	{"conncord_service_unmet_seconds", "For how long the service has had less than it wants; 0 when it has all.", []string{"service"},
		prometheus.GaugeValue, func(v view, say say) {
			for name, s := range v.Services {
				seconds := 0.0
				if s.UnmetSince != nil {
					seconds = max(0, v.now.Sub(*s.UnmetSince).Seconds())
				}
				say(seconds, name)
			}
		}},
	{"conncord_service_containers", "The service's containers by the state of their lease.", []string{"service", "state"},
		prometheus.GaugeValue, sayContainers},
}

func perService(name, help string, value func(*status.Service) int) metric[view] {
	return metric[view]{name, help, []string{"service"}, prometheus.GaugeValue, func(v view, say say) {
		for name, s := range v.Services {
			say(float64(value(s)), name)
		}
	}}
}

var containerStates = []status.State{status.Active, status.Waiting, status.Recalling, status.Silent, status.Lost}

func sayContainers(v view, say say) {
	if v.Partial { // the containers were left out
		return
	}
	for name, s := range v.Services {
		count := make(map[status.State]int, len(containerStates))
		for i := range s.Containers {
			count[s.Containers[i].State]++
		}
		for _, state := range containerStates {
			say(float64(count[state]), name, string(state))
		}
	}
}
