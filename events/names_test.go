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
	if got, want := ApplicationName("default", "api", "web-1-5f3a"), "conncord:default:api:732ffff71711"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ObserverName("default"), "conncord:default:@arbiter"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	long := strings.Repeat("b", MaxBudgetBytes)
	seen := map[string]string{}
	for i := range 100 {
		service := fmt.Sprintf("%s-%d", long, i)
		name := ApplicationName(long, service, "c")
		if other, twice := seen[name]; twice {
			t.Errorf("%s and %s are both %s", service, other, name)
		}
		seen[name] = service
	}
	if short, cut := ApplicationName("b", "exactly-sixteen-", "c"), ApplicationName("b", "exactly-sixteen-and", "c"); short == cut {
		t.Errorf("both are %s", short)
	}
}

// genPlain draws names that the checks of this package accept.
func genPlain(limit int) *rapid.Generator[string] {
	return rapid.StringMatching(fmt.Sprintf("[A-Za-z0-9._-]{1,%d}", limit))
}

func TestApplicationNameIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		budget := genPlain(MaxBudgetBytes).Draw(t, "budget")
		service := genPlain(MaxNameBytes).Draw(t, "service")
		container := genPlain(MaxContainerBytes).Draw(t, "container")
		name := ApplicationName(budget, service, container)
		for _, name := range []string{name, ObserverName(budget)} {
			if len(name) > 63 {
				t.Fatalf("%q has %d bytes: PostgreSQL cuts it at 63", name, len(name))
			}
		}
		gotService, tag, ok := ParseApplicationName(budget, name)
		if !ok || gotService != label(service) || tag != Tag(container) {
			t.Fatalf("%q is read as %q, %q, %v", name, gotService, tag, ok)
		}
		if _, _, ok := ParseApplicationName(budget, ObserverName(budget)); ok {
			t.Fatal("the observer passes for a container")
		}
		if other := genPlain(MaxBudgetBytes).Draw(t, "other"); label(other) != label(budget) {
			if _, _, ok := ParseApplicationName(other, name); ok {
				t.Fatalf("%q passes for one of budget %s", name, other)
			}
		}
	})
}

func TestParseApplicationNameRefuses(t *testing.T) {
	const tag = "0123456789ab"
	if _, _, ok := ParseApplicationName("default", "conncord:default:api:"+tag); !ok {
		t.Fatal("the pattern of the names below is refused")
	}
	for _, name := range []string{
		"", "psql", ":", ":::", "::::", "conncord", "conncord:", "conncord:::", "conncord:default", "conncord:default:",
		"conncord:default:api", "conncord:default:api:", "conncord:default::" + tag, "conncord::api:" + tag,
		"conncord:default:@arbiter", "conncord:default:@arbiter:" + tag,
		"conncord:other:api:" + tag, "conncord:default2:api:" + tag, "conncord:Default:api:" + tag,
		"Conncord:default:api:" + tag, " conncord:default:api:" + tag, "conncord:default:api:" + tag + " ",
		"conncord:default:api:" + tag + ":", "conncord:default:api:" + tag + ":1", "conncord:default:api:x:" + tag,
		"conncord:default:api:0123456789AB", "conncord:default:api:0123456789a", "conncord:default:api:0123456789abc",
		"conncord:default:api:0123456789ag", "conncord:default:api:0123456789a\x00",
		"conncord:default:a service:" + tag, "conncord:default:ap\u00ef:" + tag, "conncord:default:api\n:" + tag,
		"conncord:default:seventeen-letters:" + tag, "conncord:default:eleven-lett~12AB:" + tag,
		"conncord:default:short~12ab:" + tag, "conncord:default:eleven~lett~12ab:" + tag,
		"conncord:default:" + strings.Repeat("x", 1<<16) + ":" + tag, strings.Repeat(":", 1<<16),
		"conncord:default:api:abcd1:11", // as versions before the tags called themselves
	} {
		if service, tag, ok := ParseApplicationName("default", name); ok || service != "" || tag != "" {
			t.Errorf("%.80q is read as service %q, tag %q, %v", name, service, tag, ok)
		}
	}
}

func FuzzParseApplicationName(f *testing.F) {
	f.Add("default", ApplicationName("default", "api", "c"))
	f.Add("a-budget-with-a-long-name", ApplicationName("a-budget-with-a-long-name", "a-service-with-a-long-name", "c"))
	f.Fuzz(func(t *testing.T, budget, name string) {
		service, tag, ok := ParseApplicationName(budget, name)
		if !ok {
			return
		}
		if again := "conncord:" + label(budget) + ":" + service + ":" + tag; again != name {
			t.Errorf("%q is read as %q", name, again)
		}
		if len(tag) != 12 || service == "" || len(service) > maxLabel {
			t.Errorf("service %q, tag %q", service, tag)
		}
	})
}
