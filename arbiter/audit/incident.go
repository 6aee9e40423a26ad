package audit

import (
	"fmt"
	"time"

	"github.com/conncord/conncord/arbiter/ledger"
	"github.com/conncord/conncord/events"
)

// maxIncidents is how many incidents a timeline marks. Those of one kind that lie
// in one step are one.
const maxIncidents = 300

// An IncidentKind says what a timeline marks. The names are stable.
type IncidentKind string

// The kinds of incidents.
const (
	NewIncarnation IncidentKind = "incarnation" // the history began anew
	BarrierUp      IncidentKind = "barrier"     // nobody gains from here on
	BarrierDown    IncidentKind = "open"        // the barrier opened
	NewLeader      IncidentKind = "leader"
	NewPolicy      IncidentKind = "policy"
	LeaseExpired   IncidentKind = "expired"
	Drift          IncidentKind = "drift" // the database shows connections that are in no charge
	LocalMode      IncidentKind = "local" // a container registered that held connections without a lease
)

// incidentKinds are all kinds, in the order in which they are shown.
var incidentKinds = []IncidentKind{NewIncarnation, BarrierUp, BarrierDown, NewLeader, NewPolicy, LeaseExpired, LocalMode, Drift}

// An Incident is something that a timeline marks.
type Incident struct {
	At       time.Time    `json:"at"`
	Sequence uint64       `json:"sequence"`
	Kind     IncidentKind `json:"kind"`
	Text     string       `json:"text"`           // of the first, when there are more
	More     int          `json:"more,omitempty"` // of the same kind, soon after
}

// A watch finds incidents.
type watch struct {
	behind bool // the barrier is closed
	adrift int  // connections in no charge
}

// look returns what is to be marked about a record.
func (w *watch) look(rec *events.Record, l *ledger.Ledger) (list []Incident) {
	add := func(kind IncidentKind, format string, args ...any) {
		list = append(list, Incident{Sequence: rec.Sequence, Kind: kind, Text: fmt.Sprintf(format, args...)})
	}
	_, behind := l.Barrier()
	if in := intentOf(rec); in != nil && rec.Refused == events.NoReason {
		switch {
		case rec.Entry != "" && in.Kind == events.Register && in.Ceiling > 0 && in.Incarnation == 0 && !w.behind:
			add(LocalMode, "%s registered with %s held without a lease", in.Container, plural(in.Ceiling, "connection", "connections"))
		case rec.Entry != "":
		case in.Kind == events.Begin:
			w.behind = false
			add(NewIncarnation, "%s", said(rec))
		case in.Kind == events.Lead:
			add(NewLeader, "%s", said(rec))
		case in.Kind == events.SetPolicy:
			add(NewPolicy, "%s", said(rec))
		}
	}
	if behind && !w.behind {
		add(BarrierUp, "the recovery barrier is closed: nobody gains")
	}
	if w.behind && !behind {
		add(BarrierDown, "the recovery barrier opened")
	}
	w.behind = behind
	for i := range rec.Decisions {
		if d := &rec.Decisions[i]; lost(d) {
			add(LeaseExpired, "the lease of %s expired", d.Container)
		}
	}
	over, strange := l.Uncounted()
	if over+strange > 0 && w.adrift == 0 {
		add(Drift, "the database shows %s in no charge", plural(over+strange, "connection", "connections"))
	}
	w.adrift = over + strange
	return list
}
