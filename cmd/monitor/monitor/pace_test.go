package monitor

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
)

// The newest update is passed on, at once or when the interval allows it.
func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		updates := make(chan update)
		began := time.Now()
		type passed struct {
			After    time.Duration
			Sequence uint64
		}
		var got []passed
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			pace(ctx, updates, time.Second, func(u update) { got = append(got, passed{time.Since(began), u.Status.Sequence}) })
		}()
		for i := range uint64(26) { // every 90 ms, until 2.25 s have passed
			updates <- update{Status: &status.Status{Sequence: i}}
			time.Sleep(90 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		updates <- update{Status: &status.Status{Sequence: 100}}
		synctest.Wait()
		cancel()
		<-ended
		want := []passed{{0, 0}, {time.Second, 11}, {2 * time.Second, 22}, {3 * time.Second, 25}, {12340 * time.Millisecond, 100}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("passed on (-want +got):\n%s", diff)
		}
	})
}
