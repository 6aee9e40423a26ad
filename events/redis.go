package events

import (
	"fmt"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Deadlines of everything that Conncord asks of Redis.
const (
	// CallTimeout bounds one call to Redis, dialing included.
	CallTimeout = 2 * time.Second

	// MaxBlock bounds how long one blocking read may wait in Redis. A cancelled
	// context does not interrupt it, so it is also how long an end can take.
	MaxBlock = time.Second
)

// OpenRedis returns a client for the server at a redis://, rediss:// or unix://
// URL. It does not connect yet.
//
// The client never repeats a call by itself. The library's retries cannot tell
// a call that was lost from a reply that was lost, and would append an intent
// twice; who calls decides.
func OpenRedis(rawURL string, connections int) (*redis.Client, error) {
	opts, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("the Redis URL is not usable: %s: write redis://[user:password@]host:port[/db], rediss://… or unix:///path", urlFault(rawURL))
	}
	opts.MaxRetries = -1
	opts.DialTimeout = CallTimeout
	opts.DialerRetries = 1 // the default of 5 only makes a dead server look slow
	opts.ReadTimeout = CallTimeout
	opts.WriteTimeout = CallTimeout
	opts.ContextTimeoutEnabled = true
	opts.PoolSize = connections
	opts.Protocol = 2 // nothing here needs RESP3, whose push messages the library looks for before every reply
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(opts), nil
}

// urlFault says what is wrong with the URL in words of its own. The URL, and the
// library's errors, which quote it, may hold a password.
func urlFault(rawURL string) string {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return "it cannot be read, perhaps because a special character in the password is not written as % and two digits"
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return "it does not begin with redis://, rediss:// or unix://"
	case u.Scheme == "unix":
		return "the path or an option is wrong"
	}
	return "the host, the number of the database or an option is wrong"
}
