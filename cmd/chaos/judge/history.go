package judge

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/events"
)

// A History is everything that arbiters decided, as it happens. It is safe for
// concurrent use.
type History struct {
	failed func(error) // called once for each thing that is wrong

	mu       sync.Mutex
	archive  *history.Writer
	all      *register
	d        deriver
	records  int
	lastAt   time.Time // when the newest record came
	chain    []link    // what Redis' history holds now
	broken   bool      // it cannot be derived any more
	charges  map[string]*series
	charged  series // sum of all charges
	openings series // available
}

// A link is one record of the history as Redis has it.
type link struct {
	sequence uint64
	hash     events.Hash
}

// NewHistory returns a history that keeps its records in a file. failed is
// called with what is wrong.
func NewHistory(path, budget string, failed func(error)) (*History, error) {
	a, err := history.Create(path, history.Header{Budget: budget, Exported: time.Now()})
	if err != nil {
		return nil, fmt.Errorf("keep the history: %w", err)
	}
	return &History{failed: failed, archive: a, all: newRegister(), charges: map[string]*series{}}, nil
}

// Close ends the archive, which can then be verified.
func (h *History) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.archive.Close()
}

// errRewind is returned when the history in Redis is not what it was.
var errRewind = errors.New("the history went back")

// take takes a record that came behind those in the chain.
func (h *History) take(data []byte, at time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	peek, err := events.DecodeRecord(data)
	if err != nil {
		return h.fail(fmt.Errorf("%w: a record cannot be read: %w", errHistory, err))
	}
	if h.broken {
		return nil
	}
	if h.d.ledger != nil && peek.Incarnation != h.d.ledger.Incarnation() && !peek.Begins() {
		return errRewind // its beginning lies before what was read last
	}
	if err := h.archive.Write([][]byte{data}); err != nil {
		return h.fail(fmt.Errorf("keep the history: %w", err))
	}
	h.chain = append(h.chain, link{peek.Sequence, peek.Hash})
	begun := h.d.ledger == nil || peek.Incarnation != h.d.ledger.Incarnation()
	before := h.charged.now()
	rec, _, err := h.d.take(data, h.all)
	if err != nil {
		h.broken = true
		return h.fail(err)
	}
	h.records++
	h.lastAt = at
	if begun { // what the former incarnation charged for, nobody charges for
		before = 0
		for _, s := range h.charges {
			s.add(at, 0)
		}
	}
	return h.count(rec, before, at)
}

// count keeps book of the charges. The sum may stand above what is available
// when the limit was lowered, and when a container says that it holds more than
// was granted; but nothing that others have may then have grown.
func (h *History) count(rec *events.Record, before int, at time.Time) error {
	sender := ""
	if in, err := events.DecodeIntent(rec.Intent); err == nil {
		sender = in.Container
	}
	others := 0
	for _, d := range rec.Decisions {
		s := h.charges[d.Container]
		if s == nil {
			s = &series{}
			h.charges[d.Container] = s
		}
		if d.Container != sender {
			others += max(0, d.Charge-s.now())
		}
		s.add(at, d.Charge)
	}
	h.charged.add(at, rec.Charged)
	h.openings.add(at, rec.Available)
	if rec.Charged > rec.Available && others > 0 {
		return h.fail(fmt.Errorf("%w: record %d lets containers grow by %d to %d charged connections where %d are available (%d were charged before)",
			errHistory, rec.Sequence, others, rec.Charged, rec.Available, before))
	}
	return nil
}

func (h *History) fail(err error) error {
	h.failed(err)
	return err
}

// State is how the ledger stands.
type State struct {
	Incarnation, Epoch, Sequence uint64
	Leader                       string // "": nobody leads
	Available, Charged           int
	Look                         events.Observation // the newest
	Barrier                      time.Duration      // until nothing is kept back any more because of a loss
	Containers                   map[string]events.ContainerState
	At                           time.Time // when the newest record came
	Records                      int       // seen so far
}

// State returns how the ledger stands.
func (h *History) State() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := State{At: h.lastAt, Records: h.records, Containers: map[string]events.ContainerState{}}
	if h.d.ledger == nil {
		return s
	}
	l := h.d.ledger
	s.Incarnation, s.Epoch, s.Sequence = l.Incarnation(), l.Epoch(), l.Sequence()
	s.Available, s.Charged, s.Look = h.openings.now(), l.Charged(), l.Look()
	if !h.d.free {
		s.Leader = h.d.leader
	}
	snapshot := l.Snapshot()
	s.Barrier = max(0, events.Millis(max(snapshot.Barrier, snapshot.FloorUntil)-l.Now()))
	for _, c := range snapshot.Containers {
		s.Containers[c.ID] = c
	}
	return s
}

// bounds returns the most that could be had, and the least that a container was
// charged for, around a moment.
func (h *History) bounds(from, to time.Time, containers []string) (allowed int, charges map[string]int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, available := h.openings.during(from, to)
	_, charged := h.charged.during(from, to)
	charges = map[string]int{}
	for _, id := range containers {
		if s := h.charges[id]; s != nil {
			charges[id], _ = s.during(from, to)
		}
	}
	return max(available, charged), charges
}
