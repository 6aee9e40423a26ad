package client_test

import (
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/client"
)

func TestConfigFromEnv(t *testing.T) {
	for _, name := range []string{"SERVICE_NAME", "REDIS_URL", "DATABASE_URL", "CONNECTION_RESERVE_TTL", "CONNCORD_BUDGET", "CONNCORD_FALLBACK"} {
		t.Setenv(name, "")
	}
	if _, err := client.ConfigFromEnv(); err == nil || !strings.Contains(err.Error(), "SERVICE_NAME is not set") {
		t.Fatalf("without a service: %v", err)
	}
	t.Setenv("SERVICE_NAME", "api")
	if cfg, err := client.ConfigFromEnv(); err != nil || cfg != (client.Config{Service: "api"}) {
		t.Fatalf("with nothing else: %+v, %v", cfg, err)
	}
	t.Setenv("REDIS_URL", "redis://r:1")
	t.Setenv("DATABASE_URL", "postgres://d")
	t.Setenv("CONNCORD_BUDGET", "b")
	for text, want := range map[string]time.Duration{"90": 90 * time.Second, "1m30s": 90 * time.Second, "1": time.Second, "24h": 24 * time.Hour} {
		t.Setenv("CONNECTION_RESERVE_TTL", text)
		t.Setenv("CONNCORD_FALLBACK", "Strict")
		cfg, err := client.ConfigFromEnv()
		if want := (client.Config{Service: "api", RedisURL: "redis://r:1", DatabaseURL: "postgres://d", Budget: "b", TTL: want, Strict: true}); err != nil || cfg != want {
			t.Errorf("%s: %+v, %v", text, cfg, err)
		}
	}
	for _, bad := range []string{"0", "-1", "0.5s", "25h", "soon", "9999999999999999999", "90 s"} {
		t.Setenv("CONNECTION_RESERVE_TTL", bad)
		if _, err := client.ConfigFromEnv(); err == nil || !strings.Contains(err.Error(), "CONNECTION_RESERVE_TTL") {
			t.Errorf("a TTL of %s: %v", bad, err)
		}
	}
	t.Setenv("CONNECTION_RESERVE_TTL", "")
	t.Setenv("CONNCORD_FALLBACK", "maximum")
	if _, err := client.FromEnv(t.Context()); err == nil || !strings.Contains(err.Error(), `CONNCORD_FALLBACK is "maximum": set it to minimum or strict`) {
		t.Errorf("a fallback of maximum: %v", err)
	}
}

// TestBadConfig: whatever cannot be used is said in a sentence, before anything
// is started, and without a password.
func TestBadConfig(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*client.Config)
		want   string
	}{
		{"empty service", func(c *client.Config) { c.Service = "" }, "service name is empty"},
		{"long service", func(c *client.Config) { c.Service = strings.Repeat("x", 64) }, "has 64 bytes, at most 63"},
		{"unprintable service", func(c *client.Config) { c.Service = "a\x00b" }, `"a\x00b" may hold only`},
		{"service with a space", func(c *client.Config) { c.Service = "my api" }, "may hold only"},
		{"bad budget", func(c *client.Config) { c.Budget = "a{b}" }, "budget name"},
		{"bad container", func(c *client.Config) { c.Container = "a b" }, "container id"},
		{"bad host", func(c *client.Config) { c.Host = strings.Repeat("é", 40) }, ""}, // cleaned
		{"short TTL", func(c *client.Config) { c.TTL = time.Millisecond }, "a TTL of 1ms is out of range"},
		{"long TTL", func(c *client.Config) { c.TTL = 48 * time.Hour }, "is out of range"},
		{"negative TTL", func(c *client.Config) { c.TTL = -time.Second }, "is out of range"},
		{"MaxConns", func(c *client.Config) { c.MaxConns = 10_001 }, "MaxConns is 10001"},
		{"negative MaxConns", func(c *client.Config) { c.MaxConns = -1 }, "MaxConns is -1"},
		{"LocalConns", func(c *client.Config) { c.LocalConns = 200 }, "LocalConns is 200: set 1 to MaxConns, which is 100"},
		{"JoinWithin", func(c *client.Config) { c.JoinWithin = -1 }, "JoinWithin"},
		{"Redis URL", func(c *client.Config) { c.RedisURL = "http://user:s3cret@host" }, "redis://"},
		{"unreadable Redis URL", func(c *client.Config) { c.RedisURL = "redis://user:s3cret@ho st:99999999" }, "Redis URL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := client.Config{Service: "api", RedisURL: "redis://127.0.0.1:1", JoinWithin: time.Millisecond, Logger: quiet}
			test.change(&cfg)
			c, err := client.New(t.Context(), cfg)
			switch {
			case err == nil:
				_ = c.Close(t.Context())
				if test.want != "" {
					t.Fatal("accepted")
				}
			case test.want == "" || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "conncord: "):
				t.Fatal(err)
			case strings.Contains(err.Error(), "s3cret"):
				t.Fatalf("shows the password: %v", err)
			}
		})
	}
}

// A pool with a low MaxConns needs no LocalConns below it.
func TestLowMaxConns(t *testing.T) {
	c, err := client.New(t.Context(), client.Config{Service: "scraper", RedisURL: "redis://127.0.0.1:1", MaxConns: 2, JoinWithin: time.Millisecond, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(t.Context())
}

func TestBadDatabaseURL(t *testing.T) {
	for _, name := range []string{"PGHOST", "PGSERVICE", "DATABASE_URL"} {
		t.Setenv(name, "")
	}
	c, err := client.New(t.Context(), client.Config{Service: "api", RedisURL: "redis://127.0.0.1:1", JoinWithin: time.Millisecond, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, url := range []string{"", "postgres://user:s3cret@host:port/db", "nonsense"} {
		_, err := c.OpenDB(url)
		_, errPgx := c.OpenPgxPool(t.Context(), url)
		for _, err := range []error{err, errPgx} {
			if err == nil || !strings.Contains(err.Error(), "DATABASE_URL") || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%q: %v", url, err)
			}
		}
	}
}
