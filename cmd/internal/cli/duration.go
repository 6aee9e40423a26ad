package cli

import (
	"fmt"
	"strconv"
	"time"
)

// A Duration is written as whole seconds, or with a unit, as Go writes durations.
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if seconds, err := strconv.ParseInt(s, 10, 32); err == nil {
		*d = Duration(time.Duration(seconds) * time.Second)
		return nil
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration: write whole seconds, such as 300, or a number with a unit, such as 30s or 5m", s)
	}
	*d = Duration(parsed)
	return nil
}
