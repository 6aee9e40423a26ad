package client

import (
	"errors"
	"fmt"
	"strings"

	"github.com/conncord/conncord/events"
)

var (
	// ErrClosed is returned when the coordinator was closed.
	ErrClosed = errors.New("the coordinator is closed")

	// ErrExhausted is returned when there are not as many connections as asked
	// for. The error is an [*ExhaustedError], which says why. The demand stays:
	// the lease grows when connections come free, and asking again is safe.
	ErrExhausted = errors.New("connections are exhausted")

	// ErrLocalMode is returned when no arbiter can be reached, so that nothing
	// more can be granted. What the container may hold meanwhile is in
	// [Coordinator.Grant]. Asking again is safe.
	ErrLocalMode = errors.New("no arbiter can be reached")

	// ErrRefused is returned when the arbiter does not accept the container at
	// all. Asking again is of no use before the cause is mended.
	ErrRefused = errors.New("the arbiter refuses the container")

	// ErrInvalid is returned when a call's arguments cannot be meant. It changes
	// nothing.
	ErrInvalid = errors.New("invalid request")
)

// An ExhaustedError says why a container has fewer connections than it wants.
type ExhaustedError struct {
	Service  string
	Units    int    // connections that the container may hold
	Want     int    // connections that it wants
	Reason   string // why it has no more
	Position int    // its place among the containers that wait, from 1; 0: unknown
	Holders  []events.Holder
	Cause    error // what ended the wait, such as context.DeadlineExceeded; may be nil
}

func (e *ExhaustedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s has %d of %d", ErrExhausted, e.Service, e.Units, e.Want)
	if e.Reason != "" {
		fmt.Fprintf(&b, ": %s", e.Reason)
	}
	for i, h := range e.Holders {
		sep := ", "
		if i == 0 {
			sep = "; held by "
		}
		fmt.Fprintf(&b, "%s%s %d (priority %d)", sep, h.Service, h.Units, h.Priority)
	}
	if e.Position > 0 {
		fmt.Fprintf(&b, "; place %d in the queue", e.Position)
	}
	if e.Cause != nil {
		fmt.Fprintf(&b, ": %v", e.Cause)
	}
	return b.String()
}

// Is reports whether the target is [ErrExhausted].
func (e *ExhaustedError) Is(target error) bool { return target == ErrExhausted }

// Unwrap returns what ended the wait.
func (e *ExhaustedError) Unwrap() error { return e.Cause }
