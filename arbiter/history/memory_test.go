package history

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"runtime"
	"testing"
)

// The memory that reading takes does not depend on how long the history is.
func TestMemoryIsFlat(t *testing.T) {
	records := made(MaxRead)
	peak := func(blocks int) uint64 {
		path := filepath.Join(t.TempDir(), "history")
		w, err := Create(path, header())
		must(t, err)
		for range blocks {
			must(t, w.Write(records))
		}
		must(t, w.Close())
		f, err := OpenFile(path)
		must(t, err)
		defer f.Close()
		var most uint64
		for n := 0; ; n++ {
			_, err := f.Read(context.Background())
			if errors.Is(err, io.EOF) {
				return most
			}
			must(t, err)
			if n%10 == 9 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}
	const slack = 4 << 20 // a third of what the long history would take
	if short, long := peak(10), peak(80); long > short+slack {
		t.Errorf("%d bytes while reading 80,000 records, %d while reading 10,000", long, short)
	}
}
