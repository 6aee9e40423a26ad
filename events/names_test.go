package events

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNames(t *testing.T) {
	for what, c := range map[string]struct {
		check func(string) error
		limit int
	}{
		"budget": {CheckBudget, MaxBudgetBytes}, "service": {CheckService, MaxNameBytes}, "container": {CheckContainer, MaxContainerBytes},
	} {
		for _, name := range []string{"a", "A-9_z.b", strings.Repeat("x", c.limit)} {
			if err := c.check(name); err != nil {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
		for _, name := range []string{"", " ", "a b", "a:b", "{a}", "a\n", "ä", "a/b", "a~b", "\x00", strings.Repeat("x", c.limit+1)} {
			if err := c.check(name); !errors.Is(err, ErrName) {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}
}

func TestHosts(t *testing.T) {
	for host, ok := range map[string]bool{
		"": true, "web 1 (blue)": true, "~": true, strings.Repeat("x", MaxNameBytes): true,
		"a\tb": false, "\x7f": false, "ö": false, strings.Repeat("x", MaxNameBytes+1): false,
	} {
		if err := CheckHost(host); (err == nil) != ok || err != nil && !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", host, err)
		}
	}
}

func TestCleanHost(t *testing.T) {
	for host, want := range map[string]string{"web-1": "web-1", "": "", "a\nb": "a?b", "bös": "b?s", "\xff": "?"} {
		if got := CleanHost(host); got != want {
			t.Errorf("%q becomes %q, want %q", host, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		host := string(rapid.SliceOf(rapid.Byte()).Draw(t, "host"))
		clean := CleanHost(host)
		if err := CheckHost(clean); err != nil || CleanHost(clean) != clean {
			t.Fatalf("%q becomes %q: %v", host, clean, err)
		}
	})
}

func TestKeys(t *testing.T) {
	k := NewKeys("main")
	for got, want := range map[string]string{
		k.Intents: "conncord:{main}:intents", k.Grants: "conncord:{main}:grants", k.Head: "conncord:{main}:head",
		k.Leader: "conncord:{main}:leader", k.Snap: "conncord:{main}:snapshot", k.Mailbox("c-1"): "conncord:{main}:mailbox:c-1",
	} {
		if got != want {
			t.Errorf("key %q, want %q", got, want)
		}
	}
}

func TestLeaseID(t *testing.T) {
	for _, c := range []struct {
		incarnation, sequence uint64
		want                  string
	}{{0, 0, "00000"}, {0xabcd << 48, 35, "abcdz"}, {1<<48 - 1, 36, "000010"}} {
		if got := LeaseID(c.incarnation, c.sequence); got != c.want {
			t.Errorf("lease %q, want %q", got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		incarnation, a, b := rapid.Uint64().Draw(t, "incarnation"), rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		if a != b && LeaseID(incarnation, a) == LeaseID(incarnation, b) {
			t.Fatalf("sequences %d and %d have one id", a, b)
		}
	})
}

func TestApplicationName(t *testing.T) {
	if got, want := ApplicationName("default", "api", "abcd1", 37), "conncord:default:api:abcd1:11"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// A billion leaders, and a thousand records a second for some decades.
	lease := LeaseID(1<<64-1, 1e12)
	long := strings.Repeat("b", MaxBudgetBytes)
	name := ApplicationName(long, strings.Repeat("s", MaxNameBytes), lease, 1e9)
	if len(name) > 63 {
		t.Errorf("%q has %d bytes: PostgreSQL cuts it at 63", name, len(name))
	}
	seen := map[string]string{}
	for i := range 100 {
		service := fmt.Sprintf("%s-%d", long, i)
		name := ApplicationName(long, service, lease, 1)
		if other, twice := seen[name]; twice {
			t.Errorf("%s and %s are both %s", service, other, name)
		}
		seen[name] = service
	}
	if short, cut := ApplicationName("b", "exactly-sixteen-", lease, 1), ApplicationName("b", "exactly-sixteen-and", lease, 1); short == cut {
		t.Errorf("both are %s", short)
	}
}
