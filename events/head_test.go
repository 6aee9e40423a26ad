package events

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The head is what decoding the whole record finds, and no cut record and no
// flipped bit makes reading it fail in another way than by saying so.
func TestReadHead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := genRecord.Draw(t, "record")
		data := EncodeRecord(&rec, genHash.Draw(t, "prev"))
		head, ok := ReadHead(data)
		want := Head{
			Sequence: rec.Sequence, Incarnation: rec.Incarnation, Epoch: rec.Epoch, Ledger: rec.Ledger, Wall: rec.Wall,
			Entry: rec.Entry, Intent: head.Intent, Size: rec.Size,
		}
		if diff := cmp.Diff(want, head); !ok || diff != "" || string(head.Intent) != string(rec.Intent) {
			t.Fatalf("%v, the head (-record +head):\n%s", ok, diff)
		}
		i := rapid.IntRange(0, len(data)-1).Draw(t, "place")
		if head, ok := ReadHead(data[:i]); ok && head.Size != rec.Size {
			t.Fatalf("cut to %d bytes, it has another head", i)
		}
		data[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		ReadHead(data)
	})
}
