package events

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumbers: kinds, verbs and reasons stand in histories as numbers. One that
// was released never changes, and what it is called is what people search for.
// New ones are added at the end.
func TestNumbers(t *testing.T) {
	want := []string{
		"kind 1 register", "kind 2 request", "kind 3 renew", "kind 4 release", "kind 5 cleanup",
		"kind 6 policy", "kind 7 begin", "kind 8 lead", "kind 9 resign", "kind 10 tick", "kind 11 silence", "kind 12 observe",
		"verb 1 noted", "verb 2 renewed", "verb 3 confirmed", "verb 4 lowered", "verb 5 recalling",
		"verb 6 grown", "verb 7 granted", "verb 8 lost", "verb 9 ended",
	}
	var got []string
	for k := Register; k <= lastKind; k++ {
		got = append(got, fmt.Sprintf("kind %d %s", uint8(k), k))
	}
	for v := Noted; v <= lastVerb; v++ {
		got = append(got, fmt.Sprintf("verb %d %s", uint8(v), v))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for n, r := range map[int]Reason{
		0: NoReason, 1: Shortage, 2: Capped, 3: Barrier, 4: Maximum, 5: Recalled, 6: Crowded, 7: Silent,
		10: Expired, 11: Released, 12: Cleaned, 13: Lapsed, 14: Vanished,
		20: Unreadable, 21: Oversize, 22: UnknownVersion, 23: Forged, 24: Stale, 25: UnknownSender,
		26: ZeroRequest, 27: UnlistedRefused, 28: TooMany, 29: OtherService, 30: NoPolicy,
	} {
		if n != int(r) {
			t.Errorf("reason %q is %d, was %d", r, r, n)
		}
		if r.Refusal() != (n >= 20) {
			t.Errorf("reason %q: refusal %v", r, r.Refusal())
		}
	}
	if n := len(reasonTexts); n != 24 {
		t.Errorf("%d reasons have a text: add the new ones above", n)
	}
}

func TestUnknownNumbers(t *testing.T) {
	for got, want := range map[string]string{
		Kind(0).String(): "kind 0", Kind(200).String(): "kind 200", Verb(0).String(): "verb 0", Verb(200).String(): "verb 200",
		Reason(200).String(): "reason 200", NoReason.String(): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if Kind(0).Own() || Kind(200).Own() || Cleanup.Own() || !SetPolicy.Own() || !Tick.Own() {
		t.Error("whose own a kind is has changed")
	}
}
