package events

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmihailenco/msgpack/v5"
)

// Version 0 and -1 do not exist, so that the chain is tried the other way round:
// a reader whose newest version is 3 reads bodies of versions 1 to 3.

// addPlace lifts to version 2, which has a place more at the end.
func addPlace(places []msgpack.RawMessage) ([]msgpack.RawMessage, error) {
	if len(places) != 2 {
		return nil, ErrMalformed
	}
	return append(places, msgpack.RawMessage{7}), nil
}

// swapPlaces lifts to version 3, in which the first two places have changed.
func swapPlaces(places []msgpack.RawMessage) ([]msgpack.RawMessage, error) {
	if len(places) != 3 {
		return nil, ErrMalformed
	}
	return []msgpack.RawMessage{places[1], places[0], places[2]}, nil
}

// readBody reads a body of the given version and what follows it.
func readBody(version int, data []byte, chain ...upcaster) ([]uint64, error) {
	r := newReader("thing", data)
	r.lift("body", version, chain)
	r.array("body", 3)
	got := []uint64{r.uint("a", 99), r.uint("b", 99), r.uint("c", 99), r.uint("after", 99)}
	return got, r.finish()
}

func TestLift(t *testing.T) {
	for version, body := range map[int]list{1: {1, 2}, 2: {1, 2, 7}, 3: {2, 1, 7}} {
		got, err := readBody(version, append(pack(body), 42), addPlace, swapPlaces)
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if diff := cmp.Diff([]uint64{2, 1, 7, 42}, got); diff != "" {
			t.Errorf("version %d: -want +got\n%s", version, diff)
		}
	}
}

func TestLiftFails(t *testing.T) {
	spoiled := errors.New("spoiled")
	fail := func([]msgpack.RawMessage) ([]msgpack.RawMessage, error) { return nil, spoiled }
	for name, c := range map[string]struct {
		data  []byte
		chain []upcaster
		want  error
	}{
		"upcaster fails":       {append(pack(list{1, 2}), 42), []upcaster{fail, swapPlaces}, spoiled},
		"a later one fails":    {append(pack(list{1, 2}), 42), []upcaster{addPlace, fail}, spoiled},
		"too few places":       {append(pack(list{1}), 42), []upcaster{addPlace, swapPlaces}, ErrMalformed},
		"not an array":         {[]byte{1, 42}, []upcaster{addPlace}, ErrMalformed},
		"truncated":            {pack(list{1, 2})[:2], []upcaster{addPlace}, ErrMalformed},
		"a place is truncated": {[]byte{0x92, 1, 0xc4, 200, 1}, []upcaster{addPlace}, ErrMalformed},
		"huge place":           {[]byte{0x92, 1, 0xc6, 0xff, 0xff, 0xff, 0xff}, []upcaster{addPlace}, ErrMalformed},
		"trailing":             {append(pack(list{1, 2}), 42, 43), []upcaster{addPlace}, ErrTrailing},
		"a place out of range": {append(pack(list{1, 100}), 42), []upcaster{addPlace}, ErrRange},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readBody(1, c.data, c.chain...)
			wantDecodeError(t, err, c.want)
		})
	}
}

// A body that is nested very deeply must not exhaust the stack.
func TestLiftDeep(t *testing.T) {
	deep := make([]byte, MaxEntryBytes)
	for i := range deep {
		deep[i] = 0x91
	}
	_, err := readBody(1, append([]byte{0x92, 1}, deep...), addPlace)
	wantDecodeError(t, err, ErrMalformed)
}

// The newest version is read where it lies.
func TestLiftNothing(t *testing.T) {
	called := func([]msgpack.RawMessage) ([]msgpack.RawMessage, error) {
		t.Error("called")
		return nil, nil
	}
	if _, err := readBody(2, append(pack(list{1, 2, 3}), 42), called); err != nil {
		t.Error(err)
	}
}

// The three chains reach the version that is written.
func TestChains(t *testing.T) {
	for name, n := range map[string][2]int{
		"intent": {len(intentUpcasters), intentVersion}, "record": {len(recordUpcasters), recordVersion}, "grant": {len(grantUpcasters), grantVersion},
	} {
		if n[0] != n[1]-1 {
			t.Errorf("%s: %d upcasters for version %d", name, n[0], n[1])
		}
	}
}
