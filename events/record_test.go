package events

import (
	"testing"

	"pgregory.net/rapid"
)

// Any flipped bit of a record or of the hash before it is noticed.
func TestVerifyLink(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec, prev := genRecord.Draw(t, "record"), genHash.Draw(t, "prev")
		data := EncodeRecord(&rec, prev)
		if !VerifyLink(data, prev) {
			t.Fatal("the link does not hold")
		}
		if got, err := DecodeRecord(data); err != nil || got.Hash != rec.Hash {
			t.Fatalf("hash %v, %v", got, err)
		}
		for i := range data {
			for bit := range 8 {
				data[i] ^= 1 << bit
				if VerifyLink(data, prev) {
					t.Fatalf("bit %d of byte %d of %d is flipped and not noticed", bit, i, len(data))
				}
				data[i] ^= 1 << bit
			}
		}
		for n := range data {
			if VerifyLink(data[:n], prev) {
				t.Fatalf("cut to %d bytes and not noticed", n)
			}
		}
		prev[3] ^= 1
		if VerifyLink(data, prev) {
			t.Fatal("another predecessor is not noticed")
		}
	})
}

func TestGrantNewer(t *testing.T) {
	at := func(incarnation, sequence uint64) *Grant { return &Grant{Incarnation: incarnation, Sequence: sequence} }
	for _, c := range []struct {
		a, b *Grant
		want bool
	}{{at(1, 2), at(1, 1), true}, {at(1, 1), at(1, 1), false}, {at(1, 1), at(1, 2), false}, {at(2, 1), at(1, 9), true}, {at(1, 1), &Grant{}, true}} {
		if got := c.a.Newer(c.b); got != c.want {
			t.Errorf("%d/%d newer than %d/%d: %v", c.a.Incarnation, c.a.Sequence, c.b.Incarnation, c.b.Sequence, got)
		}
	}
}

func TestGrantGone(t *testing.T) {
	for verb := Noted; verb <= lastVerb; verb++ {
		g := Grant{Verb: verb, Lease: "x"}
		if got, want := g.Gone(), verb == Lost || verb == Ended; got != want {
			t.Errorf("%v: gone %v", verb, got)
		}
	}
	if g := (Grant{Verb: Noted}); !g.Gone() {
		t.Error("without a lease it is not gone")
	}
}
