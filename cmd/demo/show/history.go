package show

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/conncord/conncord/events"
)

// recordsAtOnce is how many records are read in one go.
const recordsAtOnce = 500

// A holding is what the arbiter's history says about a container.
type holding struct {
	service       string
	units, charge int
	emptied       time.Time // when nothing was charged for it any more
}

// history reads what the arbiter decided. It misses no record, and finds out if
// it did.
type history struct {
	mu         sync.Mutex
	containers map[string]*holding
	charged    int
	peak       int // of charged
	available  int
	most       int // of available, since the arbiter looked at the database first
	looked     bool
	external   int                      // connections past Conncord that the arbiter has seen
	units      int                      // granted to all containers
	killed     map[string]time.Time     // who was killed and still has something to be granted to others
	regrants   map[string]time.Duration // how long that took
	records    uint64
	fault      string // the first thing that must not be
}

func newHistory() *history {
	return &history{containers: map[string]*holding{}, killed: map[string]time.Time{}, regrants: map[string]time.Duration{}}
}

// follow reads until the context ends.
func (h *history) follow(ctx context.Context, log *events.Log) {
	stop := context.AfterFunc(ctx, log.Interrupt)
	defer stop()
	for ctx.Err() == nil {
		if _, err := h.read(ctx, log, events.MaxBlock); err != nil && ctx.Err() == nil {
			select { // Redis is away, perhaps just not there yet
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}

// read reads what is new, once, and returns how much it was.
func (h *history) read(ctx context.Context, log *events.Log, block time.Duration) (int, error) {
	h.mu.Lock()
	after := h.records
	h.mu.Unlock()
	records, err := log.ReadRecords(ctx, after, recordsAtOnce, block)
	if err != nil {
		return 0, err
	}
	for _, data := range records {
		rec, err := events.DecodeRecord(data)
		h.mu.Lock()
		if err != nil {
			h.fail("the history cannot be read: %v", err)
		} else {
			h.take(rec, time.Now())
		}
		h.mu.Unlock()
	}
	return len(records), nil
}

// finish reads what is left.
func (h *history) finish(ctx context.Context, log *events.Log) error {
	for {
		n, err := h.read(ctx, log, 0)
		if n == 0 || err != nil {
			return err
		}
	}
}

// take takes one record in.
func (h *history) take(rec *events.Record, now time.Time) {
	if rec.Sequence != h.records+1 {
		h.fail("record %d of the history follows record %d", rec.Sequence, h.records)
	}
	h.records = rec.Sequence
	// Others may have taken what was granted: then it is got back step by step.
	if rec.Charged > rec.Available && rec.Charged > h.charged {
		h.fail("record %d charges %d of %d connections", rec.Sequence, rec.Charged, rec.Available)
	}
	h.charged, h.available = rec.Charged, rec.Available
	h.peak = max(h.peak, rec.Charged)
	if in, err := events.DecodeIntent(rec.Intent); err == nil && rec.Refused == events.NoReason {
		switch in.Kind {
		case events.Register:
			h.of(in.Container).service = in.Service
		case events.Observe:
			h.external = in.Observation.External
			h.looked = h.looked || in.Observation.Usable > 0
		}
	}
	if h.looked {
		h.most = max(h.most, rec.Available)
	}
	for _, d := range rec.Decisions {
		c := h.of(d.Container)
		if c.charge > 0 && d.Charge == 0 {
			c.emptied = now
		}
		h.units += d.Units - c.units
		c.units, c.charge = d.Units, d.Charge
	}
	for id, since := range h.killed { // those who are left want everything
		if c := h.of(id); c.charge == 0 && h.units >= h.available {
			h.regrants[id] = now.Sub(since)
			delete(h.killed, id)
		}
	}
}

// kill notes that a container is killed now.
func (h *history) kill(container string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.killed[container] = now
}

// regrant returns how long it took until what a container that was killed had was
// granted to others; 0: it is not yet.
func (h *history) regrant(container string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.regrants[container]
}

func (h *history) of(container string) *holding {
	c := h.containers[container]
	if c == nil {
		c = &holding{}
		h.containers[container] = c
	}
	return c
}

func (h *history) fail(format string, args ...any) {
	if h.fault == "" {
		h.fault = fmt.Sprintf(format, args...)
	}
}

// A share is what a service has, by the history.
type share struct {
	units  int // connections that its containers may hold
	charge int // and that they may still hold
}

// A ledgerView is what the history says now.
type ledgerView struct {
	shares  map[string]share
	charged int
	peak    int
	fault   string

	available, most, external int // see history
}

func (h *history) view() ledgerView {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := ledgerView{shares: map[string]share{}, charged: h.charged, peak: h.peak, fault: h.fault,
		available: h.available, most: h.most, external: h.external}
	for _, c := range h.containers {
		s := v.shares[c.service]
		v.shares[c.service] = share{s.units + c.units, s.charge + c.charge}
	}
	return v
}

// holding returns what the history says about a container.
func (h *history) holding(container string) holding {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.containers[container]; c != nil {
		return *c
	}
	return holding{}
}

// ids returns all containers that ever took part.
func (h *history) ids() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.containers))
}
