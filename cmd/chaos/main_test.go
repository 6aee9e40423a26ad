package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/events/servertest/leakcheck"
)

func TestMain(m *testing.M) {
	programtest.Main(main)
	servertest.Main(leakcheck.Wrap(m))
}

// start starts chaos as people do.
func start(t *testing.T, args ...string) *programtest.Run { return programtest.Start(t, args, nil) }

// TestShortRun is a run in which more than half of all kinds of faults happen.
func TestShortRun(t *testing.T) {
	last, status := start(t, "-duration", "40s", "-ttl", "5s", "-seed", "1").End()
	ok := regexp.MustCompile(`^chaos: ok faults=(\d+) kinds=(\d+) minutes=\d+\.\d refused=0 over_limit=0 max_recovery_ms=\d+( max_regrant_ms=\d+ median_regrant_ms=\d+)?$`)
	found := ok.FindStringSubmatch(last)
	if status != 0 || found == nil {
		t.Fatalf("status %d, last line %q", status, last)
	}
	var faults, kinds int
	if _, err := fmt.Sscan(found[1]+" "+found[2], &faults, &kinds); err != nil || faults < 12 || kinds < 12 {
		t.Errorf("%d faults of %d kinds: the machine is too slow for this to mean much", faults, kinds)
	}
}

func TestCtrlCEndsItCleanly(t *testing.T) {
	r := start(t, "-duration", "10m", "-kinds", "leader-kill,container-pause")
	r.Until("#1 ")
	r.Signal(syscall.SIGINT)
	if last, status := r.End(); status != 130 || !strings.HasPrefix(last, "chaos: interrupted faults=") {
		t.Errorf("status %d, last line %q", status, last)
	}
}

func TestAKilledRunLeavesNothingRunning(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked for in /proc; and only Linux ends the servers with chaos")
	}
	r := start(t, "-duration", "10m", "-ttl", "10m", "-kinds", "container-pause")
	r.Until("#1 container-pause")        // one of the processes is paused
	if n := len(r.Processes()); n < 19 { // chaos, three servers, three arbiters, twelve containers
		t.Errorf("only %d processes: %v", n, r.Processes())
	}
	r.KillAndWait(30 * time.Second)
}

func TestRefusesSettingsThatCannotWork(t *testing.T) {
	r := start(t, "-kinds", "bad-luck")
	last, status := r.End()
	if status != 2 || last != "" || !strings.HasPrefix(r.Stderr(), `there is no kind of fault "bad-luck": choose among leader-kill, `) {
		t.Errorf("status %d, last line %q, stderr %q", status, last, r.Stderr())
	}
}
