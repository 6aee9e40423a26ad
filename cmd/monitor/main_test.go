package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "monitor")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func status(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// nowhere is a Redis that is not there.
const nowhere = "REDIS_URL=redis://127.0.0.1:1"

// The program as people run it: its exit statuses, and that signals end it with
// the terminal restored.
func TestProgram(t *testing.T) {
	path := build(t)
	for _, c := range []struct {
		args string
		want int
	}{
		{"--version", 0}, {"--no-such-flag", 2}, {"--once", 1}, {"", 1}, {"--check", 3}, {"--check --no-such-flag", 3},
	} {
		cmd := exec.Command(path, strings.Fields(c.args)...)
		cmd.Env = append(os.Environ(), nowhere)
		out, err := cmd.CombinedOutput()
		if got := status(t, err); got != c.want || bytes.Count(out, []byte("\n")) != 1 {
			t.Errorf("%s: exit status %d, want %d\n%s", c.args, got, c.want, out)
		}
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		cmd := exec.Command(path)
		cmd.Env = append(os.Environ(), nowhere, "TERM=xterm-256color")
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		stuck := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		var screen bytes.Buffer
		var once sync.Once
		for part := make([]byte, 4096); ; {
			n, err := tty.Read(part) // fails at the end of the program
			screen.Write(part[:n])
			if strings.Contains(screen.String(), "Redis unavailable") {
				once.Do(func() { _ = cmd.Process.Signal(sig) })
			}
			if err != nil {
				break
			}
		}
		got := status(t, cmd.Wait())
		stuck.Stop()
		_ = tty.Close()
		if drawn := screen.String(); got != 0 || strings.LastIndex(drawn, "\x1b[?1049l") < strings.LastIndex(drawn, "\x1b[?1049h") {
			t.Errorf("%v: exit status %d, the screen is not restored: %q", sig, got, drawn)
		}
	}
}
