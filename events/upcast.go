package events

import (
	"bytes"
	"math"

	"github.com/vmihailenco/msgpack/v5"
)

// An upcaster lifts the places of a body by one schema version: it may add,
// drop, reorder or rewrite them. A version, once released, is never changed;
// a new one brings an upcaster from the one before.
type upcaster func(places []msgpack.RawMessage) ([]msgpack.RawMessage, error)

// version reads the version of a schema of which this program knows all up to the
// newest.
func (r *reader) version(newest int) int {
	v := int(r.uint("version", math.MaxUint16))
	if r.err == nil && (v < 1 || v > newest) {
		r.fail("version", ErrVersion)
	}
	return v
}

// lift replaces the rest of the entry, which is one body of the given version,
// by the same body in the newest version. For the newest it does nothing.
func (r *reader) lift(at string, version int, chain []upcaster) {
	if r.err != nil || version > len(chain) {
		return
	}
	var places []msgpack.RawMessage
	if n := r.arrayUpTo(at, MaxEntryBytes); r.err == nil {
		places = make([]msgpack.RawMessage, 0, n)
		for range n {
			raw, err := r.dec.DecodeRaw()
			if err != nil {
				r.fail(at, ErrMalformed)
				return
			}
			places = append(places, raw)
		}
	}
	rest := make([]byte, r.src.Len())
	_, _ = r.src.Read(rest) // a Reader's own length: it cannot fall short
	var err error
	for _, up := range chain[version-1:] {
		if places, err = up(places); err != nil {
			r.fail(at, err)
			return
		}
	}
	w := newWriter()
	w.array(len(places))
	body := append(w.buf.Bytes(), bytes.Join(asBytes(places), nil)...)
	r.src.Reset(append(body, rest...))
	r.dec.Reset(&r.src)
}

func asBytes(places []msgpack.RawMessage) [][]byte {
	out := make([][]byte, len(places))
	for i, p := range places {
		out[i] = p
	}
	return out
}
