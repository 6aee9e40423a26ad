package show

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/conncord/conncord/cmd/demo/service"
)

// A container is one process of a service.
type container struct {
	service string
	cmd     *exec.Cmd
	stdin   io.Closer
	orders  *json.Encoder
	stderr  lastWords

	// What follows belongs to the stage.

	report  service.Report // the newest
	callers int            // as ordered last
	ending  bool           // it was told to end, or killed
	ended   bool
}

// A happening is what comes from a container: a report, or its end.
type happening struct {
	from   *container
	report service.Report
	ended  bool
	err    error // how it ended
}

// startContainer starts one. What happens to it goes to the channel until it has
// ended; somebody has to receive.
func startContainer(name string, env []string, happenings chan<- happening) (*container, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &container{service: name, cmd: exec.Command(self, service.Subcommand), callers: -1}
	c.cmd.Env = append(os.Environ(), env...)
	// A group of its own keeps the terminal's Ctrl-C from it: the demo decides
	// in which order things end. Should the demo die, the end of the
	// standard input tells.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Stderr = &c.stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	c.stdin, c.orders = stdin, json.NewEncoder(stdin)
	go c.listen(stdout, happenings)
	return c, nil
}

// listen passes reports on until the process has ended.
func (c *container) listen(stdout io.Reader, happenings chan<- happening) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		h := happening{from: c}
		if json.Unmarshal(lines.Bytes(), &h.report) == nil { // a killed one's last line may be cut
			happenings <- h
		}
	}
	happenings <- happening{from: c, ended: true, err: c.cmd.Wait()}
}

// order says how many callers the container has from now on.
func (c *container) order(callers int) {
	if c.ended || c.ending || c.callers == callers {
		return
	}
	c.callers = callers
	_ = c.orders.Encode(service.Order{Callers: callers}) // one that cannot be told has ended
}

// terminate asks the container to end.
func (c *container) terminate() {
	if !c.ended {
		c.ending = true
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// kill ends the container with kill -9.
func (c *container) kill() {
	if !c.ended {
		c.ending = true
		_ = c.cmd.Process.Kill()
	}
}

// wasUnexpected is the error of a container that ended although nobody wanted it.
func (c *container) wasUnexpected(err error) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	if words := c.stderr.String(); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	return fmt.Errorf("the %s ended by itself: %w", c.service, err)
}

// environment is what a container of the service is started with.
func environment(name, redisURL, databaseURL, budget string, ttl time.Duration, maxConns int) []string {
	return []string{
		"SERVICE_NAME=" + name, "REDIS_URL=" + redisURL, "DATABASE_URL=" + databaseURL,
		"CONNCORD_BUDGET=" + budget, "CONNECTION_RESERVE_TTL=" + ttl.String(), "CONNCORD_FALLBACK=minimum",
		service.MaxConnsVariable + "=" + strconv.Itoa(maxConns),
	}
}

// maxWords is how much of a container's standard error is kept.
const maxWords = 2 << 10

// lastWords keeps the end of what is written to it. It is safe for concurrent
// use.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	w.text = w.text[max(0, len(w.text)-maxWords):]
	return len(p), nil
}

func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}
