package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/cmd/arbiter/daemon"
)

// arbiterCommand is the program's argument that makes it an arbiter.
const arbiterCommand = "arbiter"

// runArbiter is an arbiter's life: the daemon, which also ends when its standard
// input does, so that a crash of chaos leaves no arbiters behind.
func runArbiter(stdin io.Reader, stdout, stderr io.Writer) int {
	redis.SetLogger(Silence{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	return daemon.Run(ctx, nil, os.LookupEnv, stdout, stderr)
}

// Silence takes the Redis library's own log lines. What they say, the programs
// say themselves, once.
type Silence struct{}

// Printf drops a line.
func (Silence) Printf(context.Context, string, ...any) {}

// An Arbiter is one arbiter's process and the place it has: when it ends,
// another process can take the place.
type Arbiter struct {
	Name string
	Link *Link
	Sees *Link // to the database; nil: it goes by its books

	world *World

	mu    sync.Mutex
	id    string // of the present process, which no other process ever has
	began int
	cmd   *exec.Cmd // nil: none runs
	stdin io.Closer
	done  chan struct{} // closed when the present process has ended
	end   bool          // it was told to end, or killed
}

// ID returns the id of the present process, or of the last one.
func (a *Arbiter) ID() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.id
}

// Alive reports whether a process runs, paused or not.
func (a *Arbiter) Alive() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cmd != nil
}

// start starts a process that holds the limit for the database's.
func (a *Arbiter) start(limit int, fresh bool) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cmd != nil {
		return fmt.Errorf("%s runs already", a.Name)
	}
	a.began++
	a.id = fmt.Sprintf("%s.%d", a.Name, a.began)
	s := a.world.Settings
	cmd := exec.Command(self, arbiterCommand)
	cmd.Env = append(os.Environ(),
		"REDIS_URL="+a.Link.URL(), "CONNCORD_BUDGET="+s.Budget, "CONNCORD_ARBITER_ID="+a.id,
		"SUPABASE_MAX_CONNECTIONS="+strconv.Itoa(limit), "CONNECTION_RESERVE_TTL="+s.TTL.String(),
		"CONNCORD_LEADER_LEASE="+s.LeaderLease.String(), "CONNCORD_FRESH="+strconv.FormatBool(fresh), "DATABASE_URL="+a.databaseURL(), "HTTP_ADDR=off",
		"CONNCORD_HEADROOM="+strconv.Itoa(Headroom), "CONNCORD_PLATFORM_ROLES="+Superuser,
		"CONNCORD_FENCE="+strconv.FormatBool(s.Eyes == Fencing))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for chaos alone
	log := a.world.Diary.Writer(a.id)
	cmd.Stdout, cmd.Stderr = log, log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", a.Name, err)
	}
	a.cmd, a.stdin, a.end, a.done = cmd, stdin, false, make(chan struct{})
	go a.wait(cmd, a.done)
	return nil
}

// databaseURL leads to the database through the arbiter's link; "" if it has none.
func (a *Arbiter) databaseURL() string {
	if a.Sees == nil {
		return ""
	}
	u, err := url.Parse(asRole(a.world.Postgres.URL(), ArbiterRole))
	if err != nil {
		return ""
	}
	u.Host = a.Sees.Addr()
	return u.String()
}

// wait waits for a process to end.
func (a *Arbiter) wait(cmd *exec.Cmd, done chan struct{}) {
	err := cmd.Wait()
	a.mu.Lock()
	a.cmd = nil
	_ = a.stdin.Close()
	expected := a.end
	a.mu.Unlock()
	if !expected {
		a.world.fail(fmt.Errorf("%s ended by itself: %w", a.ID(), errors.Join(err, errors.New("see its log"))))
	}
	close(done)
}

// signal sends a signal to the process, if there is one.
func (a *Arbiter) signal(sig syscall.Signal, ends bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cmd != nil {
		a.end = a.end || ends
		_ = a.cmd.Process.Signal(sig)
	}
}

// Kill ends the process with kill -9 and waits until it is gone.
func (a *Arbiter) Kill() { a.endWith(syscall.SIGKILL) }

// Stop ends the process in good order and waits until it is gone.
func (a *Arbiter) Stop() { a.endWith(syscall.SIGTERM) }

func (a *Arbiter) endWith(sig syscall.Signal) {
	a.mu.Lock()
	done := a.done
	a.mu.Unlock()
	a.signal(sig, true)
	if done != nil && !within(endWithin, done) {
		a.signal(syscall.SIGKILL, true)
		<-done
	}
}

// Pause stops the process in its tracks.
func (a *Arbiter) Pause() { a.signal(syscall.SIGSTOP, false) }

// Resume lets a paused process go on.
func (a *Arbiter) Resume() { a.signal(syscall.SIGCONT, false) }

// Restart starts a process in place of one that has ended.
func (a *Arbiter) Restart() error { return a.start(a.world.Limit(), false) }
