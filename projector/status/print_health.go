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

// rank orders severities by how grave they are.
func rank(h Health) int {
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
