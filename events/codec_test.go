package events

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A kindOf entry, for tests that treat all of them alike.
type entryType struct {
	name   string
	decode func([]byte) (any, error)
	encode func(any) []byte
	draw   func(*rapid.T) any
	limit  int
}

var entryTypes = []entryType{
	{"intent", func(b []byte) (any, error) { return DecodeIntent(b) },
		func(v any) []byte { return EncodeIntent(v.(*Intent)) },
		func(t *rapid.T) any { v := genIntent.Draw(t, "intent"); return &v }, MaxOwnBytes},
	{"record", func(b []byte) (any, error) { return DecodeRecord(b) },
		func(v any) []byte { return EncodeRecord(v.(*Record), Hash{1}) },
		func(t *rapid.T) any { v := genRecord.Draw(t, "record"); return &v }, maxRecordBytes},
	{"grant", func(b []byte) (any, error) { return DecodeGrant(b) },
		func(v any) []byte { return EncodeGrant(v.(*Grant)) },
		func(t *rapid.T) any { v := genGrant.Draw(t, "grant"); return &v }, maxGrantBytes},
	{"snapshot", func(b []byte) (any, error) { return DecodeSnapshot(b) },
		func(v any) []byte { return EncodeSnapshot(v.(*Snapshot)) },
		func(t *rapid.T) any { v := genSnapshot.Draw(t, "snapshot"); return &v }, maxSnapshotBytes},
}

func TestRoundTrip(t *testing.T) {
	for _, e := range entryTypes {
		t.Run(e.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				want := e.draw(t)
				data := e.encode(want)
				got, err := e.decode(data)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("-want +got\n%s", diff)
				}
				if again := e.encode(got); !bytes.Equal(data, again) {
					t.Fatalf("equal values, other bytes: %x and %x", data, again)
				}
			})
		})
	}
}

// wantDecodeError fails unless the error is a DecodeError around the sentinel;
// any of them will do if it is nil.
func wantDecodeError(t interface {
	Helper()
	Fatalf(string, ...any)
}, err, sentinel error) {
	t.Helper()
	var d *DecodeError
	if !errors.As(err, &d) {
		t.Fatalf("got %v, want a DecodeError", err)
	}
	if sentinel != nil && !errors.Is(err, sentinel) {
		t.Fatalf("got %v, want %v", err, sentinel)
	}
}

func TestTruncated(t *testing.T) {
	for _, e := range entryTypes {
		t.Run(e.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				data := e.encode(e.draw(t))
				for n := range data {
					_, err := e.decode(data[:n])
					wantDecodeError(t, err, ErrMalformed)
				}
			})
		})
	}
}

func TestTrailing(t *testing.T) {
	for _, e := range entryTypes {
		t.Run(e.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				_, err := e.decode(append(e.encode(e.draw(t)), rapid.Byte().Draw(t, "byte")))
				if e.name == "grant" && errors.Is(err, ErrOversize) {
					return
				}
				wantDecodeError(t, err, ErrTrailing)
			})
		})
	}
}

func TestOversize(t *testing.T) {
	for _, e := range entryTypes {
		_, err := e.decode(make([]byte, e.limit+1))
		wantDecodeError(t, err, ErrOversize)
	}
}

// Whatever the bytes are, nothing panics, and what is understood is understood
// again in the same way.
func TestDecodeAnything(t *testing.T) {
	for _, e := range entryTypes {
		t.Run(e.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				data := e.encode(e.draw(t))
				for range rapid.IntRange(1, 4).Draw(t, "changes") {
					data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
				}
				decodeTwice(t, e, data)
			})
		})
	}
}

func decodeTwice(t interface {
	Helper()
	Fatalf(string, ...any)
}, e entryType, data []byte) {
	t.Helper()
	v, err := e.decode(data)
	if err != nil {
		wantDecodeError(t, err, nil)
		return
	}
	if rec, ok := v.(*Record); ok {
		// Encoding links a record anew.
		rec.Hash = Hash{}
	}
	again, err := e.decode(e.encode(v))
	if err != nil {
		t.Fatalf("encoded again, it does not decode: %v", err)
	}
	if diff := cmp.Diff(v, again); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
}
