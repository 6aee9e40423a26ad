package pool

import (
	"context"
	"testing"
	"time"
)

func TestRecallIdle(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 12)
			g.SetLimit(10)
			tg.SetMax(10)
			tg.hold(t, 10)()
			eventually(t, "all are idle", func() bool { return tg.Usage().Idle == 10 })
			if n := d.count(); n != 10 {
				t.Fatalf("the database has %d connections, want 10", n)
			}
			begun := time.Now()
			tg.SetMax(3)
			g.SetLimit(3)
			eventually(t, "the surplus is gone", func() bool { return g.Open() <= 3 })
			t.Logf("recall of 7 idle connections: %v", time.Since(begun))
			if n := d.count(); n != 3 {
				t.Errorf("the database has %d connections, want 3: idle ones on the share stay", n)
			}
			tg.SetMax(0)
			eventually(t, "share 0 closes all", func() bool { return g.Open() == 0 })
			if n := d.count(); n != 0 {
				t.Errorf("the database has %d connections, want none", n)
			}
		})
	}
}

func TestRecallInUse(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 12)
			g.SetLimit(8)
			tg.SetMax(8)
			release := tg.hold(t, 8)
			tg.SetMax(2)
			g.SetLimit(2)
			if n := g.Open(); n != 8 {
				t.Fatalf("Open() = %d while 8 are in use", n)
			}
			if u := tg.Usage(); u.InUse != 8 {
				t.Errorf("usage %+v, want 8 in use", u)
			}
			release()
			eventually(t, "returned connections are closed", func() bool { return g.Open() <= 2 })
			if n := d.count(); n > 2 {
				t.Errorf("the database has %d connections, want at most 2", n)
			}
			if err := tg.exec(t.Context(), "select 1"); err != nil {
				t.Errorf("the pool is of no use after the recall: %v", err)
			}
		})
	}
}

// A connection that is always in use, passed from waiter to waiter, must not outlive a share of 0.
func TestRecallToNothingUnderLoad(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 4)
			g.SetLimit(4)
			tg.SetMax(2)
			ctx, cancel := context.WithCancel(t.Context())
			wait := together(20, func() error {
				for ctx.Err() == nil {
					if err := tg.exec(ctx, "select pg_sleep(0.001)"); err != nil && ctx.Err() == nil {
						return err
					}
				}
				return nil
			})
			for range 20 {
				eventually(t, "the pool is at work", func() bool { return tg.Usage().InUse == 2 })
				tg.SetMax(0)
				eventually(t, "share 0 closes all", func() bool { return g.Open() == 0 })
				if n := d.count(); n != 0 {
					t.Fatalf("the database has %d connections, want none", n)
				}
				eventually(t, "the callers wait", func() bool { return tg.Usage().Waiting > 0 })
				tg.SetMax(2)
			}
			cancel()
			if err := wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGrowWakesWaiters(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 20)
			g.SetLimit(20)
			for _, step := range []struct{ from, to int }{{0, 10}, {2, 12}, {12, 20}} {
				tg.SetMax(step.from)
				eventually(t, "the pool has shrunk", func() bool { return g.Open() <= step.from })
				eventually(t, "nobody waits", func() bool { return tg.Usage().Waiting == 0 })
				release := tg.hold(t, step.from)
				added := step.to - step.from
				before := tg.Usage().Waits
				holding := make(chan struct{})
				all := make(chan struct{}, added)
				wait := together(added, func() error {
					free := tg.hold(t, 1)
					all <- struct{}{}
					<-holding
					free()
					return nil
				})
				eventually(t, "they wait", func() bool { return tg.Usage().Waiting >= added })
				if waits := tg.Usage().Waits - before; waits < int64(added) {
					t.Errorf("%d waits counted, want %d", waits, added)
				}
				begun := time.Now()
				tg.SetMax(step.to)
				for range added { // each holds its connection, so all of the new share is needed
					select {
					case <-all:
					case <-time.After(patience):
						t.Fatalf("waiters were not woken; usage %+v, open %d", tg.Usage(), g.Open())
					}
				}
				t.Logf("from %d to %d with %d waiting: %v", step.from, step.to, added, time.Since(begun))
				if n := d.count(); n > step.to {
					t.Errorf("the database has %d connections, want at most %d", n, step.to)
				}
				close(holding)
				if err := wait(); err != nil {
					t.Error(err)
				}
				release()
			}
		})
	}
}

func TestKill(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			d := newDatabase(t)
			g := newGate(t, GateOptions{})
			tg := openTarget(t, kind, d, g, 10)
			g.SetLimit(8)
			tg.SetMax(8)
			tg.hold(t, 8)()
			sleeping := make(chan error, 5)
			for range 5 {
				go func() { sleeping <- tg.exec(context.Background(), "select pg_sleep(600)") }()
			}
			eventually(t, "the queries run", func() bool { return d.running("pg_sleep") == 5 })

			if n := g.Kill(5); n != 3 {
				t.Errorf("Kill(5) began to close %d of 8, want 3", n)
			}
			eventually(t, "the idle ones are gone", func() bool { return g.Open() == 5 })
			if n := d.running("pg_sleep"); n != 5 {
				t.Errorf("%d queries left, want all 5: idle connections go first", n)
			}
			begun := time.Now()
			g.Kill(0)
			eventually(t, "the busy ones are gone", func() bool { return g.Open() == 0 })
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("ending long queries took %v", took)
			}
			if n := d.count(); n != 0 {
				t.Errorf("the database has %d connections, want none", n)
			}
			for range 5 {
				if err := <-sleeping; err == nil {
					t.Error("a killed query reported success")
				}
			}
			// The pool does not hand killed connections out.
			for range 20 {
				if err := tg.exec(t.Context(), "select 1"); err != nil {
					t.Fatalf("a checkout after the kill: %v", err)
				}
			}
		})
	}
}
