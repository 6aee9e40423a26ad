package show

import (
	"strings"
	"testing"
	"time"
)

func parse(t *testing.T, env map[string]string) (options, error) {
	t.Helper()
	return readOptions(func(name string) string { return env[name] })
}

func TestOptions(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 30 * time.Second, "60": time.Minute, "60s": time.Minute, "1m30s": 90 * time.Second, "3.5": 3500 * time.Millisecond,
	} {
		if o, err := parse(t, map[string]string{"DURATION": text}); err != nil || o.duration != want {
			t.Errorf("%q: %v, %v", text, o.duration, err)
		}
	}
	for _, text := range []string{"soon", "-5s", "0", "1", "NaN", "Inf", "-Inf", "1e300", "25h"} {
		if _, err := parse(t, map[string]string{"DURATION": text}); err == nil || !strings.Contains(err.Error(), "DURATION") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, env := range []map[string]string{
		{"SUPABASE_MAX_CONNECTIONS": "60"},
		{"SUPABASE_MAX_CONNECTIONS": "many", "DATABASE_URL": "x"},
		{"SUPABASE_MAX_CONNECTIONS": "0", "DATABASE_URL": "x"},
	} {
		if _, err := parse(t, env); err == nil || !strings.Contains(err.Error(), "SUPABASE_MAX_CONNECTIONS") {
			t.Errorf("%v: %v", env, err)
		}
	}
}
