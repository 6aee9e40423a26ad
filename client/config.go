package client

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/conncord/conncord/events"
)

const (
	// DefaultBudget is the budget of those who do not name one.
	DefaultBudget = "default"

	// DefaultMaxConns is the default of Config.MaxConns.
	DefaultMaxConns = 100

	// DefaultJoinWithin is how long a container waits for the first answer of
	// an arbiter before it starts in local mode. A takeover after a crashed
	// arbiter takes about one second.
	DefaultJoinWithin = 3 * time.Second
)

// Config describes a container and where Redis and the database are. Service
// must be set; a zero value elsewhere means the default.
type Config struct {
	Service string // what kind of container this is; its priority and minimum go by it

	RedisURL    string // redis://, rediss:// or unix://; default redis://127.0.0.1:6379
	DatabaseURL string // for [Coordinator.Session] and for opening pools without a URL of their own
	Budget      string // default [DefaultBudget]

	// Container is the readable part of the container's id; default: the host's
	// name. A random part is added, so that every process has an id of its own.
	Container string
	Host      string // default: the host's name

	// TTL is how long leases are to last without being renewed, 1 s to 24 h. 0, or
	// more than the arbiter's: the arbiter's.
	TTL time.Duration

	// Strict gives everything up when the lease runs out without an answer, and
	// holds nothing in local mode, instead of the service's minimum.
	Strict bool

	// LocalConns is how many connections the container holds in local mode;
	// default: the built-in minimum of its service, 1 for a service that is not
	// built in.
	LocalConns int

	// MaxConns is the most that the container ever asks for by itself, and the
	// MaxConns of its pgxpools; default [DefaultMaxConns].
	MaxConns int

	// JoinWithin bounds the wait for the first answer; default
	// [DefaultJoinWithin].
	JoinWithin time.Duration

	Logger *slog.Logger // default: slog.Default()
}

// ConfigFromEnv reads the configuration from the environment: SERVICE_NAME,
// REDIS_URL, DATABASE_URL, CONNECTION_RESERVE_TTL (seconds, or a duration such
// as 90s), CONNCORD_BUDGET and CONNCORD_FALLBACK (minimum or strict).
func ConfigFromEnv() (Config, error) {
	cfg := Config{
		Service:     os.Getenv("SERVICE_NAME"),
		RedisURL:    os.Getenv("REDIS_URL"),
		DatabaseURL: os.Getenv("DATABASE_URL"),
		Budget:      os.Getenv("CONNCORD_BUDGET"),
	}
	if cfg.Service == "" {
		return cfg, errors.New("SERVICE_NAME is not set: set it to what kind of container this is, for example scraper, api, viewer, monitoring or external")
	}
	if text := os.Getenv("CONNECTION_RESERVE_TTL"); text != "" {
		ttl, err := parseSeconds(text)
		if err != nil {
			return cfg, fmt.Errorf("CONNECTION_RESERVE_TTL: %w", err)
		}
		cfg.TTL = ttl
	}
	switch text := os.Getenv("CONNCORD_FALLBACK"); strings.ToLower(text) {
	case "", "minimum":
	case "strict":
		cfg.Strict = true
	default:
		return cfg, fmt.Errorf("CONNCORD_FALLBACK is %q: set it to minimum or strict", text)
	}
	return cfg, nil
}

func parseSeconds(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if seconds, e := strconv.Atoi(text); e == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < events.MinTTL || d > events.MaxTTL {
		return 0, fmt.Errorf("%q is not a duration between %v and %v: write seconds, or a duration such as 90s", text, events.MinTTL, events.MaxTTL)
	}
	return d, nil
}

func (c Config) withDefaults() Config {
	c.RedisURL = cmp.Or(c.RedisURL, "redis://127.0.0.1:6379")
	c.Budget = cmp.Or(c.Budget, DefaultBudget)
	host, _ := os.Hostname()
	c.Host = events.CleanHost(cmp.Or(c.Host, host))
	c.Container = cmp.Or(c.Container, plain(c.Host), "container")
	c.MaxConns = cmp.Or(c.MaxConns, DefaultMaxConns)
	if c.LocalConns == 0 {
		c.LocalConns = 1
		for _, s := range events.BuiltinServices() {
			if s.Name == c.Service {
				c.LocalConns = min(s.Minimum, max(c.MaxConns, 1))
			}
		}
	}
	c.JoinWithin = cmp.Or(c.JoinWithin, DefaultJoinWithin)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c *Config) validate() error {
	switch {
	case c.TTL != 0 && (c.TTL < events.MinTTL || c.TTL > events.MaxTTL):
		return fmt.Errorf("a TTL of %v is out of range: set %v to %v, or 0 for the arbiter's", c.TTL, events.MinTTL, events.MaxTTL)
	case c.MaxConns < 1 || c.MaxConns > maxConns:
		return fmt.Errorf("MaxConns is %d: set 1 to %d", c.MaxConns, maxConns)
	case c.LocalConns < 1 || c.LocalConns > c.MaxConns:
		return fmt.Errorf("LocalConns is %d: set 1 to MaxConns, which is %d", c.LocalConns, c.MaxConns)
	case c.JoinWithin < 0:
		return fmt.Errorf("JoinWithin is %v: set a positive duration", c.JoinWithin)
	}
	return errors.Join(events.CheckService(c.Service), events.CheckBudget(c.Budget), events.CheckHost(c.Host),
		events.CheckContainer(c.Container+randomPart()))
}

// maxConns bounds MaxConns: a pgxpool keeps a little memory for each slot.
const maxConns = 10_000

// randomPart makes an id unique.
func randomPart() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return "-" + hex.EncodeToString(b[:])
}

// plain keeps of a host's name what an id may hold.
func plain(host string) string {
	return strings.Map(func(r rune) rune {
		if r == '?' || r == ' ' || events.CheckContainer(string(r)) != nil {
			return -1
		}
		return r
	}, host)
}
