// Package programtest runs a program as people do, for its own tests. The test
// binary is the program, so that with -race all of its processes run under the
// race detector.
package programtest

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	// isProgram tells the test binary to be the program.
	isProgram = "CONNCORD_TEST_IS_PROGRAM"
	// mark is inherited by all that a run starts.
	mark = "CONNCORD_TEST_MARK"
)

// Main has the test binary be the program where it was started by [Start]. A
// TestMain calls it first, with the program's main, which is to exit.
func Main(main func()) {
	if os.Getenv(isProgram) != "" {
		main()
	}
}

// A Run is the program that was started. Its methods are not safe for concurrent
// use.
type Run struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  chan string // of its output; closed at the end
	seen   []string
	stderr strings.Builder
	mark   string
	dir    string // for its files
}

// Start starts the program with these arguments and these variables, and next to
// nothing else, in its environment. Its end is that of the test at the latest.
func Start(t *testing.T, args, env []string) *Run {
	t.Helper()
	var id [8]byte
	_, _ = rand.Read(id[:])
	r := &Run{t: t, lines: make(chan string, 1000), mark: mark + "=" + hex.EncodeToString(id[:])}
	// A short path that the database's user can reach, unlike t.TempDir's.
	var err error
	if r.dir, err = os.MkdirTemp("/tmp", "conncord-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(r.dir) })
	if err := os.Chmod(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(os.Args[0], args...)
	r.cmd.Env = append([]string{isProgram + "=1", r.mark, "TMPDIR=" + r.dir, "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
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

// Until waits for a line of the output that contains the text.
func (r *Run) Until(text string) {
	r.t.Helper()
	for line := range r.lines {
		if r.seen = append(r.seen, line); strings.Contains(line, text) {
			return
		}
	}
	r.t.Fatalf("no line with %q in:\n%s\n%s", text, strings.Join(r.seen, "\n"), r.stderr.String())
}

// Signal sends the program a signal.
func (r *Run) Signal(sig os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(sig); err != nil {
		r.t.Fatal(err)
	}
}

// End waits for the program's end, checks that nothing is left of it, and returns
// the last line of its output and the exit status.
func (r *Run) End() (last string, status int) {
	r.t.Helper()
	r.wait()
	if left := r.Processes(); len(left) > 0 {
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
	if len(r.seen) > 0 {
		last = r.seen[len(r.seen)-1]
	}
	return last, r.cmd.ProcessState.ExitCode()
}

func (r *Run) wait() {
	for line := range r.lines {
		r.seen = append(r.seen, line)
	}
	_ = r.cmd.Wait()
}

// Output returns the lines of the output that were waited for, which are all
// after [Run.End].
func (r *Run) Output() []string { return r.seen }

// Stderr returns what the program wrote to its standard error. It is to be called
// after [Run.End].
func (r *Run) Stderr() string { return r.stderr.String() }

// KillAndWait kills the program with kill -9 and waits until nothing of what it
// has started runs any more.
func (r *Run) KillAndWait(patience time.Duration) {
	r.t.Helper()
	if err := r.cmd.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	r.wait()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for len(r.Processes()) > 0 {
		select {
		case <-look.C:
		case <-deadline.C:
			r.t.Fatalf("processes are left: %v", r.Processes())
		}
	}
}
