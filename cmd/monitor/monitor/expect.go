package monitor

import (
	"slices"
	"time"

	"github.com/conncord/conncord/projector/alert"
	"github.com/conncord/conncord/projector/status"
)

// An expectation is which services must have a container.
type expectation struct {
	services []string
	missing  map[string]time.Time // since when, of those that have none
}

func newExpectation(services []string) *expectation {
	return &expectation{services: services, missing: map[string]time.Time{}}
}

// add returns the status with an alert for every expected service that has no
// container, unless it has that alert already. It leaves the status as it is.
func (e *expectation) add(s *status.Status, now time.Time) *status.Status {
	var added []status.Alert
	for _, name := range e.services {
		if service := s.Services[name]; service != nil && service.Count > 0 {
			delete(e.missing, name)
			continue
		}
		if _, ok := e.missing[name]; !ok {
			e.missing[name] = now
		}
		known := slices.ContainsFunc(s.Alerts, func(a status.Alert) bool { return a.Name == alert.ServiceMissing && a.Service == name })
		if !known {
			added = append(added, status.Alert{
				Name: alert.ServiceMissing, Service: name, Severity: alert.Severity(alert.ServiceMissing),
				Summary: name + " is expected and has no container: it may be down.", Since: e.missing[name],
			})
		}
	}
	if len(added) == 0 {
		return s
	}
	with := *s
	grave := slices.IndexFunc(s.Alerts, func(a status.Alert) bool { return a.Severity != status.Critical })
	if grave < 0 {
		grave = len(s.Alerts)
	}
	with.Alerts = slices.Insert(slices.Clone(s.Alerts), grave, added...)
	if s.Health == status.Healthy {
		with.Health = status.Warning
	}
	return &with
}
