package daemon

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the recorded help; read the difference before committing it")

func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	var stdout, stderr bytes.Buffer
	if status := Run(t.Context(), []string{"--help"}, environ("SUPABASE_PLAN=gold"), &stdout, &stderr); status != ExitOK || stderr.Len() > 0 {
		t.Errorf("exit status %d, %s", status, &stderr)
	}
	const golden = "testdata/help.txt"
	if *update {
		if err := os.WriteFile(golden, stdout.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), stdout.String()); diff != "" {
		t.Errorf("help (-want +got); to accept it run with -update:\n%s", diff)
	}
}

func TestVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := Run(t.Context(), []string{"--version"}, environ(), &stdout, &stderr)
	if status != ExitOK || stderr.Len() > 0 || !regexp.MustCompile(`^arbiter \S+\n$`).Match(stdout.Bytes()) {
		t.Errorf("exit status %d, %q, %s", status, &stdout, &stderr)
	}
}
