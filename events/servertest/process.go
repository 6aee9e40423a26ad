package servertest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is one run of a server's program.
//
// The program writes its output to a pipe that everything it forks inherits,
// so the pipe's end of file says that the whole family is gone. That is why
// the output is not sent to a file.
type process struct {
	cmd  *exec.Cmd
	log  *tail
	done chan struct{} // closed when the program and all it forked are gone

	// How it ended; valid once done is closed.
	err       error
	lingering bool // something it forked was still there after familyTimeout
}

// startProcess runs cmd, as the user cred when that is not nil, and sends it
// onParentDeath when this process dies (where the system can do that).
func startProcess(cmd *exec.Cmd, log *tail, cred *syscall.Credential, onParentDeath syscall.Signal) (*process, error) {
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = input, input
	// A group of its own keeps the terminal's Ctrl-C from the server: the
	// program that started it decides in which order things go down.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Setpgid: true}
	dieWithParent(cmd.SysProcAttr, onParentDeath)

	started := make(chan error, 1)
	go func() {
		// The kernel takes "parent" to mean the thread that forked. Go ends
		// threads as it likes, so this goroutine keeps one for itself as long
		// as the server lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = input.Close() // the child has its own
		if err != nil {
			_ = output.Close()
			started <- err
			return
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = io.Copy(log, output)
		}()
		started <- nil
		p.err = cmd.Wait()
		p.lingering = !within(familyTimeout, ended)
		_ = output.Close()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// exited reports whether the process has ended.
func (p *process) exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// terminate asks the process to end with sig, and kills it when it takes
// longer than stopTimeout.
func (p *process) terminate(sig syscall.Signal) error {
	// An error here means that the process has just ended, which done tells.
	_ = p.cmd.Process.Signal(sig)
	_ = p.cmd.Process.Signal(syscall.SIGCONT) // a paused process hears nothing else
	if within(stopTimeout, p.done) {
		if p.err != nil {
			return fmt.Errorf("shutdown: %w\n%s", p.err, p.log)
		}
		return p.leftovers()
	}
	err := fmt.Errorf("still running %v after %v; killed\n%s", stopTimeout, sig, p.log)
	return errors.Join(err, p.kill())
}

// kill ends the process with SIGKILL, and whatever it forked with it.
func (p *process) kill() error {
	if p.exited() {
		return nil
	}
	_ = p.cmd.Process.Kill()
	// Redis forks into its own process group; PostgreSQL's backends have
	// left it and end because their parent is gone.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	if !within(killTimeout+familyTimeout, p.done) {
		return fmt.Errorf("process %d: still there %v after SIGKILL", p.cmd.Process.Pid, killTimeout+familyTimeout)
	}
	return p.leftovers()
}

// leftovers is an error when something that the ended process forked is still
// running.
func (p *process) leftovers() error {
	if p.lingering {
		return fmt.Errorf("process %d has ended, but something it forked was still running %v later", p.cmd.Process.Pid, familyTimeout)
	}
	return nil
}

// within waits for a channel to be closed and reports whether that happened in
// time.
func within(limit time.Duration, closed <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-closed:
		return true
	case <-timer.C:
		return false
	}
}
