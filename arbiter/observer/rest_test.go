package observer

import "testing"

// TestAskAfterRest: an arbiter that leads again before its lookout came to rest
// gets its look. The lookout may be busy with an older one for seconds.
func TestAskAfterRest(t *testing.T) {
	l := NewLookout(nil)
	l.Ask(1, nil)
	l.Rest()
	l.Ask(2, nil)
	if e := <-l.asked; e.id != 2 || e.rest {
		t.Errorf("it is asked for %+v", e)
	}
}
