package servertest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	// errStopped is returned when a server is used after Stop.
	errStopped = errors.New("already stopped")

	// errPortInUse is returned when a server could not have its port.
	errPortInUse = errors.New("port in use")
)

// server is what Redis and Postgres have in common: a directory, a port that
// stays the same once found, and at most one running process.
type server struct {
	name          string // of the program, for errors
	home          *scratch
	cred          *syscall.Credential // the user it runs as; nil for our own
	stopSignal    syscall.Signal
	onParentDeath syscall.Signal

	// command prepares a run on a port; ready asks once whether the run
	// answers, and is called until it returns nil.
	command  func(port int) (*exec.Cmd, error)
	ready    func(ctx context.Context, port int) error
	pickPort func() int

	mu      sync.Mutex
	port    int // 0 until the first start succeeded, then fixed
	proc    *process
	log     tail  // of the latest run
	killed  bool  // proc was ended by kill, so its end is no surprise
	fault   error // crashes and failures to kill, for stop to report
	stopped bool
}

// launch starts the server and waits until it is ready.
//
// The first time it tries ports until the server gets one. To look for a free
// port first and hand it over would leave a moment in which another program
// can take it, and would need the same retry.
func (s *server) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if s.port != 0 {
		return s.launchOn(ctx, s.port)
	}
	var err error
	for range portAttempts {
		port := s.pickPort()
		if err = s.launchOn(ctx, port); err == nil {
			s.port = port
			return nil
		}
		if !errors.Is(err, errPortInUse) {
			return err
		}
	}
	return fmt.Errorf("no free port in %d attempts: %w", portAttempts, err)
}

func (s *server) launchOn(ctx context.Context, port int) error {
	cmd, err := s.command(port)
	if err != nil {
		return err
	}
	cmd.Dir = s.home.path // PostgreSQL's user may not be able to enter ours
	cmd.Env = serverEnv()
	s.log.reset()
	proc, err := startProcess(cmd, &s.log, s.cred, s.onParentDeath)
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	if err := s.awaitReady(ctx, proc, port); err != nil {
		return errors.Join(err, proc.kill())
	}
	s.proc, s.killed = proc, false
	return nil
}

func (s *server) awaitReady(ctx context.Context, proc *process, port int) error {
	probe := time.NewTicker(probeInterval)
	defer probe.Stop()
	lastAnswer := errors.New("none")
	deadline, _ := ctx.Deadline()
	for {
		attempt, cancel := context.WithTimeout(ctx, probeTimeout)
		err := s.ready(attempt, port)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() == nil && time.Now().Before(deadline) { // else it only says that time is up
			lastAnswer = err
		}
		select {
		case <-proc.done:
			log := s.log.String()
			if strings.Contains(strings.ToLower(log), "address already in use") {
				return fmt.Errorf("%s on port %d: %w\n%s", s.name, port, errPortInUse, log)
			}
			return fmt.Errorf("%s ended before it was ready: %w\n%s", s.name, exitReason(proc), log)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (last answer: %w)\n%s", s.name, context.Cause(ctx), lastAnswer, s.log.String())
		case <-probe.C:
		}
	}
}

// restart ends the running process, if any, calls between, and starts the
// server again on its port.
func (s *server) restart(ctx context.Context, between func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return fmt.Errorf("servertest: restart %s: %w", s.name, errStopped)
	}
	if err := s.crash(); err != nil {
		s.fault = errors.Join(s.fault, err) // a restart must not hide it
	} else if s.proc != nil && !s.killed {
		if err := s.proc.terminate(s.stopSignal); err != nil {
			return fmt.Errorf("servertest: restart %s: %w", s.name, err)
		}
	}
	s.proc = nil
	if err := between(); err != nil {
		return fmt.Errorf("servertest: restart %s: %w", s.name, err)
	}
	if err := s.launch(ctx); err != nil {
		return fmt.Errorf("servertest: restart %s: %w", s.name, err)
	}
	return nil
}

// stop ends the server for good, calls last, and removes its directory. It
// reports every crash, of earlier runs, too.
func (s *server) stop(last func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	err := s.fault
	if crash := s.crash(); crash != nil {
		err = errors.Join(err, crash)
	} else if s.proc != nil && !s.killed {
		err = errors.Join(err, s.proc.terminate(s.stopSignal))
	}
	s.proc = nil
	last()
	if err := errors.Join(err, s.home.remove()); err != nil {
		return fmt.Errorf("servertest: stop %s: %w", s.name, err)
	}
	return nil
}

// kill ends the process at once and leaves everything else as it is.
func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil || s.proc.exited() {
		return
	}
	s.killed = true
	s.fault = errors.Join(s.fault, s.proc.kill())
}

// signal sends sig to the running process and then calls after with its pid.
func (s *server) signal(sig syscall.Signal, after func(pid int) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil || s.proc.exited() {
		return fmt.Errorf("servertest: %v for %s: it is not running", sig, s.name)
	}
	if err := s.proc.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("servertest: %v for %s: %w", sig, s.name, err)
	}
	if err := after(s.proc.cmd.Process.Pid); err != nil {
		return fmt.Errorf("servertest: %w", err)
	}
	return nil
}

// pid returns the process id, 0 when the server is down.
func (s *server) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil || s.proc.exited() {
		return 0
	}
	return s.proc.cmd.Process.Pid
}

// crash is the error of a server that has ended although nobody asked it to.
func (s *server) crash() error {
	if s.proc == nil || s.killed || !s.proc.exited() {
		return nil
	}
	return fmt.Errorf("ended by itself: %w\n%s", exitReason(s.proc), s.log.String())
}

// exitReason is the error a process ended with, never nil.
func exitReason(p *process) error {
	if p.err != nil {
		return p.err
	}
	return errors.New("exit status 0")
}

func randomPort() int { return firstPort + rand.IntN(lastPort-firstPort+1) }
