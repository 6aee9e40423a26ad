package daemon

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/events"
)

// settingsOf parses and checks.
func settingsOf(t *testing.T, env func(string) (string, bool), args ...string) (settings, error) {
	t.Helper()
	o, done, err := parse(args, env, &bytes.Buffer{})
	if err != nil || done {
		return settings{}, err
	}
	return o.check()
}

func TestDefaults(t *testing.T) {
	// A variable that is set to nothing is not set.
	s, err := settingsOf(t, environ("SUPABASE_PLAN=", "SUPABASE_MAX_CONNECTIONS=", "CONNECTION_RESERVE_TTL=", "CONNCORD_FRESH="))
	if err != nil {
		t.Fatal(err)
	}
	want := events.Policy{
		Rule: events.RuleVersion, Plan: "free", Limit: 60, Reserve: 6, TTL: 300 * time.Second, Margin: 6 * time.Second,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
	if diff := cmp.Diff(want, s.arbiter.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if s.redisURL != "redis://127.0.0.1:6379" || s.budget != "default" || s.arbiter.Lease != time.Second || s.arbiter.Fresh || len(s.warnings) > 0 {
		t.Errorf("settings %+v", s)
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name    string
		env     []string
		args    []string
		want    func(settings) any
		is      any
		warning string
	}{
		{"plan", []string{"SUPABASE_PLAN=pro"}, nil, limits, [3]any{"pro", 200, 20}, ""},
		{"plan in any case", []string{"SUPABASE_PLAN=Enterprise"}, nil, limits, [3]any{"enterprise", 1000, 100}, ""},
		{"compute size", nil, []string{"--plan=2xl"}, limits, [3]any{"2xl", 380, 38}, ""},
		{"maximum alone", []string{"SUPABASE_MAX_CONNECTIONS=48"}, nil, limits, [3]any{"custom", 48, 5}, ""},
		{"plan and maximum agree", []string{"SUPABASE_MAX_CONNECTIONS=60", "SUPABASE_PLAN=free"}, nil, limits, [3]any{"free", 60, 6}, ""},
		{"plan and maximum disagree", []string{"SUPABASE_MAX_CONNECTIONS=48", "SUPABASE_PLAN=free"}, nil, limits, [3]any{"free", 48, 5},
			"SUPABASE_PLAN=free allows 60 connections, but SUPABASE_MAX_CONNECTIONS=48 is set and wins"},
		{"a flag wins over the environment", []string{"SUPABASE_PLAN=pro"}, []string{"--plan", "team"}, limits, [3]any{"team", 400, 40}, ""},
		{"reserve", []string{"CONNCORD_RESERVE_PERCENT=0"}, nil, limits, [3]any{"free", 60, 0}, ""},
		{"reserve is rounded up", []string{"CONNCORD_RESERVE_PERCENT=1"}, nil, limits, [3]any{"free", 60, 1}, ""},

		{"seconds", []string{"CONNECTION_RESERVE_TTL=30"}, nil, times, [2]any{30 * time.Second, time.Second}, ""},
		{"a duration", []string{"CONNECTION_RESERVE_TTL=10m"}, nil, times, [2]any{10 * time.Minute, 12 * time.Second}, ""},
		{"a short lease", nil, []string{"--ttl=4"}, times, [2]any{4 * time.Second, 500 * time.Millisecond}, ""},
		{"the shortest lease", nil, []string{"--ttl=1s"}, times, [2]any{time.Second, 125 * time.Millisecond}, ""},
		{"the longest lease", nil, []string{"--ttl=24h"}, times, [2]any{24 * time.Hour, 1728 * time.Second}, ""},
		{"margin", []string{"CONNCORD_DRIFT_MARGIN=15"}, nil, times, [2]any{300 * time.Second, 15 * time.Second}, ""},
		{"no margin", []string{"CONNCORD_DRIFT_MARGIN=0"}, nil, times, [2]any{300 * time.Second, time.Duration(0)}, ""},

		{"unix socket", []string{"REDIS_URL=unix:///run/redis.sock"}, nil, address, "unix:///run/redis.sock", ""},
		{"TLS", []string{"REDIS_URL=rediss://u:p@redis:6380/1"}, nil, address, "rediss://u:p@redis:6380/1", ""},
		{"embedded is fresh", []string{"CONNCORD_EMBEDDED=true"}, nil, func(s settings) any { return s.arbiter.Fresh }, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := settingsOf(t, environ(c.env...), c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.is, c.want(s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := strings.Join(s.warnings, "\n"); got != c.warning {
				t.Errorf("warning %q, want %q", got, c.warning)
			}
		})
	}
}

func limits(s settings) any {
	return [3]any{s.arbiter.Policy.Plan, s.arbiter.Policy.Limit, s.arbiter.Policy.Reserve}
}
func times(s settings) any   { return [2]any{s.arbiter.Policy.TTL, s.arbiter.Policy.Margin} }
func address(s settings) any { return s.redisURL }

// The default margin suits every lease that is allowed.
func TestDefaultMarginAlwaysFits(t *testing.T) {
	for ttl := events.MinTTL; ttl <= events.MaxTTL; ttl += max(time.Second, ttl/7) {
		if _, err := settingsOf(t, environ(), "--ttl="+ttl.String()); err != nil {
			t.Errorf("a lease of %v: %v", ttl, err)
		}
	}
}

// What cannot work ends the program with one sentence and exit status 2.
func TestBadSettings(t *testing.T) {
	for _, c := range []struct{ set, says string }{
		{"SUPABASE_PLAN=gold", `--plan (SUPABASE_PLAN): the plan "gold" is not known: use free (60), pro (200), team (400), enterprise (1000), nano (60), micro (60), small (90), medium (120), large (160), xl (240), 2xl (380), 4xl (480), 8xl (490), 12xl (500), 16xl (500), or set --max-connections (SUPABASE_MAX_CONNECTIONS) alone`},
		{"SUPABASE_MAX_CONNECTIONS=0", `--max-connections (SUPABASE_MAX_CONNECTIONS): a limit of 0 connections is out of range: set 1 to 262143`},
		{"SUPABASE_MAX_CONNECTIONS=-5", `--max-connections (SUPABASE_MAX_CONNECTIONS): a limit of -5 connections is out of range: set 1 to 262143`},
		{"SUPABASE_MAX_CONNECTIONS=many", `--max-connections (SUPABASE_MAX_CONNECTIONS): a whole number is needed, not "many"; try: arbiter --help`},
		{"SUPABASE_MAX_CONNECTIONS=1", `--max-connections (SUPABASE_MAX_CONNECTIONS): a limit of 1 leaves no connection to share out beside the reserve of 10 %: raise the limit, or lower --reserve-percent (CONNCORD_RESERVE_PERCENT)`},
		{"SUPABASE_MAX_CONNECTIONS=13", `--max-connections (SUPABASE_MAX_CONNECTIONS): the services' minimums add up to 12 but only 11 of 13 connections are available (2 reserved): lower the minimums or raise the limit`},
		{"CONNCORD_RESERVE_PERCENT=100", `--reserve-percent (CONNCORD_RESERVE_PERCENT): 100 % is out of range: set 0 to 99`},
		{"CONNCORD_RESERVE_PERCENT=-1", `--reserve-percent (CONNCORD_RESERVE_PERCENT): -1 % is out of range: set 0 to 99`},
		{"CONNECTION_RESERVE_TTL=5 minutes", `--ttl (CONNECTION_RESERVE_TTL): "5 minutes" is not a duration: write whole seconds, such as 300, or a number with a unit, such as 30s or 5m; try: arbiter --help`},
		{"CONNECTION_RESERVE_TTL=0", `--ttl (CONNECTION_RESERVE_TTL): a lease of 0s is out of range: set 1s to 24h0m0s`},
		{"CONNECTION_RESERVE_TTL=-300", `--ttl (CONNECTION_RESERVE_TTL): a lease of -5m0s is out of range: set 1s to 24h0m0s`},
		{"CONNECTION_RESERVE_TTL=90000", `--ttl (CONNECTION_RESERVE_TTL): a lease of 25h0m0s is out of range: set 1s to 24h0m0s`},
		{"CONNCORD_DRIFT_MARGIN=100", `--ttl (CONNECTION_RESERVE_TTL): a lease of 5m0s is too short for a drift margin of 1m40s: set at least 6m40s, or lower --drift-margin (CONNCORD_DRIFT_MARGIN)`},
		{"CONNCORD_DRIFT_MARGIN=-1s", `--drift-margin (CONNCORD_DRIFT_MARGIN): a margin below 0 would have containers keep their leases too long: set 0s or more`},
		{"CONNCORD_BUDGET=a b", `--budget (CONNCORD_BUDGET): invalid name: the budget name "a b" may hold only letters, digits, '.', '-' and '_'`},
		{"CONNCORD_ARBITER_ID=a{b}", `--id (CONNCORD_ARBITER_ID): invalid name: the container id "a{b}" may hold only letters, digits, '.', '-' and '_'`},
		{"CONNCORD_LEADER_LEASE=10ms", `--leader-lease (CONNCORD_LEADER_LEASE): 10ms is out of range: set 100ms to 1m0s`},
		{"CONNCORD_RETENTION=30s", `--retention (CONNCORD_RETENTION): 30s is out of range: set 0 (for ever), or 1m0s and more`},
		{"CONNCORD_LOG_LEVEL=loud", `--log-level (CONNCORD_LOG_LEVEL) must be one of "debug","info","warn","error" but got "loud"; try: arbiter --help`},
		{"REDIS_URL=http://user:hunter2@redis:6379", `--redis-url (REDIS_URL): the Redis URL is not usable: it does not begin with redis://, rediss:// or unix://: write redis://[user:password@]host:port[/db], rediss://… or unix:///path`},
		{"REDIS_URL=redis://user:hun/ter2@redis:6379", `--redis-url (REDIS_URL): the Redis URL is not usable: it cannot be read, perhaps because a special character in the password is not written as % and two digits: write redis://[user:password@]host:port[/db], rediss://… or unix:///path`},
		{"CONNCORD_POLICY=/does/not/exist.yaml", `--policy (CONNCORD_POLICY): cannot read the policy file: open /does/not/exist.yaml: no such file or directory`},
		{"CONNCORD_POLICY=/", `--policy (CONNCORD_POLICY): cannot read the policy file: read /: is a directory`},
	} {
		t.Run(c.set, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			status := Run(t.Context(), nil, environ(c.set), &stdout, &stderr)
			if want := "arbiter: " + c.says + "\n"; stderr.String() != want {
				t.Errorf("standard error (-want +got):\n%s", cmp.Diff(want, stderr.String()))
			}
			if status != ExitUsage || stdout.Len() > 0 {
				t.Errorf("exit status %d, standard output %q", status, &stdout)
			}
		})
	}
	for arg, says := range map[string]string{
		"--nope":                  "arbiter: unknown flag --nope; try: arbiter --help\n",
		"stray":                   "arbiter: unexpected argument stray; try: arbiter --help\n",
		"--embedded-addr=nowhere": "",
	} {
		var stderr bytes.Buffer
		args := []string{arg}
		if says == "" { // it counts only with --embedded
			args = append(args, "--embedded")
			says = "arbiter: --embedded-addr (CONNCORD_EMBEDDED_ADDR): \"nowhere\" is not an address: write host:port, such as 127.0.0.1:6379\n"
		}
		if status := Run(t.Context(), args, environ(), &bytes.Buffer{}, &stderr); status != ExitUsage || stderr.String() != says {
			t.Errorf("%s: exit status %d, %q", arg, status, &stderr)
		}
	}
}
