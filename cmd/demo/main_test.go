package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// These tests run the demo as people do. The test binary is the demo, so that
// with -race all of its processes run under the race detector.

const (
	// isDemo tells the test binary to be the demo.
	isDemo = "CONNCORD_TEST_IS_DEMO"
	// mark is inherited by all that a demo starts.
	mark = "CONNCORD_TEST_MARK"
)

func TestMain(m *testing.M) {
	if os.Getenv(isDemo) != "" {
		main()
	}
	servertest.Main(m)
}

// A run is a demo that was started.
type run struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan string // of its output; closed at the end
	seen   []string
	stderr strings.Builder
	mark   string
	dir    string // where its servers put their directories
}

func startDemo(t *testing.T, env ...string) *run {
	t.Helper()
	var id [8]byte
	_, _ = rand.Read(id[:])
	r := &run{t: t, lines: make(chan string, 1000), mark: hex.EncodeToString(id[:])}
	// A short path that the database's user can reach, unlike t.TempDir's.
	var err error
	if r.dir, err = os.MkdirTemp("/tmp", "demo-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(r.dir) })
	if err := os.Chmod(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(os.Args[0])
	r.cmd.Env = []string{isDemo + "=1", mark + "=" + r.mark, "TMPDIR=" + r.dir, "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	r.cmd.Env = append(r.cmd.Env, env...)
	r.cmd.Stderr = &r.stderr
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	go func() {
		defer close(r.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			r.lines <- s.Text()
		}
	}()
	return r
}

// until waits for a line that contains the text.
func (r *run) until(text string) {
	r.t.Helper()
	for line := range r.lines {
		if r.seen = append(r.seen, line); strings.Contains(line, text) {
			return
		}
	}
	r.t.Fatalf("no line with %q in:\n%s\n%s", text, strings.Join(r.seen, "\n"), r.stderr.String())
}

// end waits for the demo's end, checks that nothing is left of it, and returns
// the last line and the exit status.
func (r *run) end() (string, int) {
	r.t.Helper()
	for line := range r.lines {
		r.seen = append(r.seen, line)
	}
	_ = r.cmd.Wait()
	verdicts := 0
	for _, line := range r.seen {
		if strings.HasPrefix(line, "demo: ") {
			verdicts++
		}
	}
	if verdicts != 1 {
		r.t.Errorf("%d verdicts", verdicts)
	}
	if left := r.processes(); len(left) > 0 {
		r.t.Errorf("processes are left: %v", left)
	}
	if left, _ := filepath.Glob(r.dir + "/*"); len(left) > 0 {
		r.t.Errorf("files are left: %v", left)
	}
	r.t.Cleanup(func() {
		if r.t.Failed() {
			r.t.Logf("output:\n%s\n%s", strings.Join(r.seen, "\n"), r.stderr.String())
		}
	})
	if len(r.seen) == 0 {
		return "", r.cmd.ProcessState.ExitCode()
	}
	return r.seen[len(r.seen)-1], r.cmd.ProcessState.ExitCode()
}

// processes finds all that the demo has started and that still runs.
func (r *run) processes() (left []string) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environs {
		if environ, err := os.ReadFile(file); err == nil && strings.Contains(string(environ), mark+"="+r.mark) {
			command, _ := os.ReadFile(filepath.Dir(file) + "/cmdline")
			left = append(left, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return left
}

func TestEndsWellOnItsOwn(t *testing.T) {
	last, status := startDemo(t, "DURATION=5s").end()
	ok := regexp.MustCompile(`^demo: ok limit=60 available=54 peak_granted=(\d+) peak_backends=(\d+) refused=0 sessions=\d+$`)
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
	last, status := startDemo(t, "DURATION=4s", "DATABASE_URL="+pg.URL(), "REDIS_URL="+redis.URL()).end()
	// Three are for superusers and one is for the poller, which is more than 10 %.
	if status != 0 || !strings.HasPrefix(last, "demo: ok limit=30 available=26 ") {
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

func TestFailsWhenConnectionsAreRefused(t *testing.T) {
	pg := servertest.NeedPostgres(t, servertest.PostgresOptions{MaxConnections: 20})
	// A limit that is not true is what Conncord cannot help against.
	last, status := startDemo(t, "DURATION=3s", "DATABASE_URL="+pg.URL(), "SUPABASE_MAX_CONNECTIONS=60").end()
	failed := regexp.MustCompile(`^demo: FAILED the database refused connections: \d+.*: limit=60 available=54 peak_granted=\d+ peak_backends=\d+ refused=[1-9]\d* sessions=\d+$`)
	if status != 1 || !failed.MatchString(last) {
		t.Errorf("status %d, last line %q", status, last)
	}
}

func TestFailsWithoutADatabase(t *testing.T) {
	last, status := startDemo(t, "DATABASE_URL=postgres://nobody@127.0.0.1:1/none").end()
	if status != 1 || !strings.HasPrefix(last, "demo: FAILED connect to DATABASE_URL: ") {
		t.Errorf("status %d, last line %q", status, last)
	}
}

func TestRefusesSettingsThatCannotWork(t *testing.T) {
	r := startDemo(t, "DURATION=soon")
	for range r.lines {
		t.Error("it says something on stdout")
	}
	_ = r.cmd.Wait()
	if status := r.cmd.ProcessState.ExitCode(); status != 2 || !strings.HasPrefix(r.stderr.String(), `DURATION is "soon": set `) {
		t.Errorf("status %d, stderr %q", status, r.stderr.String())
	}
}

func TestCtrlCEndsItCleanly(t *testing.T) {
	r := startDemo(t, "DURATION=60s")
	r.until("sessions/s")
	begun := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	last, status := r.end()
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
	r.until("sessions/s")
	if len(r.processes()) < 7 { // the demo, five services and the database
		t.Errorf("only %v", r.processes())
	}
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range r.lines {
	}
	_ = r.cmd.Wait()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for len(r.processes()) > 0 {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("processes are left: %v", r.processes())
		}
	}
}
