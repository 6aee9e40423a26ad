package ledger

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// -rewrite writes the scenarios of testdata anew with what the ledger does now.
// A rewritten scenario proves nothing: read every changed line like code, and
// ask of each whether it is what a user would want.
var rewrite = flag.Bool("rewrite", false, "write the scenarios anew; then read every changed line like code")

// TestScenarios runs the scenarios of testdata. They are for people: each opens
// with why it exists, and has one idea. Indented lines are what follows from the
// line above them.
func TestScenarios(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(want), "# ") {
				t.Error("it does not open with why it exists")
			}
			got := run(string(want))
			if *rewrite {
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// run returns the scenario with what follows from each line.
func run(text string) string {
	s := &script{l: New(1<<48, 0)}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, " ") {
			continue
		}
		s.out.WriteString(line + "\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			s.line(line)
		}
	}
	return s.out.String()
}
