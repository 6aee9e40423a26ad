package arbiter

import (
	"context"
	"time"
)

// A Clock tells an arbiter the time. Simulations have one of their own.
type Clock interface {
	// Now returns the time. Only the differences between what one clock returns
	// count, and they must not go back; its date is shown to people.
	Now() time.Time

	// Sleep returns after d, or when the context ends.
	Sleep(ctx context.Context, d time.Duration)
}

// systemClock is the monotonic clock of this machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
