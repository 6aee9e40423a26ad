package show

import (
	"fmt"
	"strconv"
	"time"
)

// Usage says how to run the demo.
const Usage = `usage: demo

It takes no arguments. Environment:
  DURATION                   how long it runs: a duration such as 30s, or seconds (default 30s)
  DATABASE_URL               a PostgreSQL of yours instead of a temporary one
  SUPABASE_MAX_CONNECTIONS   its limit (default: what it says itself)
  REDIS_URL                  a Redis of yours instead of one in memory
  NO_COLOR                   no colors`

const (
	defaultDuration = 30 * time.Second

	// minDuration leaves each scene time to show something.
	minDuration = 3 * time.Second
	maxDuration = 24 * time.Hour

	// ttl is how long a lease lasts: as long as it does by default, and longer than
	// most demos. What a container that was killed had comes back because the
	// arbiter sees that it is gone.
	ttl = 5 * time.Minute

	// maxLimit is how many connections of a database of yours the demo uses at
	// most: each is a caller in a service, and all services want all of them.
	maxLimit = 1000
)

type options struct {
	duration    time.Duration
	databaseURL string
	limit       int // 0: what the database says
	redisURL    string
	noColor     bool
	term        string
	locale      string
}

func readOptions(getenv func(string) string) (o options, err error) {
	o = options{
		duration:    defaultDuration,
		databaseURL: getenv("DATABASE_URL"),
		redisURL:    getenv("REDIS_URL"),
		noColor:     getenv("NO_COLOR") != "",
		term:        getenv("TERM"),
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if o.locale == "" {
			o.locale = getenv(name)
		}
	}
	if text := getenv("DURATION"); text != "" {
		if o.duration, err = time.ParseDuration(text); err != nil {
			var seconds float64
			seconds, err = strconv.ParseFloat(text, 64)
			o.duration = time.Duration(min(seconds, maxDuration.Seconds()+1) * float64(time.Second))
		}
		// A NaN compares as false.
		if err != nil || !(o.duration >= minDuration && o.duration <= maxDuration) {
			return o, fmt.Errorf("DURATION is %q: set a duration between %v and %v, such as 30s, or seconds", text, minDuration, maxDuration)
		}
	}
	if text := getenv("SUPABASE_MAX_CONNECTIONS"); text != "" {
		if o.limit, err = strconv.Atoi(text); err != nil || o.limit < 1 || o.limit > maxLimit {
			return o, fmt.Errorf("SUPABASE_MAX_CONNECTIONS is %q: set a number from 1 to %d", text, maxLimit)
		}
		if o.databaseURL == "" {
			return o, fmt.Errorf("SUPABASE_MAX_CONNECTIONS is set but DATABASE_URL is not: the demo's own database has always %d connections", ownLimit)
		}
	}
	return o, nil
}
