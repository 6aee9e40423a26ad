package trial

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) {
	world.Main()
	servertest.Main(leakcheck.Wrap(m))
}

// A rogue connects past Conncord, as a container that ran before and as no fault
// does.
var rogue = &kind{name: "rogue", to: toDatabase, plan: func(s *stage) *fault {
	return &fault{
		about: "three connections that nobody granted", hold: time.Hour,
		begin: func(ctx context.Context) error {
			cfg, err := pgx.ParseConfig(s.world.Postgres.URL())
			if err != nil {
				return err
			}
			for range s.spare() + 1 { // so that there are more than can be, and one is refused
				cfg.User = world.RolePrefix + "1999"
				if _, err := pgx.ConnectConfig(ctx, cfg); err != nil {
					return nil // that one
				}
			}
			return nil
		},
	}
}}

func TestConnectionsThatNobodyGrantedAreFound(t *testing.T) {
	var out, log bytes.Buffer
	opts := options{duration: 30 * time.Second, seed: 1, ttl: 5 * time.Second, kinds: []*kind{rogue}}
	status := judged(t.Context(), opts, &out, &log)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := lines[len(lines)-1]
	if status != ExitFailed || !strings.HasPrefix(last, "chaos: FAILED ") || strings.Contains(last, "over_limit=0 ") {
		t.Errorf("status %d, last line %q", status, last)
	}
	for _, want := range []string{"seed 1. Violations:", "connections where 54 may be", "#1 rogue three connections", "msg=leading"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in:\n%s", want, log.String())
		}
	}
}

func TestVerdict(t *testing.T) {
	good := result{faults: 3, kinds: 2, took: 90 * time.Second, maximum: 4567 * time.Millisecond}
	for want, spoil := range map[string]func(*result){
		"chaos: ok faults=3 kinds=2 minutes=1.5 refused=0 over_limit=0 max_recovery_ms=4567": func(*result) {},
		"chaos: FAILED it broke: faults=3 kinds=2 minutes=1.5 refused=0 over_limit=0 max_recovery_ms=4567": func(r *result) {
			r.violations = []violation{{time.Now(), errors.New("it\n broke")}, {time.Now(), errors.New("again")}}
		},
		"chaos: FAILED it broke: faults=3 kinds=2 minutes=1.5 refused=2 over_limit=1 max_recovery_ms=4567": func(r *result) {
			r.violations = []violation{{time.Now(), errors.New("it broke")}}
			r.clients.Refused, r.limits.OverLimit = 2, 1
		},
		"chaos: ok faults=3 kinds=2 minutes=1.5 refused=0 over_limit=0 max_recovery_ms=4567 max_regrant_ms=2300 median_regrant_ms=2000": func(r *result) {
			r.regrants = []time.Duration{1900 * time.Millisecond, 2 * time.Second, 2300 * time.Millisecond}
		},
		"chaos: FAILED nothing went wrong, so nothing was tried: faults=0 kinds=2": func(r *result) { r.faults = 0 },
	} {
		r := good
		spoil(&r)
		line, status := r.lastLine()
		if !strings.HasPrefix(line, want) || strings.HasPrefix(line, "chaos: ok") != (status == ExitOK) {
			t.Errorf("%d with %q, want %q", status, line, want)
		}
	}
}

func TestRows(t *testing.T) {
	got := rows([]round{
		{faults: []string{"a", "b"}, recovery: 2 * time.Second},
		{faults: []string{"a"}, recovery: time.Second},
		{faults: []string{"b"}, recovery: 5 * time.Second, barrier: true},
		{faults: []string{"c"}, recovery: 3 * time.Second},
	})
	want := []row{{"c", 1, 3 * time.Second, 0}, {"a", 2, 2 * time.Second, 0}, {"b", 2, 2 * time.Second, 5 * time.Second}}
	if len(got) != len(want) {
		t.Fatalf("%d rows", len(got))
	}
	for i := range want {
		if *got[i] != want[i] {
			t.Errorf("%+v, want %+v", *got[i], want[i])
		}
	}
}
