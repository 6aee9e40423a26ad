package status

import "time"

// HealthAt is how healthy the budget is as far as can be told at a moment: of a
// status that is too old nothing can.
func (s *Status) HealthAt(now time.Time) Health {
	if s.Stale(now) {
		return Unknown
	}
	switch s.Health {
	case Healthy, Warning, Critical:
		return s.Health
	}
	return Unknown
}

// Code is the health as a number, the graver the higher: the exit status of
// a check, as Nagios plugins have it, and the value of the metric.
func (h Health) Code() int {
	switch h {
	case Healthy:
		return 0
	case Warning:
		return 1
	case Critical:
		return 2
	}
	return 3
}
