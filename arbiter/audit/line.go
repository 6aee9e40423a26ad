package audit

import (
	"fmt"
	"strings"
	"time"

	"github.com/conncord/conncord/events"
)

// maxLineLeases is how many leases a line names.
const maxLineLeases = 8

// A Line is what one record says, on its own: it is read as it stands in the history,
// and proves nothing.
type Line struct {
	Sequence    uint64      `json:"sequence"`
	Incarnation ID          `json:"incarnation"`
	Epoch       uint64      `json:"epoch"`
	At          time.Time   `json:"at"`                  // when the record was made
	Kind        string      `json:"kind"`                // of the intent; empty: it was none
	Container   string      `json:"container,omitempty"` // that said it; empty: the arbiter itself
	Service     string      `json:"service,omitempty"`   // of the container; empty: not known
	Said        string      `json:"said"`
	Refused     string      `json:"refused,omitempty"`
	Available   int         `json:"available"` // afterwards, like the next
	Charged     int         `json:"charged"`
	Leases      []LineLease `json:"leases"`                // that it changed or answered
	MoreLeases  int         `json:"more_leases,omitempty"` // that are left out
}

// A LineLease is one lease as a record left it.
type LineLease struct {
	Container string `json:"container"`
	Service   string `json:"service,omitempty"` // empty: not known
	Verb      string `json:"verb"`
	Units     int    `json:"units"`
	Charge    int    `json:"charge"`
	Reason    string `json:"reason_code,omitempty"`
}

// A Reader turns records into lines, one after the other. It remembers which service
// each container is of, as far as it was said since the reader began.
type Reader struct{ services map[string]string }

// NewReader returns a reader that begins behind a snapshot; nil: with nothing known.
func NewReader(snap *events.Snapshot) *Reader {
	r := &Reader{services: map[string]string{}}
	if snap != nil {
		for i := range snap.Containers {
			r.services[snap.Containers[i].ID] = snap.Containers[i].Service
		}
	}
	return r
}

// Read returns the line of the next record. The error is a [*events.DecodeError].
func (r *Reader) Read(data []byte) (*Line, error) {
	rec, err := events.DecodeRecord(data)
	if err != nil {
		return nil, err
	}
	l := &Line{
		Sequence: rec.Sequence, Incarnation: ID(rec.Incarnation), Epoch: rec.Epoch, At: time.UnixMilli(rec.Wall).UTC(),
		Said: said(rec), Refused: rec.Refused.Code(), Available: rec.Available, Charged: rec.Charged, Leases: []LineLease{},
	}
	if in := intentOf(rec); in != nil {
		l.Kind, l.Container = in.Kind.String(), in.Container
		if in.Kind == events.Begin {
			clear(r.services)
		}
		if in.Kind == events.Register && rec.Refused == events.NoReason && len(r.services) < events.MaxContainers {
			r.services[in.Container] = in.Service
		}
	}
	l.Service = r.services[l.Container]
	for i := range rec.Decisions {
		d := &rec.Decisions[i]
		service := r.services[d.Container]
		if d.Verb == events.Ended {
			delete(r.services, d.Container)
		}
		if len(l.Leases) == maxLineLeases {
			l.MoreLeases++
			continue
		}
		l.Leases = append(l.Leases, LineLease{d.Container, service, d.Verb.String(), d.Units, d.Charge, d.Reason.Code()})
	}
	return l, nil
}

// String returns the line for people to read: when and which, how much is charged, what
// was said, and what became of whose lease. It is not broken, however long.
func (l *Line) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s #%d e%d %d/%d  %s", l.At.Local().Format(timeLayout), l.Sequence, l.Epoch, l.Charged, l.Available, l.Said)
	for i, lease := range l.Leases {
		b.WriteString([...]string{" → ", "; "}[min(i, 1)])
		fmt.Fprintf(&b, "%s %s %d", lease.Container, lease.Verb, lease.Units)
		if lease.Charge != lease.Units {
			fmt.Fprintf(&b, ", charged %d", lease.Charge)
		}
	}
	if l.MoreLeases > 0 {
		fmt.Fprintf(&b, "; and %d more", l.MoreLeases)
	}
	return clean(b.String())
}
