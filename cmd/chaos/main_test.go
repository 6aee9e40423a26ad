package main

import (
	"bufio"
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
)

// These tests run chaos as people do. The test binary is chaos, so that with
// -race all of its processes run under the race detector.

const (
	// isChaos tells the test binary to be chaos.
	isChaos = "CONNCORD_TEST_IS_CHAOS"
	// mark is inherited by all that a run starts.
	mark = "CONNCORD_TEST_MARK"
)

func TestMain(m *testing.M) {
	if os.Getenv(isChaos) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A run is chaos that was started.
type run struct {
	*testing.T
	cmd    *exec.Cmd
	lines  chan string // of its output; closed at the end
	seen   []string
	stderr strings.Builder
	mark   string
	dir    string // for its files
}

func start(t *testing.T, args ...string) *run {
	t.Helper()
	var id [8]byte
	_, _ = rand.Read(id[:])
	r := &run{T: t, lines: make(chan string, 1000), mark: hex.EncodeToString(id[:])}
	// A short path that the database's user can reach, unlike t.TempDir's.
	var err error
	if r.dir, err = os.MkdirTemp("/tmp", "chaos-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(r.dir) })
	if err := os.Chmod(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(os.Args[0], args...)
	r.cmd.Env = []string{isChaos + "=1", mark + "=" + r.mark, "TMPDIR=" + r.dir, "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
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
	r.Helper()
	for line := range r.lines {
		if r.seen = append(r.seen, line); strings.Contains(line, text) {
			return
		}
	}
	r.Fatalf("no line with %q in:\n%s\n%s", text, strings.Join(r.seen, "\n"), r.stderr.String())
}

// end waits for the end, checks that nothing is left, and returns the last line
// and the exit status.
func (r *run) end() (string, int) {
	r.Helper()
	for line := range r.lines {
		r.seen = append(r.seen, line)
	}
	_ = r.cmd.Wait()
	if left := r.processes(); len(left) > 0 {
		r.Errorf("processes are left: %v", left)
	}
	if left, _ := filepath.Glob(r.dir + "/*"); len(left) > 0 {
		r.Errorf("files are left: %v", left)
	}
	r.Cleanup(func() {
		if r.Failed() {
			r.Logf("output:\n%s\n%s", strings.Join(r.seen, "\n"), r.stderr.String())
		}
	})
	if len(r.seen) == 0 {
		return "", r.cmd.ProcessState.ExitCode()
	}
	return r.seen[len(r.seen)-1], r.cmd.ProcessState.ExitCode()
}

// processes finds all that the run has started and that still runs: by the mark
// in their environment, or, since Redis writes over that, by their directory.
func (r *run) processes() (left []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, process := range processes {
		environ, _ := os.ReadFile(process + "/environ")
		where, _ := os.Readlink(process + "/cwd")
		if strings.Contains(string(environ), mark+"="+r.mark) || strings.HasPrefix(where, r.dir) {
			command, _ := os.ReadFile(process + "/cmdline")
			left = append(left, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return left
}

// TestShortRun is a run in which more than half of all kinds of faults happen.
func TestShortRun(t *testing.T) {
	last, status := start(t, "-duration", "40s", "-seed", "1").end()
	ok := regexp.MustCompile(`^chaos: ok faults=(\d+) kinds=(\d+) minutes=\d+\.\d refused=0 over_limit=0 max_recovery_ms=\d+$`)
	found := ok.FindStringSubmatch(last)
	if status != 0 || found == nil {
		t.Fatalf("status %d, last line %q", status, last)
	}
	var faults, kinds int
	if _, err := fmt.Sscan(found[1]+" "+found[2], &faults, &kinds); err != nil || faults < 12 || kinds < 12 {
		t.Errorf("%d faults of %d kinds: the machine is too slow for this to mean much", faults, kinds)
	}
}

func TestCtrlCEndsItCleanly(t *testing.T) {
	r := start(t, "-duration", "10m", "-kinds", "leader-kill,container-pause")
	r.until("#1 ")
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if last, status := r.end(); status != 130 || !strings.HasPrefix(last, "chaos: interrupted faults=") {
		t.Errorf("status %d, last line %q", status, last)
	}
}

func TestAKilledRunLeavesNothingRunning(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked for in /proc; and only Linux ends the servers with chaos")
	}
	r := start(t, "-duration", "10m", "-ttl", "10m", "-kinds", "container-pause")
	r.until("#1 container-pause")        // one of the processes is paused
	if n := len(r.processes()); n < 19 { // chaos, three servers, three arbiters, twelve containers
		t.Errorf("only %d processes: %v", n, r.processes())
	}
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range r.lines {
	}
	_ = r.cmd.Wait()
	deadline := time.NewTimer(30 * time.Second)
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

func TestRefusesSettingsThatCannotWork(t *testing.T) {
	r := start(t, "-kinds", "bad-luck")
	last, status := r.end()
	if status != 2 || last != "" || !strings.HasPrefix(r.stderr.String(), `there is no kind of fault "bad-luck": choose among leader-kill, `) {
		t.Errorf("status %d, last line %q, stderr %q", status, last, r.stderr.String())
	}
}
