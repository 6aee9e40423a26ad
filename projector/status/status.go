package status

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Version is the version of the JSON.
const Version = 1

// StaleAfter is how old a status may be. A projector publishes one every five
// seconds at least, whatever happens; an older one than this says that none runs,
// or that it cannot reach Redis.
const StaleAfter = 15 * time.Second

// A Status is how a budget stands at a moment.
type Status struct {
	Version int    `json:"version"`
	Budget  string `json:"budget"`

	Plan           string  `json:"supabase_plan"`
	MaxConnections int     `json:"max_connections"` // the limit
	Reserved       int     `json:"reserved"`        // kept back for the platform
	External       int     `json:"external"`        // taken by others than containers, beyond the reserve
	Available      int     `json:"available"`       // what containers share
	TotalAllocated int     `json:"total_allocated"` // the sum of all charges
	Remaining      int     `json:"remaining"`
	UtilizationPct float64 `json:"utilization_pct"` // total_allocated of available, one decimal

	Services map[string]*Service `json:"services"`

	Health Health  `json:"health"`
	Alerts []Alert `json:"alerts"` // the gravest first

	Leader      string     `json:"leader"` // id of the arbiter that leads; empty: none
	LeaderHost  string     `json:"leader_host,omitempty"`
	LeaderSince *time.Time `json:"leader_since,omitempty"`
	Incarnation string     `json:"incarnation"` // hexadecimal
	Epoch       uint64     `json:"epoch"`
	Sequence    uint64     `json:"sequence"` // of the newest record that the status shows

	Lag      uint64   `json:"lag"`      // records in the history that the status does not show yet
	Barrier  int64    `json:"barrier"`  // milliseconds until the recovery barrier opens; 0: it is open
	Rejected uint64   `json:"rejected"` // intents that were not accepted in this incarnation
	Degraded bool     `json:"degraded"` // the status may not be all, or not be true any more: see notices
	Notices  []string `json:"notices"`  // what is unusual, a sentence each

	Watched      bool `json:"watched"`      // the arbiter looks at the database
	Uncounted    int  `json:"uncounted"`    // connections of containers in the database that are in no charge: drift
	Unregistered int  `json:"unregistered"` // of these, of containers that are not registered: they run in local mode

	AsOf      *time.Time `json:"as_of,omitempty"` // when the newest record was made
	UpdatedAt time.Time  `json:"updated_at"`      // when the projector published this

	// Partial is that the containers are left out, because there are many: read
	// the key for them.
	Partial bool `json:"partial,omitempty"`
}

// A Service is one kind of container, as the rules have it and as it stands.
type Service struct {
	Containers       []Container `json:"containers"` // in order of registration
	Count            int         `json:"count"`      // of containers
	TotalConnections int         `json:"total_connections"`
	Pct              float64     `json:"pct"` // of total_allocated, one decimal

	Priority int  `json:"priority"`
	Minimum  int  `json:"minimum"`
	Maximum  int  `json:"maximum"` // 0: none of its own
	Listed   bool `json:"listed"`  // the policy names it

	Granted    int        `json:"granted"` // connections that its containers may use
	InUse      int        `json:"in_use"`
	Waiting    int        `json:"waiting"` // callers that wait for a connection
	Want       int        `json:"want"`
	UnmetSince *time.Time `json:"unmet_since,omitempty"` // since when it has had less than it wants
}

// A Container is one registered container and its lease.
type Container struct {
	ID          string    `json:"container_id"`
	Host        string    `json:"host"`
	State       State     `json:"state"`
	Connections int       `json:"connections"` // its charge
	Granted     int       `json:"granted"`     // of these, what it may use; the rest it is giving back
	InUse       int       `json:"in_use"`      // as it last said, like held and waiting
	Held        int       `json:"held"`
	Waiting     int       `json:"waiting"`
	Want        int       `json:"want"`
	Position    int       `json:"position,omitempty"`   // its place among the containers that wait, from 1
	Backends    *int      `json:"backends,omitempty"`   // what the database shows of it, where the arbiter looks
	ReservedAt  time.Time `json:"reserved_at,omitzero"` // when its lease began
	HeardAt     time.Time `json:"heard_at,omitzero"`    // when it was last heard
	Lease       string    `json:"lease"`
	Reason      string    `json:"reason"`                // why its lease is as it is; empty: nothing to say
	ReasonCode  string    `json:"reason_code,omitempty"` // the same, for programs
}

