package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxRecommendations bounds what is recommended at once: more than that nobody
// does.
const maxRecommendations = 12

// largerPlans are what a plan can be exchanged for, with the connections that it
// allows.
var largerPlans = map[string]string{
	"free": "pro (200 connections)",
	"pro":  "team (400 connections)",
	"team": "enterprise (1,000 connections)",
}

// A Recommendation is something that people can do.
type Recommendation struct {
	Severity Health // how much it matters
	Text     string
}

// Recommendations says what to do, the most pressing first. It is empty only when
// nothing needs to be done.
func (s *Status) Recommendations(o PrintOptions) []Recommendation {
	o = o.withDefaults()
	var r []Recommendation
	add := func(severity Health, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		for i := range r {
			if r[i].Text == text {
				if severity.Code() > r[i].Severity.Code() {
					r[i].Severity = severity
				}
				return
			}
		}
		r = append(r, Recommendation{severity, text})
	}
	if s.Stale(o.Now) {
		add(Unknown, "Check that an arbiter runs and reaches Redis: nothing was published for %s", Ago(s.Age(o.Now)))
	}
	if s.Available <= 0 && s.MaxConnections > 0 {
		add(Critical, "Raise SUPABASE_MAX_CONNECTIONS, or keep back less: nothing is left for containers")
	}
	for i := range s.Alerts {
		for _, text := range s.remedies(&s.Alerts[i]) {
			add(s.Alerts[i].Severity, "%s", text)
		}
	}
	s.observations(add)
	slices.SortStableFunc(r, func(a, b Recommendation) int { return cmp.Compare(b.Severity.Code(), a.Severity.Code()) })
	return r[:min(len(r), maxRecommendations)]
}

// remedies say what helps against an alert.
func (s *Status) remedies(a *Alert) []string {
	switch a.Name {
	case "utilization":
		return []string{s.upgrade(), s.reduce()}
	case "exhausted":
		return []string{s.reduce(), s.upgrade()}
	case "service_missing":
		return []string{fmt.Sprintf("Check that %s runs, with SERVICE_NAME=%[1]s and the same REDIS_URL and budget", a.Service)}
	case "no_leader":
		return []string{"Start an arbiter, or read in the log of those that run why none leads"}
	case "drift":
		return []string{"Look into pg_stat_activity for connections of containers that are in no lease: a container may have gone on without Redis"}
	case "local_mode":
		return []string{"Check Redis, and each lost container's way to it: redis-cli -u $REDIS_URL ping"}
	case "barrier":
		return []string{"Wait until the recovery barrier opens; with DATABASE_URL set for the arbiters it opens as soon as the database explains everything"}
	case "rejected":
		return []string{"Read in the arbiter's log which intents are not accepted, and from whom: a container may be older or newer than the arbiters"}
	case "unmet_demand":
		return s.unmet(a.Service)
	case "degraded":
		return []string{"Check Redis and the projector's log: the status may not be all"}
	}
	return []string{"See to the alert " + a.Name + ": " + a.Summary}
}

func (s *Status) upgrade() string {
	if plan, ok := largerPlans[s.Plan]; ok {
		return "Upgrade the plan: " + plan + " comes next"
	}
	return "Upgrade the database to one that allows more connections"
}

// reduce names the service that has the most above its minimum for what it
// matters.
func (s *Status) reduce() string {
	spare := func(service *Service) int { return service.TotalConnections - service.Minimum }
	var largest *Service
	var name string
	for _, n := range s.Names() {
		service := s.Services[n]
		switch {
		case spare(service) <= 0:
		case largest == nil, spare(service)*max(1, largest.Priority) > spare(largest)*max(1, service.Priority):
			largest, name = service, n
		}
	}
	if largest == nil {
		return "Reduce what the services ask for, or stop one that is not essential"
	}
	return fmt.Sprintf("Reduce the demand of %s, or give it a maximum in the policy: it has %d of %d connections and priority %d",
		name, largest.TotalConnections, s.TotalAllocated, largest.Priority)
}

// unmet says what gives a service more.
func (s *Status) unmet(name string) []string {
	service := s.Services[name]
	if service == nil {
		return nil
	}
	if service.Maximum > 0 && service.Granted >= service.Maximum {
		return []string{fmt.Sprintf("Raise the maximum of %s in the policy: it wants %d and may have %d", name, service.Want, service.Maximum)}
	}
	return []string{
		s.upgrade(),
		fmt.Sprintf("Raise the priority of %s (%d) in the policy, if it matters more than others: it has %d of %d", name, service.Priority, service.Granted, service.Want),
	}
}

// observations are of what the status shows without an alert.
func (s *Status) observations(add func(severity Health, format string, args ...any)) {
	lost, kept, silent := 0, 0, 0
	for _, service := range s.Services {
		for i := range service.Containers {
			switch c := &service.Containers[i]; c.State {
			case Lost:
				lost++
				kept += c.Connections
			case Silent:
				silent++
			}
		}
	}
	if lost > 0 {
		add(Warning, "Give back what lost containers keep (%s of %s): CleanupStale, when they are known to be gone",
			plural(kept, "connection", "connections"), plural(lost, "container", "containers"))
	}
	if silent > 0 {
		add(Warning, "Look at %s whose heartbeats have stopped", plural(silent, "container", "containers"))
	}
	if s.TotalAllocated > s.Available {
		add(Warning, "Wait until containers have given %d back: the limit was lowered, or others opened connections", s.TotalAllocated-s.Available)
	}
	if s.Leader == "" && !s.alerted("no_leader") {
		add(Warning, "Start an arbiter: nobody leads")
	}
	if s.External > 0 && 4*s.External >= s.MaxConnections-s.Reserved {
		add(Warning, "Look into pg_stat_activity for who holds %d connections past Conncord", s.External)
	}
	if s.Degraded && !s.alerted("degraded") {
		add(Warning, "Read the notices: the status may not be all")
	}
}

func (s *Status) alerted(name string) bool {
	return slices.ContainsFunc(s.Alerts, func(a Alert) bool { return a.Name == name })
}

func (s *Status) recommendations(o PrintOptions) []string {
	health := s.HealthAt(o.Now)
	recommended := s.Recommendations(o)
	lines := []string{"  " + health.Label(o) + ":"}
	item := func(text string) {
		lines = append(lines, wrapped(o, "     "+bullet(o)+" ", "       ", text, 0)...)
	}
	if health == Healthy {
		item("Connection usage is within safe limits")
		if len(recommended) == 0 {
			item("No action needed")
		}
	}
	for _, r := range recommended {
		item(clean(o, strings.TrimSuffix(r.Text, ".")))
	}
	switch {
	case len(lines) > 1:
	case health == Unknown:
		item("Whether this is healthy is not known")
	default:
		item("Nobody says why: see the alerts, or the arbiter's log")
	}
	return lines
}
