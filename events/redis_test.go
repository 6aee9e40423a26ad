package events_test

import (
	"strings"
	"testing"

	"github.com/conncord/conncord/events"
)

// However a URL is wrong, the error must not repeat a part of it: that part may
// be the password.
func TestBadURLsKeepTheirPassword(t *testing.T) {
	for _, url := range []string{
		"redis://user:hunter2@host:port",
		"redis://user:hunter2/x@host:6379",
		"redis://user:x/hunter2@host:6379",
		"redis://user:hunter2%zz@host:6379",
		`redis://user:"hunter2\@host:6379:1`,
		"redis://:hunter2@host:6379/x",
		"redis://host:6379/hunter2",
		"redis://host:6379?hunter2=1",
		"user:hunter2@host:6379",
		"http://user:hunter2@host:6379",
		"hunter2", "://hunter2", "hunter2://", "redis://hunter2 @host",
		"unix://user:hunter2@",
	} {
		client, err := events.OpenRedis(url, 1)
		if err == nil {
			client.Close()
			t.Errorf("%s was accepted", url)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestGoodURLs(t *testing.T) {
	for url, want := range map[string]string{
		"redis://h:1/2":           "h:1",
		"rediss://u:p@h:1":        "h:1",
		"unix:///run/r.sock?db=1": "/run/r.sock",
		"redis://h":               "h:6379",
	} {
		client, err := events.OpenRedis(url, 1)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		opts := client.Options()
		if opts.Addr != want || opts.MaxRetries != 0 {
			t.Errorf("%s: address %s, %d retries", url, opts.Addr, opts.MaxRetries)
		}
		client.Close()
	}
}
