package metrics_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/conncord/conncord/events/servertest"
)

// deploy is where the rules and the dashboard are.
const deploy = "../../deploy"

// promtool runs Prometheus' tool for rules. Missing is a failure: the rules would
// be checked nowhere.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		hint := "install Prometheus, of which it is a part, and put promtool on the PATH"
		if _, err := os.Stat("/etc/debian_version"); err == nil {
			hint = `run "deploy/install-deps.sh promtool" or "apt-get install prometheus"`
		} else if runtime.GOOS == "darwin" {
			hint = `run "brew install prometheus"`
		}
		t.Fatal(&servertest.NotInstalledError{Binary: "promtool", Hint: hint})
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

func TestPromtool(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(deploy, "prometheus")
	for name, args := range map[string][]string{
		"rules":  {"check", "rules", "alerts.yml"},
		"config": {"check", "config", "prometheus.yml"},
		"tests":  {"test", "rules", "alerts_test.yml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			promtool(t, dir, args...)
		})
	}
}
