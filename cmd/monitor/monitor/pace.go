package monitor

import (
	"context"
	"time"
)

// pace passes updates on, the newest one at most once in an interval, until the
// context or the updates end. Those in between are left out: each says all that
// is known.
func pace(ctx context.Context, updates <-chan update, interval time.Duration, pass func(update)) {
	var newest update
	var due <-chan time.Time // nil: nothing waits to be passed on
	var passed time.Time
	for {
		select {
		case u, ok := <-updates:
			if !ok {
				return
			}
			newest = u
			if due == nil {
				due = time.After(interval - time.Since(passed))
			}
		case passed = <-due:
			due = nil
			pass(newest)
		case <-ctx.Done():
			return
		}
	}
}
