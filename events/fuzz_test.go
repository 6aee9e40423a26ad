package events

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
)

func FuzzDecodeIntent(f *testing.F)   { fuzz(f, "intent") }
func FuzzDecodeRecord(f *testing.F)   { fuzz(f, "record") }
func FuzzDecodeGrant(f *testing.F)    { fuzz(f, "grant") }
func FuzzDecodeSnapshot(f *testing.F) { fuzz(f, "snapshot") }

// fuzz: no bytes make a decoder panic or allocate much more than they are, and
// what is understood is understood again in the same way.
func fuzz(f *testing.F, name string) {
	files, err := filepath.Glob("testdata/v1/" + name + "*.bin")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	e := typeOf(name)
	f.Fuzz(func(t *testing.T, data []byte) {
		decodeTwice(t, e, data)
		if sum := sha256.Sum256(data); sum[0]%32 != 0 {
			return // measuring stops the world: some inputs are enough
		}
		// A place of one byte can become a struct of 200.
		if n, most := allocated(func() { _, _ = e.decode(data) }), uint64(4096+300*len(data)); n > most {
			t.Errorf("%d bytes allocate %d", len(data), n)
		}
	})
}
