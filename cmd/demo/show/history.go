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
	fallback      int
	gone          bool      // its lease is over and nothing is charged
	fell          time.Time // when its charge last fell to the fallback or below
}

// history reads what the arbiter decided. It misses no record, and finds out if
// it did.
type history struct {
	mu         sync.Mutex
	containers map[string]*holding
	charged    int
	peak       int // of charged
	available  int
	records    uint64
	fault      string // the first thing that must not be
}

func newHistory() *history { return &history{containers: map[string]*holding{}} }

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
	h.charged, h.available = rec.Charged, rec.Available
	h.peak = max(h.peak, rec.Charged)
	if rec.Charged > rec.Available {
		h.fail("record %d charges %d of %d connections", rec.Sequence, rec.Charged, rec.Available)
	}
	if in, err := events.DecodeIntent(rec.Intent); err == nil && in.Kind == events.Register && rec.Refused == events.NoReason {
		h.of(in.Container).service = in.Service
	}
	for _, d := range rec.Decisions {
		c := h.of(d.Container)
		if c.charge > d.Fallback && d.Charge <= d.Fallback {
			c.fell = now
		}
		c.units, c.charge, c.fallback = d.Units, d.Charge, d.Fallback
		c.gone = d.Verb == events.Ended
	}
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
}

func (h *history) view() ledgerView {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := ledgerView{shares: map[string]share{}, charged: h.charged, peak: h.peak, fault: h.fault}
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
