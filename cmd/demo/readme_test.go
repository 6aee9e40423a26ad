package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/conncord/conncord/cmd/arbiter/daemon"
	"github.com/conncord/conncord/events/servertest"
)

// What README.md tells people is tried out here.

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheProgramInTheREADMEWorks(t *testing.T) {
	found := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(readme(t))
	if found == nil {
		t.Fatal("there is no program in README.md")
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
	if err := os.WriteFile(source, []byte(found[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	pg := servertest.NeedPostgres(t)
	ctx, stop := context.WithCancel(t.Context())
	said, say := io.Pipe()
	var log bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		none := func(string) (string, bool) { return "", false }
		ended <- daemon.Run(ctx, []string{"--embedded", "--embedded-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0"}, none, say, &log)
		_ = say.Close()
	}()
	var address [200]byte
	n, err := said.Read(address[:])
	if err != nil {
		t.Fatalf("the arbiter ended with %d: %s", <-ended, log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()

	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "SERVICE_NAME=viewer", "DATABASE_URL="+pg.URL(), strings.TrimSpace(string(address[:n])))
	out, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile(`(?m)^conncord:default:viewer:[0-9a-f]{12}$`).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
	stop()
	if status := <-ended; status != daemon.ExitOK {
		t.Errorf("the arbiter ended with %d: %s", status, log.String())
	}
}

func TestTheVariablesInTheREADMEExist(t *testing.T) {
	var help bytes.Buffer
	daemon.Run(t.Context(), []string{"--help"}, os.LookupEnv, &help, &help)
	config, err := os.ReadFile("../../client/config.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| (client|arbiter|both) \\|").FindAllStringSubmatch(readme(t), -1)
	if len(rows) < 8 {
		t.Fatalf("only %d variables", len(rows))
	}
	for _, row := range rows {
		name, by := row[1], row[2]
		if by != "client" && !strings.Contains(help.String(), "$"+name) {
			t.Errorf("the arbiter does not know %s", name)
		}
		if by != "arbiter" && !strings.Contains(string(config), `os.Getenv("`+name+`")`) {
			t.Errorf("the client does not know %s", name)
		}
	}
}
