package arbiter_test

import (
	"testing"

	"github.com/conncord/conncord/events/servertest"
)

// A leader that is killed after a time in which nobody said anything takes none
// of that time with it: leases would never end where leaders often die.
func TestQuietTimeIsKept(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	first := start(t, r.url, "n0").leads(t)
	const quiet = 500 // ms of leadership without a record
	until(t, "a quiet time has passed", func() bool {
		now, err := r.rdb.HGet(t.Context(), keys.Head, "now").Int64()
		return err == nil && now > quiet
	})
	if records := r.audit(); records[len(records)-1].Ledger > quiet/2 {
		t.Fatalf("it was not quiet: %+v", records[len(records)-1])
	}
	first.kill()
	next := start(t, r.url, "n1").leads(t)
	until(t, "the new leader has said so", func() bool { return len(r.raw()) > 3 })
	records := r.audit()
	if got := records[len(records)-1]; got.Epoch != 2 || got.Ledger <= quiet {
		t.Errorf("the second epoch begins at %d ms of ledger time, after more than %d ms of leadership: %+v", got.Ledger, quiet, got)
	}
	next.stop()
}
