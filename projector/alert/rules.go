package alert

import (
	"fmt"
	"time"

	"github.com/conncord/conncord/projector/status"
)

// The names of the alerts. They are stable: receivers go by them.
const (
	Utilization    = "utilization"     // more than 75 % of what is available is allocated
	Exhausted      = "exhausted"       // almost nothing remains
	ServiceMissing = "service_missing" // a service that is expected has no container
	NoLeader       = "no_leader"       // nobody decides
	Drift          = "drift"           // the database shows connections of containers that are in no charge
	LocalMode      = "local_mode"      // containers go on without an arbiter
	Barrier        = "barrier"         // the history was lost, and nobody gains for now
	Rejected       = "rejected"        // intents were refused for a reason that somebody has to mend
	UnmetDemand    = "unmet_demand"    // a service has had less than it wants for a minute
	Degraded       = "degraded"        // the status may not be all, or not true any more
)

// Names are all alerts, the gravest first.
func Names() []string {
	return []string{NoLeader, Exhausted, Barrier, Degraded, Drift, LocalMode, ServiceMissing, Utilization, UnmetDemand, Rejected}
}

// Severity returns how grave the alert is, whether it is raised or not.
func Severity(name string) status.Health {
	for _, r := range rules {
		if r.name == name {
			return r.severity
		}
	}
	return status.Unknown
}

// HighUtilization is the percentage above which the utilization is high; it is calm
// again below another one.
const (
	HighUtilization = 75
	calmUtilization = 70
)

const (
	// fewRemaining is the threshold for a database of common size. Of a small one
	// a tenth of what is available is few. The alert ends at so many above it.
	fewRemaining, amplyAbove = 5, 2
	fewPart                  = 10
)

// Few returns how many connections must remain, of so many that are available, for
// them not to be almost exhausted.
func Few(available int) int { return min(fewRemaining, max(1, available/fewPart)) }

// What was seen, beside the status.
type circumstances struct {
	status   *status.Status
	expected []string
	rejected time.Duration // since the last intent was refused that somebody has to mend; negative: none was
}

// A rule is one kind of alert.
type rule struct {
	name     string
	severity status.Health
	raise    time.Duration // how long the condition must hold
	clear    time.Duration // how long it must not
	// look returns what the rule is about: of a rule about services one finding
	// each, of others one. raised is whether the alert is raised already, for
	// thresholds that lie apart.
	look func(c *circumstances, raised func(service string) bool) []finding
}

// A finding is that a condition holds.
type finding struct {
	service string
	summary string
}

// How long something may last that mends itself: an arbiter is replaced within a
// second (a blip), a container starts again within a few.
const (
	blip         = 3 * time.Second
	restart      = 10 * time.Second
	steady       = 30 * time.Second
	unmetFor     = time.Minute
	rejectedSeen = time.Minute
)

// rules are all rules, in the order of Names.
var rules = []rule{
	{NoLeader, status.Critical, blip, blip, func(c *circumstances, _ func(string) bool) []finding {
		return one(c.status.Leader == "", "No arbiter leads: nothing is granted, and leases run out unless one starts.")
	}},
	{Exhausted, status.Critical, blip, steady, func(c *circumstances, raised func(string) bool) []finding {
		few := Few(c.status.Available)
		if raised("") {
			few += amplyAbove
		}
		return one(c.status.Available > 0 && c.status.Remaining < few, "Almost out of connections: %d of %d remain.", c.status.Remaining, c.status.Available)
	}},
	{Barrier, status.Warning, 0, 0, func(c *circumstances, _ func(string) bool) []finding {
		return one(c.status.Barrier > 0, "The history was lost: containers keep what they have, and nobody gains until the recovery barrier opens.")
	}},
	{Degraded, status.Warning, blip, blip, func(c *circumstances, _ func(string) bool) []finding {
		what := "The status may not be complete."
		if len(c.status.Notices) > 0 {
			what = c.status.Notices[0]
		}
		return one(c.status.Degraded, "%s", what)
	}},
	{Drift, status.Warning, restart, restart, func(c *circumstances, _ func(string) bool) []finding {
		return one(c.status.Uncounted > 0, "The database shows %d connections of containers that the books do not count.", c.status.Uncounted)
	}},
	{LocalMode, status.Warning, blip, restart, func(c *circumstances, _ func(string) bool) []finding {
		containers, conns := 0, 0
		for _, service := range c.status.Services {
			for i := range service.Containers {
				if m := &service.Containers[i]; m.State == status.Lost && m.Connections > 0 {
					containers++
					conns += m.Connections
				}
			}
		}
		if n := c.status.Unregistered; n > 0 {
			return one(true, "The database shows %d connections of containers that are not registered: they run in local mode, without Redis or an arbiter.", n)
		}
		return one(containers > 0, "%d containers have not been heard in time and may go on in local mode with %d connections.", containers, conns)
	}},
	{ServiceMissing, status.Warning, restart, blip, func(c *circumstances, _ func(string) bool) []finding {
		var missing []finding
		for _, name := range c.expected {
			if c.status.Services[name] == nil {
				missing = append(missing, finding{name, fmt.Sprintf("%s has no container: it may be down.", name)})
			}
		}
		return missing
	}},
	{Utilization, status.Warning, blip, steady, func(c *circumstances, raised func(string) bool) []finding {
		high := HighUtilization
		if raised("") {
			high = calmUtilization
		}
		return one(c.status.UtilizationPct > float64(high), "High connection usage: %d of %d are allocated (%.1f %%).", c.status.TotalAllocated, c.status.Available, c.status.UtilizationPct)
	}},
	{UnmetDemand, status.Warning, unmetFor, blip, func(c *circumstances, _ func(string) bool) []finding {
		var unmet []finding
		for name, service := range c.status.Services {
			if service.UnmetSince != nil {
				unmet = append(unmet, finding{name, fmt.Sprintf("%s has had less than it wants for a minute: %d of %d connections, %d callers wait.", name, service.Granted, service.Want, service.Waiting)})
			}
		}
		return unmet
	}},
	{Rejected, status.Warning, 0, 0, func(c *circumstances, _ func(string) bool) []finding {
		return one(c.rejected >= 0 && c.rejected < rejectedSeen, "Intents were rejected within the last minute: the history holds them and the reasons.")
	}},
}

func one(holds bool, summary string, args ...any) []finding {
	if !holds {
		return nil
	}
	return []finding{{"", fmt.Sprintf(summary, args...)}}
}
