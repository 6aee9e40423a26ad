package arbiter_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// program builds the daemon, once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "conncord-arbiter-")
	if err != nil {
		return "", err
	}
	programDir = dir
	path := filepath.Join(dir, "arbiter")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/arbiter").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// programDir is what TestMain removes at the end.
var programDir string

// A process is an arbiter as people run it.
type process struct {
	*exec.Cmd
	log   *lines
	ended chan struct{}
}

func launch(t testing.TB, url, id string) *process {
	t.Helper()
	path, err := program()
	must(t, err)
	p := &process{log: &lines{}, ended: make(chan struct{})}
	p.Cmd = exec.Command(path, "--redis-url", url, "--budget", budget, "--id", id, "--fresh")
	p.Stderr = p.log
	must(t, p.Start())
	go func() {
		defer close(p.ended)
		_ = p.Wait()
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		if _, many := t.(*testing.B); t.Failed() && !many {
			t.Logf("log of %s:\n%s", id, p.log)
		}
	})
	return p
}

// pause stops the process in its tracks and waits until it stands still.
func (p *process) pause(t *testing.T) {
	t.Helper()
	must(t, p.Process.Signal(syscall.SIGSTOP))
	until(t, "the process stands still", func() bool {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(p.Process.Pid)).Output()
		return err == nil && strings.HasPrefix(string(state), "T")
	})
}

// signal sends a signal, and waits for the end if it must end by it.
func (p *process) signal(sig syscall.Signal) {
	_ = p.Process.Signal(sig) // it may have ended
	if sig == syscall.SIGKILL || sig == syscall.SIGTERM {
		<-p.ended
	}
}

// leader asks Redis who leads.
func (r *rig) leader() string { return r.rdb.Get(r.t.Context(), keys.Leader).Val() }

// A process is stopped in its tracks, replaced, and continued: what it still
// wants to commit is refused, and it follows. Then the other one likewise.
func TestPausedProcess(t *testing.T) {
	r := newRig(t, servertest.SharedRedis(t).URL())
	running := map[string]*process{"p0": launch(t, r.url, "p0"), "p1": launch(t, r.url, "p1")}
	until(t, "a process leads", func() bool { return r.leader() != "" })
	c := r.container("c")
	c.register("api", 3, 0)
	epoch := c.answer().Epoch
	for range 2 {
		stale := r.leader()
		other := map[string]string{"p0": "p1", "p1": "p0"}[stale]
		running[stale].pause(t)
		// Redis answers the read that the paused process waits in.
		c.say(events.Intent{Kind: events.Renew, Demand: events.Demand{Want: 3, Ceiling: 3}})
		g := c.answer()
		if r.leader() != other || g.Epoch <= epoch {
			t.Errorf("%s leads epoch %d after epoch %d", r.leader(), g.Epoch, epoch)
		}
		epoch = g.Epoch
		running[stale].signal(syscall.SIGCONT)
		until(t, "the stale leader is refused and follows", func() bool {
			return running[stale].log.count("leadership lost") == 1 && running[stale].log.count("leader="+other) > 0
		})
		if running[stale].log.count("fenced") != 1 {
			t.Error("it does not say that it was fenced")
		}
	}
	for _, p := range running {
		p.signal(syscall.SIGTERM)
	}
	r.audit()
}
