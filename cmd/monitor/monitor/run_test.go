package monitor

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/projector/status"
)

var rewrite = flag.Bool("update", false, "rewrite the recorded help; read the difference before committing it")

func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "100")
	var stdout, stderr bytes.Buffer
	if exit := Run(t.Context(), []string{"--help"}, programtest.Environ(), strings.NewReader(""), &stdout, &stderr); exit != ExitOK || stderr.Len() > 0 {
		t.Errorf("exit status %d, %s", exit, &stderr)
	}
	const golden = "testdata/help.txt"
	if *rewrite {
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

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args, env, want string
	}{
		{"--once --json", "", "--once and --json can't be used together; try: monitor --help"},
		{"--interval=1ms", "", "--interval (CONNCORD_INTERVAL): 1ms is not between 100ms and 1h0m0s"},
		{"", "CONNCORD_INTERVAL=soon", `--interval (CONNCORD_INTERVAL): "soon" is not a duration`},
		{"--budget=a{b}", "", "--budget (CONNCORD_BUDGET): "},
		{"--expect=api,no/name", "", "--expect (CONNCORD_EXPECT): "},
		{"--sort=size", "", "--sort (CONNCORD_SORT)"},
		{"--containers=0", "", "--containers (CONNCORD_CONTAINERS): at least 1 is needed"},
		{"", "REDIS_URL=http://localhost", "the Redis URL is not usable"},
		{"--bogus", "", "unknown flag --bogus"},
	} {
		var stdout, stderr bytes.Buffer
		exit := Run(t.Context(), strings.Fields(c.args), programtest.Environ(c.env), strings.NewReader(""), &stdout, &stderr)
		if exit != ExitUsage || !strings.HasPrefix(stderr.String(), "monitor: ") || !strings.Contains(stderr.String(), c.want) ||
			strings.Count(stderr.String(), "\n") != 1 || stdout.Len() > 0 {
			t.Errorf("%s %s: exit status %d, want %q:\n%s%s", c.args, c.env, exit, c.want, &stdout, &stderr)
		}
		stdout.Reset()
		exit = Run(t.Context(), append(strings.Fields(c.args), "--check"), programtest.Environ(c.env), strings.NewReader(""), &stdout, &stderr)
		if exit != status.Unknown.Code() || !strings.HasPrefix(stdout.String(), "CONNCORD UNKNOWN - ") || strings.Count(stdout.String(), "\n") != 1 {
			t.Errorf("%s %s --check: exit status %d: %s", c.args, c.env, exit, &stdout)
		}
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	src := publishing(t, example(time.Now()))
	for _, args := range [][]string{{"--once"}, {}} { // without a terminal it prints once
		exit, stdout, stderr := runFake(t, src, programtest.Environ("TERM=xterm"), args...)
		for _, want := range []string{"Total Allocated:       25/54\n", "Remaining:             29\n", "Utilization:           46.3%\n", "🟢 HEALTHY", "60.0%", "12.0%", "20.0%", "8.0%", "No action needed"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%v: no %q in:\n%s", args, want, stdout)
			}
		}
		if exit != ExitOK || stderr != "" || strings.Contains(stdout, "\x1b") {
			t.Errorf("%v: exit status %d, %s", args, exit, stderr)
		}
	}
	if exit, stdout, _ := runFake(t, src, programtest.Environ(), "--once", "--expect=api,mailer", "--service=api"); exit != ExitOK ||
		!strings.Contains(stdout, "🟡 WARNING mailer is expected and has no container") || strings.Contains(stdout, "SCRAPER:") {
		t.Errorf("exit status %d:\n%s", exit, stdout)
	}
	if _, stdout, _ := runFake(t, src, programtest.Environ("LANG=C"), "--once"); !isASCII(stdout) {
		t.Errorf("not for a terminal without UTF-8:\n%s", stdout)
	}
}

func isASCII(text string) bool {
	for _, r := range text {
		if r > '~' {
			return false
		}
	}
	return true
}

