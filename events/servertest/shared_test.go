package servertest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestSharedRedisIsEmptiedAndRevived(t *testing.T) {
	r := SharedRedis(t)
	redisDo(t, r, "SET", "k", "v")
	must(t, r.Pause())
	if again := SharedRedis(t); again != r {
		t.Error("a second server was started")
	}
	if got := redisDo(t, r, "EXISTS", "k"); got != "0" {
		t.Error("the shared server kept data")
	}
	r.Kill()
	redisDo(t, SharedRedis(t), "PING")
}

func TestSharedPostgresIsEmptied(t *testing.T) {
	pgDo(t, SharedPostgres(t).URL(), "CREATE TABLE x (v text)")
	pgDo(t, SharedPostgres(t).URL(), "CREATE TABLE x (v text)")
}

// recorder is a TB that records how the test under test failed.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failure runs what is expected to end in Fatalf and returns its message.
func failure(t *testing.T, run func(TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		run(r)
	}()
	<-done
	return r.failure
}

func TestMissingProgramsFailTheTest(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	places := postgresPlaces
	postgresPlaces = nil
	defer func() { postgresPlaces = places }()

	for binary, need := range map[string]func(TB){
		"redis-server": func(tb TB) { NeedRedis(tb) },
		"initdb":       func(tb TB) { NeedPostgres(tb) },
	} {
		got := failure(t, need)
		if !strings.Contains(got, binary+" is not installed: ") {
			t.Errorf("without %s: %q", binary, got)
		}
		t.Log(got)
	}
	_, err := StartRedis(t.Context(), RedisOptions{})
	var missing *NotInstalledError
	if !errors.Is(err, ErrNotInstalled) || !errors.As(err, &missing) || missing.Binary != "redis-server" {
		t.Errorf("StartRedis: %#v", err)
	}
}

func TestOneOptionsAtMost(t *testing.T) {
	got := failure(t, func(tb TB) { NeedRedis(tb, RedisOptions{}, RedisOptions{}) })
	if !strings.Contains(got, "2 options") {
		t.Errorf("failure %q", got)
	}
}

func TestLogTailStartsWithAWholeLine(t *testing.T) {
	var log tail
	line := strings.Repeat("x", 99) + "\n"
	for range 2 * logTailBytes / len(line) {
		_, _ = log.Write([]byte(line))
	}
	_, _ = log.Write([]byte("the end\n"))
	got := log.String()
	if len(got) > logTailBytes || !strings.HasPrefix(got, line) || !strings.HasSuffix(got, "\nthe end") {
		t.Errorf("%d bytes, %q...%q", len(got), got[:10], got[len(got)-10:])
	}
}

func TestOrphansAreSwept(t *testing.T) {
	base := t.TempDir()
	old := time.Now().Add(-2 * orphanAge)
	dir := func(name string, aged bool) string {
		path := base + "/" + name
		must(t, os.Mkdir(path, 0o700))
		must(t, os.WriteFile(path+"/file", nil, 0o600))
		if aged {
			must(t, os.Chtimes(path, old, old))
		}
		return path
	}
	orphan := dir(scratchPrefix+"orphan", true)
	young := dir(scratchPrefix+"young", false)
	foreign := dir("foreign", true)
	owned := dir(scratchPrefix+"owned", true)
	lock, err := lockDir(owned)
	must(t, err)
	defer lock.Close()

	sweepOrphans(base)
	wantGone(t, orphan)
	for _, path := range []string{young, foreign, owned} {
		if _, err := os.Stat(path + "/file"); err != nil {
			t.Error("removed:", err)
		}
	}
}
