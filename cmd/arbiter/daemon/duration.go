package daemon

import (
	"fmt"
	"strconv"
	"time"
)

// A duration is written as whole seconds, as CONNECTION_RESERVE_TTL always was,
// or with a unit, as Go writes durations.
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	s := string(text)
	if seconds, err := strconv.ParseInt(s, 10, 32); err == nil {
		*d = duration(time.Duration(seconds) * time.Second)
		return nil
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration: write whole seconds, such as 300, or a number with a unit, such as 30s or 5m", s)
	}
	*d = duration(parsed)
	return nil
}
