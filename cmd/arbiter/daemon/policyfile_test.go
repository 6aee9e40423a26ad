package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/cmd/internal/policyfile"
	"github.com/conncord/conncord/events"
)

func policyOf(t *testing.T, text string) (events.Policy, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settingsOf(t, environ("CONNCORD_POLICY="+path))
	return s.arbiter.Policy, path, err
}

func TestPolicyFile(t *testing.T) {
	all := strings.Repeat("x", events.MaxNameBytes)
	for _, c := range []struct {
		name, text string
		want       []events.Service
		unlisted   events.Service
	}{
		{"empty", "", events.BuiltinServices(), events.UnlistedService()},
		{"only a comment", "# nothing\n", events.BuiltinServices(), events.UnlistedService()},
		{"another service", "services:\n  - {name: reports, priority: 4, minimum: 2, maximum: 10}\n",
			[]events.Service{{Name: "api", Priority: 8, Minimum: 3}, {Name: "external", Priority: 1, Minimum: 1}, {Name: "monitoring", Priority: 3, Minimum: 1},
				{Name: "reports", Priority: 4, Minimum: 2, Maximum: 10}, {Name: "scraper", Priority: 10, Minimum: 5}, {Name: "viewer", Priority: 5, Minimum: 2}},
			events.UnlistedService()},
		{"one rule of a built-in one", "builtin: true\nservices: [{name: scraper, maximum: 15}]\n",
			[]events.Service{{Name: "api", Priority: 8, Minimum: 3}, {Name: "external", Priority: 1, Minimum: 1}, {Name: "monitoring", Priority: 3, Minimum: 1},
				{Name: "scraper", Priority: 10, Minimum: 5, Maximum: 15}, {Name: "viewer", Priority: 5, Minimum: 2}},
			events.UnlistedService()},
		{"without the built-in ones", "builtin: false\nunlisted: refuse\nservices:\n- name: " + all + "\n  priority: 1000\n",
			[]events.Service{{Name: all, Priority: 1000}}, events.Service{}},
		{"unlisted", "builtin: false\nunlisted: {priority: 2, maximum: 4}\n", nil, events.Service{Priority: 2, Maximum: 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _, err := policyOf(t, c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, p.Services); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.unlisted, p.Unlisted); diff != "" {
				t.Errorf("unlisted (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadPolicyFile(t *testing.T) {
	const fields = ": use builtin, unlisted and services, and for a service name, priority, minimum and maximum"
	for _, c := range []struct{ name, text, says string }{
		{"unknown field", "servces: []\n", "FILE: line 1: unknown field servces" + fields},
		{"unknown field of a service", "services:\n  - name: a\n    prio: 3\n", "FILE: line 3: unknown field prio" + fields},
		{"not YAML", "services: [\n", "FILE: line 1: did not find expected node content"},
		{"a list", "- a\n", "FILE: line 1: cannot use seq as a policy"},
		{"two documents", "builtin: true\n---\nbuiltin: false\n", "FILE: more than one document: keep the first"},
		{"text for a number", "services:\n  - name: a\n    priority: high\n", "FILE: line 3: cannot use str `high` as a whole number"},
		{"a field twice", "builtin: true\nbuiltin: false\n", `FILE: line 2: mapping key "builtin" already defined at line 1`},
		{"no name", "services:\n  - {name: a, priority: 1}\n  - {priority: 2}\n", "FILE: line 3: invalid name: the service name is empty"},
		{"a bad name", "services:\n  - {name: a b, priority: 1}\n", `FILE: line 2: invalid name: the service name "a b" may hold only letters, digits, '.', '-' and '_'`},
		{"twice", "services:\n  - {name: a, priority: 1}\n\n  - {name: a, priority: 2}\n", `FILE: line 4: the service "a" is listed twice: keep one`},
		{"no priority", "services: [{name: a}]\n", `FILE: line 1: the service "a" needs a priority: set 1 to 1000`},
		{"priority out of range", "services:\n  - {name: a, priority: 1001}\n", `FILE: line 2: service "a" has priority 1001: set 1 to 1000`},
		{"priority 0", "services:\n  - {name: api, priority: 0}\n", `FILE: line 2: service "api" has priority 0: set 1 to 1000`},
		{"maximum below minimum", "services:\n  - {name: api, maximum: 2}\n", `FILE: line 2: service "api" has a maximum of 2 below its minimum of 3: raise the one or lower the other`},
		{"below 0", "services:\n  - {name: api, minimum: -1}\n", `FILE: line 2: service "api" has a minimum of -1: set 0 to 262143`},
		{"unlisted is a word", "unlisted: maybe\n", "FILE: line 1: unlisted must be refuse, or have priority, minimum and maximum"},
		{"unlisted has another field", "unlisted:\n  name: a\n", "FILE: line 2: unknown field name: unlisted can have priority, minimum and maximum"},
		{"unlisted without priority", "unlisted: {priority: 0}\n", "FILE: line 1: unlisted has priority 0: set 1 to 1000, or write unlisted: refuse"},
		{"unlisted with text", "unlisted: {priority: high}\n", "FILE: line 1: unlisted: priority, minimum and maximum must be whole numbers"},
		{"minimums over the limit", "services: [{name: big, priority: 1, minimum: 50}]\n",
			"FILE: the services' minimums add up to 62 but only 54 of 60 connections are available (6 reserved): lower the minimums or raise the limit"},
		{"too large", "#" + strings.Repeat(" ", policyfile.MaxBytes), "cannot read the policy file: FILE has more than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, path, err := policyOf(t, c.text)
			if err == nil {
				t.Fatal("accepted")
			}
			got := strings.TrimPrefix(strings.ReplaceAll(err.Error(), path, "FILE"), "--policy (CONNCORD_POLICY): ")
			if got != c.says {
				t.Errorf("(-want +got):\n%s", cmp.Diff(c.says, got))
			}
		})
	}
}
