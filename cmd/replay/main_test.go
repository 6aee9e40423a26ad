package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestProgram: the exit statuses of the program as people run it, on a terminal as
// well.
func TestProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "replay")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		args string
		want int
		says string
	}{
		{"--version", 0, "replay "},
		{"verify --from=replay/testdata/recorded/demo.history", 0, "follow from each other"},
		{"verify --from=replay/testdata/none.history", 1, "no such file"},
		{"verify --from", 2, "try: replay --help"},
		{"verify --from=replay/testdata/bad/forged-decision.history", 3, "expected (-) and published (+)"},
	} {
		out, err := exec.Command(path, strings.Fields(c.args)...).CombinedOutput()
		var exit *exec.ExitError
		got := 0
		if errors.As(err, &exit) {
			got = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if got != c.want || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: exit status %d, want %d and %q\n%s", c.args, got, c.want, c.says, out)
		}
	}
	for _, c := range []struct {
		env   string
		color bool
	}{{"NO_COLOR=", true}, {"NO_COLOR=1", false}} {
		cmd := exec.Command(path, "status", "--from=replay/testdata/recorded/demo.history")
		cmd.Env = append(cmd.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", c.env)
		terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 100})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		buf := make([]byte, 4096)
		for { // a terminal whose program has ended reads as an error
			n, err := terminal.Read(buf)
			out.Write(buf[:n])
			if err != nil {
				break
			}
		}
		terminal.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", c.env, err)
		}
		if got := strings.Contains(out.String(), "\x1b["); got != c.color || !strings.Contains(out.String(), "GLOBAL USAGE") {
			t.Errorf("%s: colours %v, want %v\n%q", c.env, got, c.color, out.String())
		}
	}
}
