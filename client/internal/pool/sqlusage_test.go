package pool

import (
	"database/sql"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestWaiterEstimate compares the estimate with a simulated queue, of which it sees what database/sql shows.
func TestWaiterEstimate(t *testing.T) {
	for _, c := range []struct {
		name            string
		callers, share  int
		use, poll, over time.Duration
	}{
		{"long queries", 20, 4, 300 * time.Millisecond, 10 * time.Millisecond, 5 * time.Second},
		{"short queries", 20, 8, 2 * time.Millisecond, 10 * time.Millisecond, 2 * time.Second},
		{"one by one", 4, 1, 5 * time.Millisecond, 5 * time.Millisecond, 2 * time.Second},
		{"rare looks", 12, 4, time.Millisecond, 50 * time.Millisecond, 5 * time.Second},
		{"nothing to have", 7, 0, 0, 10 * time.Millisecond, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			const step = 100 * time.Microsecond
			random := rand.New(rand.NewPCG(1, 2))
			var estimate waiterEstimate
			stats := sql.DBStats{MaxOpenConnections: c.share, OpenConnections: c.share}
			var waiting []time.Duration // since when
			var using []time.Duration   // until when
			var errors []float64
			for now := time.Duration(0); now < c.over; now += step {
				using = slices.DeleteFunc(using, func(until time.Duration) bool { return until <= now })
				for len(waiting) > 0 && len(using) < c.share { // random, as database/sql does
					i := random.IntN(len(waiting))
					stats.WaitDuration += now - waiting[i]
					waiting = slices.Delete(waiting, i, i+1)
					using = append(using, now+time.Duration(float64(c.use)*(0.5+random.Float64())))
				}
				for len(waiting)+len(using) < c.callers {
					waiting = append(waiting, now)
					stats.WaitCount++
				}
				if now%c.poll == 0 {
					got := estimate.guess(stats, true, time.Unix(0, int64(now)))
					if now > c.over/4 {
						errors = append(errors, float64(got-len(waiting)))
					}
				}
			}
			slices.Sort(errors)
			low, mid, high := errors[len(errors)/10], errors[len(errors)/2], errors[len(errors)*9/10]
			t.Logf("of %d waiters: off by %v, mostly from %v to %v", c.callers-c.share, mid, low, high)
			if most := max(2, float64(c.callers-c.share)/3); mid < -most || mid > most {
				t.Errorf("the estimate is usually off by %v of %d", mid, c.callers-c.share)
			}
		})
	}
	t.Run("a free connection", func(t *testing.T) {
		var estimate waiterEstimate
		now := time.Unix(1, 0)
		full := sql.DBStats{MaxOpenConnections: 1, OpenConnections: 1, WaitCount: 5}
		estimate.guess(sql.DBStats{}, true, now)
		if n := estimate.guess(full, true, now.Add(time.Second)); n != 5 {
			t.Errorf("%d wait, want 5", n)
		}
		full.Idle = 1
		if n := estimate.guess(full, true, now.Add(2*time.Second)); n != 0 {
			t.Errorf("%d wait beside an idle connection", n)
		}
	})
}
