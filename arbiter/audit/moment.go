package audit

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/conncord/conncord/events"
)

// A Moment is a place in a history: after the record with a sequence, or after the
// last record that was made by a time. The zero value is the end. When Redis lost
// history, a sequence can stand in it several times: the first one counts.
type Moment struct {
	Sequence uint64
	Time     time.Time
}

// ErrMoment is returned when a text names no moment.
var ErrMoment = errors.New(`not a moment: give a sequence such as 1200, a time such as 2026-03-14T09:26:53Z, how long ago such as -10m, or "now"`)

// ParseMoment reads a moment as people write it: a sequence, an RFC 3339 time, a
// duration before now such as -10m, or "now" for the end of the history.
func ParseMoment(text string, now time.Time) (Moment, error) {
	text = strings.TrimSpace(text)
	if text == "now" {
		return Moment{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago < 0 {
		return Moment{Time: now.Add(ago)}, nil
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil && n > 0 && n <= math.MaxInt64 {
		return Moment{Sequence: n}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && at.UnixMilli() > 0 {
		return Moment{Time: at}, nil
	}
	return Moment{}, fmt.Errorf("%q is %w", text, ErrMoment)
}

func (m Moment) String() string {
	switch {
	case m.Sequence > 0:
		return fmt.Sprintf("record %d", m.Sequence)
	case !m.Time.IsZero():
		return m.Time.UTC().Format(time.RFC3339)
	}
	return "the end"
}

// passed reports whether the record lies behind the moment.
func (m Moment) passed(head *events.Head) bool {
	switch {
	case m.Sequence > 0:
		return head.Sequence > m.Sequence
	case !m.Time.IsZero():
		return head.Wall > m.Time.UnixMilli()
	}
	return false
}
