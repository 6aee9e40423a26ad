package ledger

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

// A ledger that makes no grants comes to the same records and the same state.
func TestRederive(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 20, 60, 10)
	again, err := Restore(c.l.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	follow := func(entry string) {
		rec := &c.step.Record
		step := again.Rederive(Input{Epoch: rec.Epoch, Now: rec.Ledger, Entry: entry, Intent: rec.Intent})
		if !bytes.Equal(step.Encoded, c.step.Encoded) || step.Heard != c.step.Heard || step.Grants != nil {
			t.Fatalf("the record (-applied +derived):\n%s", cmp.Diff(c.step, step))
		}
	}
	for i := range 200 {
		switch i % 3 {
		case 0:
			c.change(t, i%20)
		case 1:
			c.idle(t, i%20)
		default:
			c.renew(t, i%20)
		}
		follow("1-0")
	}
	c.apply(t, &events.Intent{Kind: events.SetPolicy, Policy: defaults(40)})
	follow("")
	if diff := cmp.Diff(c.l.Snapshot(), again.Snapshot()); diff != "" {
		t.Errorf("the state (-applied +derived):\n%s", diff)
	}
}
