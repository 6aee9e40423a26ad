package alert

import (
	"slices"

	"github.com/conncord/conncord/projector/status"
)

// A Change is that an alert was raised or cleared.
type Change struct {
	Alert   status.Alert
	Cleared bool
}

// Changes returns how the alerts differ from those before.
func Changes(before, now []status.Alert) []Change {
	var changes []Change
	for _, a := range now {
		if !contains(before, a) {
			changes = append(changes, Change{Alert: a})
		}
	}
	for _, a := range before {
		if !contains(now, a) {
			changes = append(changes, Change{Alert: a, Cleared: true})
		}
	}
	return changes
}

func contains(alerts []status.Alert, a status.Alert) bool {
	return slices.ContainsFunc(alerts, func(b status.Alert) bool { return a.Name == b.Name && a.Service == b.Service })
}
