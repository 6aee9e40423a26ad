package lease

import (
	"time"

	"github.com/conncord/conncord/events"
)

// A Mode says what the number of connections goes by.
type Mode uint8

const (
	Joining  Mode = iota // no lease has been granted yet; nothing may be held
	Leased               // a grant is in force
	Fallback             // the lease's deadline has passed without an answer
	Local                // no arbiter could be reached since the start
	Released             // the container gave everything back
)

func (m Mode) String() string {
	return [...]string{"joining", "leased", "fallback", "local", "released"}[m]
}

// Config describes the container.
type Config struct {
	Container, Host, Service string
	Strict                   bool          // hold nothing without a lease
	TTL                      time.Duration // wish; 0: the policy's
	Local                    int           // connections in local mode
	JoinWithin               time.Duration // how long to wait for the first grant before local mode
}

// A Machine is the state of one container's lease.
type Machine struct {
	cfg   Config
	began time.Time // when it started to join
	mode  Mode
	want  int

	grant    *events.Grant // newest; nil: none yet
	deadline time.Time     // of the grant in force

	// What the newest grant allows, less what was promised since.
	units, fallback int

	counter uint64             // of the newest intent
	acked   uint64             // of the newest intent that was answered
	left    uint64             // of the newest intent by which it left; grants up to there are over
	sent    [history]time.Time // when the intent counter%history was sent

	// See admission.go.
	window    time.Duration // for how long a sign of life lets connections be opened; 0: none is needed
	through   time.Time     // when the newest sign of life that got through was sent
	suspended time.Time     // since when it is to be heard before it opens any; zero: it is not
	beats     uint64        // made so far
	alone     time.Time     // since when it lives on its fallback and was told nothing; zero: it does not

	// The newest intent.
	lastSent    time.Time
	lastKind    events.Kind
	lastWant    int
	lastCeiling int
	lastSeen    uint64
	said        Usage
	outdated    bool // the pools look different since

	retry       time.Duration // pause before it is sent again
	reregister  bool          // the next intent must register
	incarnation uint64        // the one for which a look made it re-assert; 0: none
	unled       bool          // the last look found no leader
}

// New returns the machine of a container that starts to join now, wanting so
// many connections.
func New(cfg Config, now time.Time, want int) *Machine {
	return &Machine{cfg: cfg, began: now, want: want, reregister: true, retry: minRetry}
}

// Want returns how many connections the container wants.
func (m *Machine) Want() int { return m.want }

// SetWant changes how many connections the container wants. Less than it has
// is given up at once; more has to be granted first. A container that gave
// everything back joins again when it wants some.
func (m *Machine) SetWant(now time.Time, want int) {
	m.want = want
	if m.mode == Released && want > 0 {
		m.mode, m.began, m.reregister = Joining, now, true
	}
}

// Grant returns the newest grant, nil if there was none.
func (m *Machine) Grant() *events.Grant { return m.grant }

// leased reports whether there was ever a lease.
func (m *Machine) leased() bool { return m.grant != nil && m.grant.Lease != "" }

// Counter returns the counter of the newest intent.
func (m *Machine) Counter() uint64 { return m.counter }

// Answered reports whether the intent with this counter, or a later one, was
// answered.
func (m *Machine) Answered(counter uint64) bool { return m.acked >= counter }

func (m *Machine) unanswered() bool { return !m.Answered(m.counter) }

// Saying returns the counter of the first intent, sent or to come, from which
// the arbiter can know what the container wants now.
func (m *Machine) Saying() uint64 {
	if m.counter > 0 && m.want == m.lastWant && m.mode != Released {
		return m.counter
	}
	return m.counter + 1
}

// Mode returns what the number of connections goes by.
func (m *Machine) Mode(now time.Time) Mode {
	switch {
	case m.mode == Released:
	case m.leased():
		m.mode = Leased
		if m.grant.Gone() || !now.Before(m.softAt()) {
			m.mode = Fallback
		}
		m.noteAlone(now)
	case m.grant == nil && !now.Before(m.began.Add(m.cfg.JoinWithin)):
		m.mode = Local
	default:
		m.mode = Joining // also when the arbiter refuses it: then it is not on its own
	}
	return m.mode
}

// Limit returns how many physical connections the container may hold now. Those
// that it holds above the limit it has to close.
func (m *Machine) Limit(now time.Time) int {
	limit := 0
	switch m.Mode(now) {
	case Leased:
		limit = m.units
	case Fallback:
		limit = m.fallback
	case Local:
		limit = m.cfg.Local
	}
	if m.cfg.Strict && m.mode != Leased {
		limit = 0
	}
	return min(limit, m.want)
}

// Overdue reports whether connections above the limit must be closed by force
// now: the lease is about to end.
func (m *Machine) Overdue(now time.Time) bool {
	return m.Mode(now) == Fallback && (m.grant.Gone() || !now.Before(m.hardAt()))
}
