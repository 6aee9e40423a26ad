package arbiter_test

import (
	"context"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// An arbiter that is wrong in a way that its history does not show: it delivers
// no grant to the first container but those that answer it.
func TestBrokenArbiterIsFound(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	start(t, r.url, "broken", func(c *arbiter.Config) {
		c.Policy = patient()
		c.Log = forgetful{c.Log}
	})
	acts := r.aside(nil)
	r.audit() // finds nothing
	if got := porcupine.CheckOperationsTimeout(sequentially(patient()), operations(acts), searchTime); got != porcupine.Illegal {
		t.Errorf("linearizable: %s", got)
	}
}

type forgetful struct{ arbiter.Log }

func (f forgetful) Commit(ctx context.Context, s events.Standing, b *events.Batch) error {
	b.Mail = slices.DeleteFunc(b.Mail, func(m events.Mail) bool {
		g, err := events.DecodeGrant(m.Grant)
		return err == nil && m.Container == speakerID(0) && (g.Verb == events.Recalling || g.Verb == events.Grown)
	})
	return f.Log.Commit(ctx, s, b)
}
