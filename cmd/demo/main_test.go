package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) {
	programtest.Main(main)
	servertest.Main(leakcheck.Wrap(m))
}

// startDemo starts the demo as people do.
func startDemo(t *testing.T, env ...string) *programtest.Run { return programtest.Start(t, nil, env) }

// end waits for the end of a demo, which has to have one verdict, and returns the
// last line and the exit status.
func end(t *testing.T, r *programtest.Run) (string, int) {
	t.Helper()
	last, status := r.End()
	verdicts := 0
	for _, line := range r.Output() {
		if strings.HasPrefix(line, "demo: ") {
			verdicts++
		}
	}
	if verdicts != 1 {
		t.Errorf("%d verdicts", verdicts)
	}
	return last, status
}

func TestEndsWellOnItsOwn(t *testing.T) {
	last, status := end(t, startDemo(t, "DURATION=5s"))
	ok := regexp.MustCompile(`^demo: ok limit=60 available=54 peak_granted=(\d+) peak_backends=(\d+) refused=0 sessions=\d+( regrant_ms=\d+)?$`)
	found := ok.FindStringSubmatch(last)
	if status != 0 || found == nil {
		t.Fatalf("status %d, last line %q", status, last)
	}
	for i, name := range []string{"peak_granted", "peak_backends"} {
		var n int
		if _, err := fmt.Sscan(found[i+1], &n); err != nil || n < 45 || n > 54 {
			t.Errorf("%s is %d: want nearly all of 54, and not one more", name, n)
		}
	}
}

func TestUsesServersOfYours(t *testing.T) {
	pg := servertest.NeedPostgres(t, servertest.PostgresOptions{MaxConnections: 30})
	redis := servertest.NeedRedis(t)
	last, status := end(t, startDemo(t, "DURATION=4s", "DATABASE_URL="+pg.URL(), "REDIS_URL="+redis.URL()))
	// Three are for superusers, and the arbiter, a stranger and the poller have one each.
	if status != 0 || !strings.HasPrefix(last, "demo: ok limit=30 available=24 ") {
		t.Errorf("status %d, last line %q", status, last)
	}
	rdb, err := events.OpenRedis(redis.URL(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	if keys := rdb.Keys(context.Background(), "*").Val(); len(keys) > 0 {
		t.Errorf("keys are left: %q", keys)
	}
}

func TestALimitThatIsNotTrueIsNotBelieved(t *testing.T) {
	pg := servertest.NeedPostgres(t, servertest.PostgresOptions{MaxConnections: 20})
	r := startDemo(t, "DURATION=3s", "DATABASE_URL="+pg.URL(), "SUPABASE_MAX_CONNECTIONS=60")
	last, status := end(t, r)
	// Of 20, three are for superusers, and the arbiter, a stranger and the poller have one each.
	if status != 0 || !strings.HasPrefix(last, "demo: ok limit=60 available=14 ") || !strings.Contains(last, " refused=0 ") {
		t.Errorf("status %d, last line %q", status, last)
	}
	if !strings.Contains(strings.Join(r.Output(), "\n"), "the database allows 20: no more than that is granted") {
		t.Error("nothing is said about it")
	}
}

func TestFailsWithoutADatabase(t *testing.T) {
	last, status := end(t, startDemo(t, "DATABASE_URL=postgres://nobody@127.0.0.1:1/none"))
	if status != 1 || !strings.HasPrefix(last, "demo: FAILED connect to DATABASE_URL: ") {
		t.Errorf("status %d, last line %q", status, last)
	}
}

func TestRefusesSettingsThatCannotWork(t *testing.T) {
	r := startDemo(t, "DURATION=soon")
	last, status := r.End()
	if status != 2 || last != "" || !strings.HasPrefix(r.Stderr(), `DURATION is "soon": set `) {
		t.Errorf("status %d, last line %q, stderr %q", status, last, r.Stderr())
	}
}

func TestCtrlCEndsItCleanly(t *testing.T) {
	r := startDemo(t, "DURATION=60s")
	r.Until("sessions/s")
	begun := time.Now()
	r.Signal(syscall.SIGINT)
	last, status := end(t, r)
	if status != 130 || !strings.HasPrefix(last, "demo: interrupted (interrupt) limit=60 ") {
		t.Errorf("status %d, last line %q", status, last)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAKilledDemoLeavesNothingRunning(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked for in /proc; and only Linux ends the database with the demo")
	}
	r := startDemo(t, "DURATION=60s")
	r.Until("sessions/s")
	if len(r.Processes()) < 7 { // the demo, five services and the database
		t.Errorf("only %v", r.Processes())
	}
	r.KillAndWait(20 * time.Second)
}
