package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

var update = flag.Bool("update", false, "write the bad histories and the golden files")

func TestMain(m *testing.M) { servertest.Main(leakcheck.Wrap(m)) }

// run runs the program without a terminal. The environment is empty.
func run(t *testing.T, args ...string) (exit int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = Run(t.Context(), args, programtest.Environ(), strings.NewReader(""), &out, &errs)
	return exit, out.String(), errs.String()
}

// must runs the program, which must succeed, and returns what it prints.
func must(t *testing.T, args ...string) string {
	t.Helper()
	exit, stdout, stderr := run(t, args...)
	if exit != ExitOK {
		t.Fatalf("replay %s: exit status %d\n%s%s", strings.Join(args, " "), exit, stdout, stderr)
	}
	return stdout
}

// value runs the program with --json and decodes what it prints.
func value[T any](t *testing.T, args ...string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(must(t, append(args, "--json")...)), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// recorded returns the histories that real runs left.
func recorded(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/recorded/*.history")
	if err != nil || len(paths) < 3 {
		t.Fatalf("recorded histories: %v, %v", paths, err)
	}
	return paths
}

// records returns the records of a file, and what the file says about itself.
func records(t *testing.T, path string) ([][]byte, history.Header) {
	t.Helper()
	f, err := history.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]byte
	for {
		some, err := f.Read(t.Context())
		if errors.Is(err, io.EOF) {
			return all, f.Header()
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
}

// write makes a file of records.
func write(t *testing.T, path string, h history.Header, records [][]byte) {
	t.Helper()
	w, err := history.Create(path, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(records), w.Close(), os.Chmod(path, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// beside runs the program until stop is called, which returns its exit status.
func beside(t *testing.T, args ...string) (stdout, stderr *programtest.Transcript, stop func() int) {
	t.Helper()
	stdout, stderr = &programtest.Transcript{}, &programtest.Transcript{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- Run(ctx, args, programtest.Environ(), strings.NewReader(""), stdout, stderr) }()
	var once sync.Once
	exit := 0
	stop = func() int {
		once.Do(func() { cancel(); exit = <-ended })
		return exit
	}
	t.Cleanup(func() { stop() })
	return stdout, stderr, stop
}

func decodeJSON(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
