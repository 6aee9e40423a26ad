package main

import (
	"bufio"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The exit statuses of the program as people run it.
func TestExitStatus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "arbiter")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	status := func(err error) int {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			t.Fatal(err)
		}
		return 0
	}
	for _, c := range []struct {
		args  string
		want  int
		lines int // on both outputs
	}{
		{"--version", 0, 1},
		{"--plan=gold", 2, 1},
		{"--no-such-flag", 2, 1},
	} {
		out, err := exec.Command(path, strings.Fields(c.args)...).CombinedOutput()
		if got := status(err); got != c.want || strings.Count(string(out), "\n") != c.lines {
			t.Errorf("%s: exit status %d, want %d\n%s", c.args, got, c.want, out)
		}
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		cmd := exec.Command(path, "--embedded", "--embedded-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0")
		stderr, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stuck := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		var last string
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if last = lines.Text(); strings.Contains(last, "msg=leading") {
				_ = cmd.Process.Signal(sig)
			}
		}
		if got := status(cmd.Wait()); got != 0 || !strings.Contains(last, "msg=ended") {
			t.Errorf("%v: exit status %d, last words: %s", sig, got, last)
		}
		stuck.Stop()
	}
}
