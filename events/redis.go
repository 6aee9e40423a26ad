package events

import (
	"fmt"
	"net/url"
	"strings"
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
		return nil, fmt.Errorf("the Redis URL %s is not usable: %s: write redis://[user:password@]host:port[/db], rediss://… or unix:///path", hideSecret(rawURL), hideSecretIn(err.Error(), rawURL))
	}
	opts.MaxRetries = -1
	opts.DialTimeout = CallTimeout
	opts.ReadTimeout = CallTimeout
	opts.WriteTimeout = CallTimeout
	opts.ContextTimeoutEnabled = true
	opts.PoolSize = connections
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return redis.NewClient(opts), nil
}

// hideSecret returns the URL without its password.
func hideSecret(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "(unreadable)"
	}
	return u.Redacted()
}

// hideSecretIn removes the URL, which may hold a password, from a message.
func hideSecretIn(message, rawURL string) string {
	return strings.ReplaceAll(message, rawURL, hideSecret(rawURL))
}
