package events

import (
	"bytes"
	"math"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
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
	n := r.arrayUpTo(at, MaxEntryBytes)
	if r.err != nil {
		return
	}
	rest := make([]byte, r.src.Len())
	_, _ = r.src.Read(rest) // a Reader's own length: it cannot fall short
	r.src.Reset(rest)
	r.dec.Reset(&r.src)
	places := make([]msgpack.RawMessage, 0, n)
	for range n {
		before := r.src.Len()
		r.skip(at, maxNesting)
		if r.err != nil {
			return
		}
		places = append(places, rest[len(rest)-before:len(rest)-r.src.Len()])
	}
	rest = rest[len(rest)-r.src.Len():]
	var err error
	for _, up := range chain[version-1:] {
		if places, err = up(places); err != nil {
			r.fail(at, err)
			return
		}
	}
	w := newWriter()
	w.array(len(places))
	body := append(w.done(), bytes.Join(asBytes(places), nil)...)
	r.src.Reset(append(body, rest...))
	r.dec.Reset(&r.src)
}

// maxNesting is how deep values lie within a body: an array of arrays.
const maxNesting = 4

// skip passes over one value. The library's own way to do so believes every
// length that it reads.
func (r *reader) skip(at string, nesting int) {
	c, err := r.dec.PeekCode()
	switch {
	case err != nil:
		r.fail(at, ErrMalformed)
	case msgpcode.IsFixedArray(c), c == msgpcode.Array16, c == msgpcode.Array32:
		n := r.arrayUpTo(at, MaxEntryBytes)
		if nesting == 0 && n > 0 {
			r.fail(at, ErrMalformed)
		}
		for ; n > 0 && r.err == nil; n-- {
			r.skip(at, nesting-1)
		}
	case msgpcode.IsString(c), msgpcode.IsBin(c):
		r.bytes(at, MaxEntryBytes)
	case msgpcode.IsFixedMap(c), c == msgpcode.Map16, c == msgpcode.Map32, msgpcode.IsExt(c):
		r.fail(at, ErrMalformed) // no entry has any
	default:
		if r.dec.Skip() != nil {
			r.fail(at, ErrMalformed)
		}
	}
}

func asBytes(places []msgpack.RawMessage) [][]byte {
	out := make([][]byte, len(places))
	for i, p := range places {
		out[i] = p
	}
	return out
}
