package events

import (
	"runtime"
	"testing"
)

// What an entry declares must not be allocated before it is there.
func TestHugeLengths(t *testing.T) {
	huge := []raw{
		{0xdd, 0xff, 0xff, 0xff, 0xff}, {0xdd, 0x7f, 0xff, 0xff, 0xff}, {0xdd, 0, 0, 0x4e, 0x20}, {0xdc, 0xff, 0xff}, // arrays
		{0xdb, 0xff, 0xff, 0xff, 0xff}, {0xdb, 0x7f, 0xff, 0xff, 0xff}, {0xda, 0xff, 0xff}, // strings
		{0xc6, 0xff, 0xff, 0xff, 0xff}, {0xc5, 0xff, 0xff}, {0xc9, 0xff, 0xff, 0xff, 0xff, 1}, // binaries, extension
	}
	for _, h := range huge {
		entries := [][]byte{
			h,
			pack(list{3, 1, h}),              // an intent's container
			pack(list{3, 1, "c", 1, h}),      // its body
			pack(list{6, 1, "", 0, list{h}}), // a policy
			pack(list{6, 1, "", 0, list{list{1, "", 60, 6, 10_000, 500, list{"", 1, 0, 0}, h}}}),
			pack(list{1, h}),
			pack(list{1, list{1, 1, 1, 1, 1, "", h}, 0}),                                 // a record's intent
			pack(list{1, list{1, 1, 1, 1, 1, "", "", 1, 1, 1, 1, h}, 0}),                 // its decisions
			pack(list{1, list{1, "c", 1, 1, 1, 1, 1, "", 1, 1, 1, 1, 1, 1, 1, 1, 1, h}}), // holders
			pack(list{1, 1, 1, 1, 1, raw("\xc4\x10................"), false, list{}, 0, 0, list{0, 0}, h}),
		}
		for _, data := range entries {
			for _, e := range entryTypes {
				if n := allocated(func() { _, _ = e.decode(data) }); n > 4096 {
					t.Errorf("%s of %d bytes %x allocates %d bytes", e.name, len(data), data, n)
				}
			}
		}
	}
}

// allocated returns how many bytes f allocates; the least of some runs, because
// other goroutines allocate too.
func allocated(f func()) uint64 {
	least := ^uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}
