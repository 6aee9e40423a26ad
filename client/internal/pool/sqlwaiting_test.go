package pool

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"testing"
	"time"
)

// closedLoop keeps n callers at queries of 5 to 20 ms until the test ends or stop is called.
func closedLoop(t *testing.T, tg *target, n int) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range n {
		callers.Go(func() {
			for ctx.Err() == nil {
				if err := tg.exec(ctx, "select pg_sleep(0.005 + 0.015 * random())"); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	stop = func() { cancel(); callers.Wait() }
	t.Cleanup(stop)
	return stop
}

// wanted looks at the usage every 5 ms, as the coordinator does, and returns the least and the most that was wanted.
func wanted(tg *target, over time.Duration) (least, most int) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	least = 1 << 30
	for begun := time.Now(); time.Since(begun) < over; <-tick.C {
		u := tg.Usage()
		least, most = min(least, u.InUse+u.Waiting), max(most, u.InUse+u.Waiting)
	}
	return least, most
}

// What is wanted by callers in a closed loop is their number, whatever the share is and while it changes.
func TestWantedByClosedLoop(t *testing.T) {
	for _, c := range []struct {
		kind          string
		callers, over int // by how much it may be too high
	}{{"sql", 3, 1}, {"sql", 4, 1}, {"sql", 10, 1}, {"sql guessed", 4, 8}, {"sql guessed", 10, 20}} {
		callers := c.callers
		t.Run(fmt.Sprint(c.kind, " ", callers), func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, c.kind, d, g, 12)
			g.SetLimit(12)
			check := func(share string, over time.Duration) {
				least, most := wanted(tg, over)
				t.Logf("share %s: from %d to %d wanted by %d callers", share, least, most, callers)
				if most > callers+c.over || c.kind == "sql" && most < callers {
					t.Errorf("share %s: up to %d wanted by %d callers", share, most, callers)
				}
			}
			for _, share := range []int{1, 2, 5} {
				tg.SetMax(0)
				eventually(t, "the pool is empty", func() bool { return g.Open() == 0 })
				tg.SetMax(share)
				stop := closedLoop(t, tg, callers)
				check(fmt.Sprint(share), time.Second)
				stop()
			}
			closedLoop(t, tg, callers)
			for _, share := range []int{1, 3, 0, 2, 12, 1, 9} {
				tg.SetMax(share)
				check(fmt.Sprint("changed to ", share), 200*time.Millisecond)
			}
		})
	}
}

// Waits that are given up are not wanted any more.
func TestWantedAfterCancelledWaits(t *testing.T) {
	for _, kind := range []string{"sql", "sql guessed"} {
		t.Run(kind, func(t *testing.T) { cancelledWaits(t, kind) })
	}
}

func cancelledWaits(t *testing.T, kind string) {
	const callers = 4
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	tg := openTarget(t, kind, d, g, 12)
	g.SetLimit(12)
	tg.SetMax(1)
	closedLoop(t, tg, callers)
	const impatient = 10
	ctx, cancel := context.WithCancel(t.Context())
	wait := together(impatient, func() error {
		for ctx.Err() == nil {
			patient, cancel := context.WithTimeout(ctx, 3*time.Millisecond)
			if release, err := tg.try(patient); err == nil {
				release()
			}
			cancel()
		}
		return nil
	})
	_, most := wanted(tg, time.Second)
	t.Logf("up to %d wanted by %d callers, of them %d impatient", most, callers+impatient, impatient)
	over := 1
	if kind != "sql" {
		over = callers + impatient
	}
	if most > callers+impatient+over {
		t.Errorf("up to %d wanted by %d callers", most, callers+impatient)
	}
	cancel()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	_, most = wanted(tg, 200*time.Millisecond)
	t.Logf("in the 200 ms after, up to %d", most)
	if kind != "sql" { // the guess takes its time
		eventually(t, "the cancelled waits are forgotten", func() bool {
			u := tg.Usage()
			return u.InUse+u.Waiting <= callers+1
		})
		return
	}
	_, most = wanted(tg, 200*time.Millisecond)
	if most > callers+1 || most < callers {
		t.Errorf("%d wanted by %d callers after cancelled waits", most, callers)
	}
}

// The guess is right while at most one wait ends between two looks, and bounded when waits are given up all along.
func TestWaiterGuess(t *testing.T) {
	var guess waiterGuess
	now := time.Unix(1, 0)
	full := sql.DBStats{MaxOpenConnections: 1, OpenConnections: 1}
	look := func(begun, ended int, each time.Duration, want int) {
		t.Helper()
		now = now.Add(5 * time.Millisecond)
		full.WaitCount += int64(begun)
		full.WaitDuration += time.Duration(ended) * each
		if n := guess.look(full, true, now); n != want {
			t.Errorf("%d wait, want %d", n, want)
		}
	}
	look(5, 0, 0, 5)
	for range 1000 {
		look(0, 0, 0, 5) // however long that takes
	}
	look(0, 1, 5*time.Second, 4)
	for range 1000 { // 20 waits of 10 ms end between two looks, so 40 wait on average
		now = now.Add(5 * time.Millisecond)
		full.WaitCount += 20
		full.WaitDuration += 20 * 10 * time.Millisecond
		if n := guess.look(full, true, now); n > 60 && now.After(time.Unix(8, 0)) {
			t.Fatalf("%d wait, want 40", n)
		}
	}
	full.Idle = 1
	look(7, 0, 0, 0)
}

// The Go that this is tested with must let the queue be seen; should it not, see [sqlQueue].
func TestQueueIsReadable(t *testing.T) {
	if newSQLQueue(new(sql.DB)) == nil {
		t.Error("this version of Go keeps the queue of a sql.DB otherwise: Usage.Waiting is a guess with it")
	}
}
