package world

import (
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/conncord/conncord/cmd/demo/service"
	"github.com/conncord/conncord/cmd/internal/crew"
)

// A Container is one container's process and the place it has: when it ends,
// another process can take the place.
type Container struct {
	Name    string
	Service string
	Link    *Link

	world *World

	mu      sync.Mutex
	process *crew.Process // nil: none was started yet
	done    chan struct{} // closed when the present process has ended
	view    View
}

// A View is a container as it is known to be.
type View struct {
	Name    string
	Service string
	Role    string // in the database, of the present process alone
	Running bool
	Paused  bool
	Cut     bool // its link is cut or disturbed so that nothing passes
	Leaving bool
	Callers int
	Report  service.Report // the newest; empty until the first came
	At      time.Time      // when it came
}

// View returns how the container is.
func (c *Container) View() View {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.view
	v.Name, v.Service = c.Name, c.Service
	if c.process != nil {
		v.Running, v.Leaving, v.Callers = !c.process.Ended(), c.process.Leaving(), c.process.Callers()
	}
	return v
}

// Start starts a process, which begins without callers. It waits for the arbiter
// for joinWithin before it goes on in local mode; 0: long.
func (c *Container) Start(joinWithin time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil && !c.process.Ended() {
		return fmt.Errorf("%s runs already", c.Name)
	}
	role, err := c.world.nextRole()
	if err != nil {
		return err
	}
	s := c.world.Settings
	env := []string{
		"SERVICE_NAME=" + c.Service, "REDIS_URL=" + c.Link.URL(), "DATABASE_URL=" + c.world.databaseURL(role),
		"CONNCORD_BUDGET=" + s.Budget, "CONNECTION_RESERVE_TTL=" + s.TTL.String(), "CONNCORD_FALLBACK=minimum",
		service.MaxConnsVariable + "=" + strconv.Itoa(s.Available()), service.PaceVariable + "=" + strconv.Itoa(s.Pace),
	}
	if joinWithin > 0 {
		env = append(env, service.JoinVariable+"="+joinWithin.String())
	}
	done := make(chan struct{})
	c.view, c.done = View{Role: role, Cut: c.view.Cut}, done
	log := c.world.Diary.Writer(c.Name + " " + role)
	c.process, err = crew.Start(c.Service, env, log, crew.Events{
		Reported: func(r service.Report) { c.reported(role, r) },
		Ended:    func(err error) { c.ended(role, err, done) },
	})
	return err
}

// reported takes a report in.
func (c *Container) reported(role string, r service.Report) {
	c.mu.Lock()
	old := c.view.Report
	if c.view.Role == role {
		c.view.Report, c.view.At = r, time.Now()
	}
	c.mu.Unlock()
	c.world.reported(c, role, old, r)
}

// ended takes the end of a process in.
func (c *Container) ended(role string, err error, done chan struct{}) {
	c.mu.Lock()
	c.process.Gone()
	surprise := c.process.Unexpected(err)
	c.mu.Unlock()
	if surprise != nil {
		c.world.fail(fmt.Errorf("%s (%s): %w", c.Name, role, surprise))
	}
	close(done)
}

// Order says what load the container has from now on.
func (c *Container) Order(order service.Order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil && !c.view.Paused { // a paused one does not read: the pipe could fill up
		c.process.Order(order)
	}
}

// Kill ends the process with kill -9 and waits until it is gone.
func (c *Container) Kill() { c.endWith((*crew.Process).Kill) }

// Stop ends the process in good order and waits until it is gone.
func (c *Container) Stop() { c.endWith((*crew.Process).Terminate) }

func (c *Container) endWith(how func(*crew.Process)) {
	c.mu.Lock()
	process, done := c.process, c.done
	if process == nil {
		c.mu.Unlock()
		return
	}
	how(process)
	_ = process.Resume() // a paused one hears nothing else
	c.mu.Unlock()
	if within(endWithin, done) {
		return
	}
	c.mu.Lock()
	process.Kill()
	c.mu.Unlock()
	<-done
}

// Pause stops the process in its tracks.
func (c *Container) Pause() error { return c.pause(true, (*crew.Process).Pause) }

// Resume lets a paused process go on.
func (c *Container) Resume() error { return c.pause(false, (*crew.Process).Resume) }

func (c *Container) pause(paused bool, how func(*crew.Process) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view.Paused = paused
	if err := how(c.process); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	return nil
}

// SetCut notes whether anything passes on the container's link.
func (c *Container) SetCut(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.view.Cut = cut
}

// asRole returns a database URL for another role.
func asRole(databaseURL, role string) string {
	u, err := url.Parse(databaseURL)
	if err != nil {
		return databaseURL
	}
	u.User = url.User(role)
	return u.String()
}

// within waits for a channel to be closed and reports whether that happened in
// time.
func within(limit time.Duration, closed <-chan struct{}) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-closed:
		return true
	case <-t.C:
		return false
	}
}