// A State is what a container's lease is in.
type State string

// The states.
const (
	Active    State = "active"    // it has what it wants
	Waiting   State = "waiting"   // it wants more than it has
	Recalling State = "recalling" // it is giving connections back
	Silent    State = "silent"    // its heartbeats have stopped
	Lost      State = "lost"      // its lease has expired; it may hold its fallback, in local mode
)

// Health is the sum of all alerts.
type Health string

// The healths, in the order of a check's exit status.
const (
	Healthy  Health = "healthy"
	Warning  Health = "warning"
	Critical Health = "critical"
	Unknown  Health = "unknown" // there is no status, or it is too old
)

// An Alert is something that people should know.
type Alert struct {
	Name     string    `json:"name"`              // for programs: utilization, exhausted, service_missing, no_leader, drift, local_mode, barrier, rejected, unmet_demand, degraded
	Service  string    `json:"service,omitempty"` // the service that it is about
	Severity Health    `json:"severity"`          // warning or critical
	Summary  string    `json:"summary"`           // one sentence
	Since    time.Time `json:"since"`
}

// A Sample is what a chart of the past needs of a status.
type Sample struct {
	At             time.Time      `json:"at"`
	MaxConnections int            `json:"max_connections"`
	Reserved       int            `json:"reserved"`
	External       int            `json:"external"`
	Available      int            `json:"available"`
	Services       map[string]int `json:"services"` // connections
}

// A Leadership is one epoch, for the timeline of leaders.
type Leadership struct {
	Epoch       uint64    `json:"epoch"`
	Incarnation string    `json:"incarnation"`
	Leader      string    `json:"leader"`
	Host        string    `json:"host,omitempty"`
	Began       time.Time `json:"began"`
	Resigned    time.Time `json:"resigned,omitzero"` // when it handed over; zero: it did not, or leads still
}

// ErrVersion is returned when a status was written by a newer program, whose
// fields may mean something else.
var ErrVersion = errors.New("the status is of a newer version: upgrade this program")

// Decode reads a status as a projector published it.
func Decode(data []byte) (*Status, error) {
	s := &Status{}
	if err := json.Unmarshal(data, s); err != nil {
		return nil, fmt.Errorf("read the status: %w", err)
	}
	if s.Version < 1 {
		return nil, errors.New("read the status: this is no status: it has no version")
	}
	if s.Version > Version {
		return nil, fmt.Errorf("read the status: version %d: %w", s.Version, ErrVersion)
	}
	return s, nil
}

// Encode returns the JSON.
func (s *Status) Encode() ([]byte, error) { return json.Marshal(s) }

// Age is how old the status is.
func (s *Status) Age(now time.Time) time.Duration { return max(0, now.Sub(s.UpdatedAt)) }

// Stale reports whether the status is too old to go by.
func (s *Status) Stale(now time.Time) bool { return s.Age(now) > StaleAfter }

// Names returns the names of the services: the most important first, equals by
// name.
func (s *Status) Names() []string {
	names := make([]string, 0, len(s.Services))
	for name := range s.Services {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Services[b].Priority, s.Services[a].Priority), cmp.Compare(a, b))
	})
	return names
}

// Find returns the container and its service's name; nil if there is none.
func (s *Status) Find(id string) (*Container, string) {
	for name, service := range s.Services {
		for i := range service.Containers {
			if service.Containers[i].ID == id {
				return &service.Containers[i], name
			}
		}
	}
	return nil, ""
}

// Summary returns the status without its containers.
func (s *Status) Summary() *Status {
	short := *s
	short.Partial = true
	short.Services = make(map[string]*Service, len(s.Services))
	for name, service := range s.Services {
		bare := *service
		bare.Containers = []Container{}
		short.Services[name] = &bare
	}
	return &short
}

// Percent returns part of whole in percent, with one decimal; 0 of nothing, and
// 100 when there is something of nothing.
func Percent(part, whole int) float64 {
	switch {
	case part <= 0:
		return 0
	case whole <= 0:
		return 100
	}
	return math.Round(1000*float64(part)/float64(whole)) / 10
}
