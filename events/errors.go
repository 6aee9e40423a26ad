package events

import (
	"errors"
	"fmt"
)

// The reasons for which an entry is not understood. A [DecodeError] wraps one
// of them.
var (
	// ErrMalformed is returned when bytes are not the MessagePack value that
	// the entry's kind asks for: truncated, of another type, or not one at all.
	ErrMalformed = errors.New("malformed entry")
	// ErrOversize is returned when an entry or a part of it is larger than its
	// limit.
	ErrOversize = errors.New("entry too large")
	// ErrVersion is returned when an entry's schema version is newer than this
	// program knows.
	ErrVersion = errors.New("unknown schema version")
	// ErrKind is returned when an entry's kind is not known.
	ErrKind = errors.New("unknown kind of entry")
	// ErrTrailing is returned when bytes follow a complete entry.
	ErrTrailing = errors.New("trailing bytes after the entry")
	// ErrRange is returned when a number is outside its range.
	ErrRange = errors.New("number out of range")
	// ErrName is returned when a name is empty, over-long or holds characters
	// that cannot be printed.
	ErrName = errors.New("invalid name")
)

// A DecodeError says what was wrong with an entry, and where.
type DecodeError struct {
	What string // the type that was being read: "intent", "record", "grant"
	At   string // the part that was wrong
	Err  error  // one of this package's sentinels
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("decode %s: %s: %v", e.What, e.At, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }
