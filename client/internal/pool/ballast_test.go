package pool

import (
	"runtime"
	"testing"
	"time"
)

// Ballast costs memory for every slot beyond the share, and time at the start: both have to stay small.
func TestBallastIsLight(t *testing.T) {
	const ceiling = 200
	d := newDatabase(t)
	g := newGate(t, GateOptions{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begun := time.Now()
	tg := openTarget(t, "pgxpool", d, g, ceiling)
	took := time.Since(begun)
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / ceiling
	t.Logf("%d slots of ballast: %v, %d bytes each, %d goroutines", ceiling, took, each, runtime.NumGoroutine())
	if each > 64<<10 {
		t.Errorf("%d bytes for each slot of ballast", each)
	}
	if n := g.Open() + d.count(); n != 0 {
		t.Errorf("%d connections to hold nothing", n)
	}
	if u := tg.Usage(); u.InUse != 0 || u.Waiting != 0 {
		t.Errorf("usage %+v of an unused pool", u)
	}
	// Shares that change faster than ballast can follow: the last one wins.
	g.SetLimit(ceiling)
	for i := range 1000 {
		tg.SetMax(i * 7919 % (ceiling + 1))
	}
	tg.SetMax(3)
	tg.hold(t, 3)()
	for range 1000 {
		if err := tg.exec(t.Context(), "select 1"); err != nil {
			t.Fatal(err)
		}
	}
	tg.SetMax(ceiling)
	eventually(t, "all ballast is gone", func() bool { return tg.pgx.Stat().AcquiredConns() == 0 })
	if n := d.count(); n > 3 {
		t.Errorf("%d connections for three users", n)
	}
}
