package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/conncord/conncord/client/lease"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/projector/status"
)

// ErrNoStatus is returned when no status was ever published: no arbiter has run on
// this budget yet. Asking again is safe.
var ErrNoStatus = errors.New("there is no status yet")

// Status returns the status of the [Default] coordinator's budget: see
// [Coordinator.Status].
func Status(ctx context.Context) (*status.Status, error) {
	c, err := Default(ctx)
	if err != nil {
		return nil, err
	}
	return c.Status(ctx)
}

// PrintStatus writes the status of the [Default] coordinator's budget: see
// [Coordinator.PrintStatus].
func PrintStatus(ctx context.Context, w io.Writer) error {
	c, err := Default(ctx)
	if err != nil {
		return err
	}
	return c.PrintStatus(w)
}

// CleanupStale cleans up the [Default] coordinator's budget: see
// [Coordinator.CleanupStale].
func CleanupStale(ctx context.Context) (int, error) {
	c, err := Default(ctx)
	if err != nil {
		return 0, err
	}
	return c.CleanupStale(ctx)
}

// Status returns how the whole budget stands, all containers of all services, as
// the projector published it last. That is within the last five seconds; when none
// runs it is older, and [status.Status.Stale] says so.
//
// The error is [ErrNoStatus], or says that Redis could not be asked.
func (c *Coordinator) Status(ctx context.Context) (*status.Status, error) {
	data, err := c.post.ReadStatus(ctx)
	switch {
	case err != nil:
		return nil, err
	case data == nil:
		return nil, fmt.Errorf("%w for the budget %s: is an arbiter running?", ErrNoStatus, c.cfg.Budget)
	}
	return status.Decode(data)
}

// PrintStatus writes the status as the monitor prints it, 80 columns wide and
// without colours. A status that is old says so.
func (c *Coordinator) PrintStatus(w io.Writer) error {
	s, err := c.Status(c.ctx)
	if err != nil {
		return err
	}
	return s.Print(w, status.PrintOptions{})
}

// CleanupStale has the arbiter forget the leases that have expired, whose
// connections it would count for one more lease duration otherwise, and returns how
// many these were. Call it when the containers that had them are known to be gone:
// one that only was cut off may still hold its fallback.
//
// The error is [ErrLocalMode] when no arbiter answers. After another error the
// cleanup may have been made, and only how many is unknown. Asking again is safe.
func (c *Coordinator) CleanupStale(ctx context.Context) (int, error) {
	before, err := c.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("clean up: %w", err)
	}
	stale := map[string]string{}
	for _, service := range before.Services {
		for i := range service.Containers {
			if m := &service.Containers[i]; m.State == status.Lost {
				stale[m.ID] = m.Lease
			}
		}
	}
	sequence, err := c.cleanUp(ctx)
	if err != nil {
		return 0, fmt.Errorf("clean up: %w", err)
	}
	after, err := c.statusFrom(ctx, sequence)
	if err != nil {
		return 0, fmt.Errorf("clean up: done, but how many is unknown: %w", err)
	}
	cleaned := 0
	for id, old := range stale {
		if m, _ := after.Find(id); m == nil || m.Lease != old {
			cleaned++
		}
	}
	return cleaned, nil
}

// cleanUp sends the intent and returns the sequence of a record that answers it.
func (c *Coordinator) cleanUp(ctx context.Context) (sequence uint64, err error) {
	c.sending.Lock()
	c.mu.Lock()
	now := time.Now()
	if mode := c.machine.Mode(now); mode != lease.Leased || c.closed {
		err = ErrLocalMode
		if c.closed {
			err = ErrClosed
		}
		c.mu.Unlock()
		c.sending.Unlock()
		return 0, err
	}
	in := c.machine.Cleanup(now)
	c.mu.Unlock()
	err = c.post.Send(ctx, events.EncodeIntent(in))
	c.sending.Unlock()
	if err != nil {
		return 0, err
	}
	err = c.await(ctx, func(now time.Time) (bool, error) {
		if c.machine.Mode(now) != lease.Leased {
			return false, ErrLocalMode
		}
		if g := c.machine.Grant(); g != nil {
			sequence = g.Sequence
		}
		return c.machine.Answered(in.Counter), nil
	})
	return sequence, err
}

// statusEvery is how often a status that is to come is asked for. Projectors do not
// publish more often.
const statusEvery = 100 * time.Millisecond

// statusFrom returns the first status that shows the record.
func (c *Coordinator) statusFrom(ctx context.Context, sequence uint64) (*status.Status, error) {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for {
		s, err := c.Status(ctx)
		if err != nil || s.Sequence >= sequence {
			return s, err
		}
		if s.Stale(time.Now()) {
			return nil, errors.New("no projector publishes the status")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-c.ctx.Done():
			return nil, ErrClosed
		}
	}
}
