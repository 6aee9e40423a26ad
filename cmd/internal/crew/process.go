// Package crew runs containers as processes of their own, for the programs that
// show and judge Conncord.
package crew

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/conncord/conncord/cmd/demo/service"
)

// A Process is one container: the program that runs now, started again as its
// subcommand [service.Subcommand]. Its methods are not safe for concurrent use.
type Process struct {
	service string
	cmd     *exec.Cmd
	stdin   io.Closer
	orders  *json.Encoder
	words   LastWords
	order   service.Order // the last one
	ending  bool
	ended   bool
}

// Events is what happens to a process. Both are called by one goroutine, Ended
// once and last, when the process is gone.
type Events struct {
	Reported func(service.Report)
	Ended    func(error)
}

// Start starts a container of the service. What it logs goes to the
// writer, if there is one, and its end is kept for [Process.Unexpected].
func Start(name string, env []string, log io.Writer, on Events) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{service: name, cmd: exec.Command(self, service.Subcommand), order: service.Order{Callers: -1}}
	p.cmd.Env = append(os.Environ(), env...)
	// A group of its own keeps the terminal's Ctrl-C from it: whoever started it
	// decides in which order things end. Should that one die, the end of the
	// standard input tells.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = &p.words
	if log != nil {
		p.cmd.Stderr = io.MultiWriter(&p.words, log)
	}
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	p.stdin, p.orders = stdin, json.NewEncoder(stdin)
	go p.listen(stdout, on)
	return p, nil
}

// listen passes reports on until the process has ended.
func (p *Process) listen(stdout io.Reader, on Events) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		var report service.Report
		if json.Unmarshal(lines.Bytes(), &report) == nil { // a killed one's last line may be cut
			on.Reported(report)
		}
	}
	on.Ended(p.cmd.Wait())
}

// Service returns the name of the container's service.
func (p *Process) Service() string { return p.service }

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Order says what load the container has from now on.
func (p *Process) Order(order service.Order) {
	if p.ended || p.ending || p.order == order {
		return
	}
	p.order = order
	_ = p.orders.Encode(order) // one that cannot be told has ended
}

// Callers returns how many callers were ordered last; -1: none yet.
func (p *Process) Callers() int { return p.order.Callers }

// Terminate asks the container to end.
func (p *Process) Terminate() {
	if !p.ended {
		p.ending = true
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// Kill ends the container with kill -9.
func (p *Process) Kill() {
	if !p.ended {
		p.ending = true
		_ = p.cmd.Process.Kill()
	}
}

// Pause stops the container in its tracks.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused container go on.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Gone notes that the process has ended. Whoever started it calls this when it
// is told.
func (p *Process) Gone() {
	p.ended = true
	_ = p.stdin.Close()
}

// Ended reports whether the process has ended, and Leaving whether it was told
// to or killed.
func (p *Process) Ended() bool { return p.ended }

// Leaving reports whether the container is to end, or has.
func (p *Process) Leaving() bool { return p.ending || p.ended }

// Unexpected is the error of a container that ended although nobody wanted it,
// nil of one that was told to or killed.
func (p *Process) Unexpected(err error) error {
	if p.ending {
		return nil
	}
	if err == nil {
		err = errors.New("exit status 0")
	}
	if words := p.words.String(); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	return fmt.Errorf("the %s ended by itself: %w", p.service, err)
}
