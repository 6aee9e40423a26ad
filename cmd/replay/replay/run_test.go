package replay

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/conncord/conncord/arbiter/history"
	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/events"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	const demo = "--from=testdata/recorded/demo.history"
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		exit int
		says string // on stderr
	}{
		{"", ExitUsage, "try: replay --help"},
		{"veriify", ExitUsage, "unexpected argument veriify"},
		{"verify --budget=a/b", ExitUsage, "--budget (CONNCORD_BUDGET): "},
		{"verify --from=/none", ExitFailure, "--from: stat /none: no such file or directory"},
		{"verify --from=" + empty, ExitFailure, "no history of Conncord"},
		{"verify --from=testdata", ExitFailure, "no history of Conncord"},
		{"verify --redis-url=localhost", ExitFailure, "redis"},
		{"verify --redis-url=redis://127.0.0.1:1", ExitFailure, "connection refused"},
		{"status --at=soon " + demo, ExitUsage, `--at: "soon" is not a moment`},
		{"status --at=1000000 " + demo, ExitFailure, "it goes from record 1 to record 125"},
		{"status --containers=0 " + demo, ExitUsage, "--containers: at least 1 is needed"},
		{"timeline --svg --csv " + demo, ExitUsage, "can't be used together"},
		{"timeline --since=x " + demo, ExitUsage, `--since: "x" is not a moment`},
		{"explain " + demo, ExitUsage, `expected "<what>"`},
		{"explain nobody " + demo, ExitFailure, "no such container"},
		{"explain 99999 " + demo, ExitFailure, "it goes from record 1 to record 125"},
		{"diff 10 never " + demo, ExitUsage, `B: "never" is not a moment`},
		{"whatif " + demo, ExitUsage, "nothing is different"},
		{"whatif --plan=gold " + demo, ExitUsage, `the plan "gold" is not known`},
		{"whatif --limit=-1 " + demo, ExitUsage, "--limit: -1 is out of range"},
		{"whatif --limit=3 " + demo, ExitFailure, "under the other rules the policy is wrong"},
		{"whatif --policy=/none " + demo, ExitUsage, "--policy: cannot read the policy file"},
		{"tail --kind=register,shout " + demo, ExitUsage, `--kind: "shout" is no kind of intent: use register, `},
		{"tail --last=-1 " + demo, ExitUsage, "--last: -1 is out of range"},
		{"export " + demo, ExitUsage, `expected "<file>"`},
		{"export /none/x " + demo, ExitFailure, "/none"},
		{"import /none " + empty, ExitFailure, "/none: no such file"},
		{"archive x " + demo, ExitUsage, "leave --from away"},
		{"archive x --retention=5", ExitUsage, "--retention (CONNCORD_RETENTION): 5s is out of range"},
		{"archive x --once --forget", ExitUsage, "can't be used together"},
		{"completion tcsh", ExitUsage, "tcsh"},
	} {
		exit, stdout, stderr := run(t, strings.Fields(c.args)...)
		if exit != c.exit || !strings.Contains(stderr, c.says) || stdout != "" {
			t.Errorf("replay %s: exit status %d, want %d and %q\n%s%s", c.args, exit, c.exit, c.says, stdout, stderr)
		}
		if strings.Count(stderr, "\n") != 1 {
			t.Errorf("replay %s does not say it in one line:\n%s", c.args, stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"--help", "whatif --help", "--version", "completion fish"} {
		if exit, stdout, stderr := run(t, strings.Fields(args)...); exit != ExitOK || stdout == "" || stderr != "" {
			t.Errorf("%s: exit status %d\n%s%s", args, exit, stdout, stderr)
		}
	}
}

// TestInterrupted: ending it in the middle of its work is an error of one line.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	exit := Run(ctx, []string{"verify", "--from=testdata/recorded/demo.history"}, programtest.Environ(), strings.NewReader(""), &stdout, &stderr)
	if exit != ExitFailure || stderr.String() != "replay: ended before it was done\n" {
		t.Errorf("exit status %d\n%s%s", exit, &stdout, &stderr)
	}
}

// A slow source has a number of records and takes a second for each.
type slow struct{ left, of int }

func (s *slow) Snapshot() *events.Snapshot { return nil }

func (s *slow) Read(context.Context) ([][]byte, error) {
	if s.left == 0 {
		return nil, io.EOF
	}
	time.Sleep(time.Second)
	s.left--
	return [][]byte{nil}, nil
}

func (s *slow) Close() error { return nil }

// A sized source knows how far it was read.
type sized struct{ slow }

func (s *sized) Progress() (read, size int64) { return int64(s.of - s.left), int64(s.of) }

func TestProgress(t *testing.T) {
	for name, c := range map[string]struct {
		src  history.Source
		want string
	}{
		"how much is not known": {&slow{4, 4}, "3/-"},
		"how much is known":     {&sized{slow{4, 4}}, "75%"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				p := newProgress(&out, &place{Source: c.src})
				for range 3 {
					if _, err := p.Read(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if !strings.Contains(out.String(), c.want) {
					t.Errorf("there is no %q in %q", c.want, out.String())
				}
				out.Reset()
				if err := p.Close(); err != nil || strings.Contains(out.String(), "reading") {
					t.Errorf("after the end: %v, %q", err, out.String())
				}
			})
		})
	}
}