func TestNothingToPrint(t *testing.T) {
	t.Parallel()
	newer := publishing(t, changed(time.Now(), func(s *status.Status) { s.Version = status.Version + 1 }))
	for _, c := range []struct {
		src  *fake
		want string
	}{
		{&fake{}, "no status yet: is an arbiter running for this budget?"},
		{&fake{err: errors.New("dial tcp: \x1b[2Jrefused")}, "Redis unavailable: dial tcp: ?[2Jrefused"},
		{&fake{data: []byte("{}")}, "this is no status"},
		{newer, "upgrade this program"},
	} {
		for _, mode := range []string{"--once", "--json"} {
			exit, stdout, stderr := runFake(t, c.src, programtest.Environ(), mode)
			if exit != ExitFailure || stdout != "" || !strings.HasPrefix(stderr, "monitor: ") || !strings.Contains(stderr, c.want) {
				t.Errorf("%s: exit status %d, %q, want %q", mode, exit, stderr, c.want)
			}
		}
		exit, stdout, _ := runFake(t, c.src, programtest.Environ(), "--check")
		if exit != status.Unknown.Code() || !strings.HasPrefix(stdout, "CONNCORD UNKNOWN - ") || !strings.Contains(stdout, c.want) {
			t.Errorf("--check: exit status %d, %q, want %q", exit, stdout, c.want)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	want := changed(time.Now().UTC(), func(s *status.Status) { s.Plan = "a\u009b\x7f\u202e\U000e0001b" })
	exit, stdout, _ := runFake(t, publishing(t, want), programtest.Environ(), "--json")
	if exit != ExitOK || !isASCII(stdout) || strings.ContainsAny(stdout, "\x7f\x1b") {
		t.Errorf("exit status %d: %q", exit, stdout)
	}
	got, err := status.Decode([]byte(stdout))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the JSON means something else (-want +got):\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Now()
	alert := func(severity status.Health, summary string) func(s *status.Status) {
		return func(s *status.Status) {
			s.Health = severity
			s.Alerts = append(s.Alerts, status.Alert{Name: "x", Severity: severity, Summary: summary})
		}
	}
	for _, c := range []struct {
		name   string
		status *status.Status
		args   string
		exit   int
		want   string
	}{
		{"healthy", example(now), "", 0, "CONNCORD OK - 25/54 connections (46.3%), 29 remaining | " +
			"allocated=25;40;49;0;54 utilization=46.3%;75;;0;100 remaining=29;;5:;0;54 external=0;;;0 waiting=0;;;0 containers=4;;;0\n"},
		{"warning", changed(now, alert(status.Warning, "High connection usage | now.")), "", 1, "CONNCORD WARNING - 25/54 connections (46.3%), 29 remaining; High connection usage / now | allocated="},
		{"critical", changed(now, alert(status.Critical, "Almost out of connections.")), "", 2, "CONNCORD CRITICAL - "},
		{"critical and missing", changed(now, alert(status.Critical, "Almost out of connections.")), "--expect=mailer", 2, "; Almost out of connections; mailer is expected"},
		{"stale", example(now.Add(-time.Minute)), "", 3, "stale: published 60 s ago"},
		{"unknown health", changed(now, func(s *status.Status) { s.Health = "dizzy" }), "", 3, "CONNCORD UNKNOWN - 25/54"},
		{"all there", example(now), "--expect=api,scraper", 0, "CONNCORD OK"},
		{"missing", example(now), "--expect=api,mailer", 1, "; mailer is expected and has no container: it may be down | "},
		{"nobody left", changed(now, func(s *status.Status) { s.Services["api"].Count = 0 }), "--expect=api", 1, "api is expected"},
		{"known to be missing", changed(now, func(s *status.Status) {
			s.Health = status.Warning
			s.Alerts = []status.Alert{{Name: "service_missing", Service: "mailer", Severity: status.Warning, Summary: "mailer has no container."}}
		}), "--expect=mailer", 1, "29 remaining; mailer has no container | "},
		{"many", changed(now, func(s *status.Status) {
			for range 6 {
				alert(status.Warning, "w")(s)
			}
		}), "", 1, "; w; w; w; and 3 more alerts | "},
	} {
		exit, stdout, stderr := runFake(t, publishing(t, c.status), programtest.Environ(), append(strings.Fields(c.args), "--check")...)
		if exit != c.exit || !strings.Contains(stdout, c.want) || stderr != "" {
			t.Errorf("%s: exit status %d, want %d\n got %swant %s", c.name, exit, c.exit, stdout, c.want)
		}
		if !regexp.MustCompile(`^CONNCORD [A-Z]+ - [^|\n]* \| [^|\n]*\n$`).MatchString(stdout) {
			t.Errorf("%s: not one line with one bar: %q", c.name, stdout)
		}
	}
}
