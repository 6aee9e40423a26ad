package show

import (
	"context"
	"fmt"
	"time"

	"github.com/conncord/conncord/cmd/demo/service"
)

const (
	// beginWithin bounds the wait for the containers' first reports.
	beginWithin = 15 * time.Second

	// endWithin is how long the containers have to say goodbye, and
	// hurryWithin when somebody pressed Ctrl-C.
	endWithin   = 4 * time.Second
	hurryWithin = 700 * time.Millisecond

	// cueEvery is how often it is time to look whether a scene begins.
	cueEvery = 20 * time.Millisecond
)

// A stage performs the play. It belongs to one goroutine.
type stage struct {
	opts     options
	db       database
	redisURL string
	budget   string
	history  *history
	poller   *poller
	screen   screen

	happenings chan happening
	containers []*container // all that ever were
	running    int

	began   time.Time
	scene   int
	news    []string
	rates   rates
	watches []watch
	guests  guests
	killed  time.Time     // when a container was
	regrant time.Duration // until what it had was granted to others; 0: it is not yet
	faults  []string
}

// perform runs the play to its end, or until the context ends, and ends all
// containers in either case. What went wrong is in the faults.
func (s *stage) perform(ctx context.Context) {
	s.happenings = make(chan happening, 64)
	defer func() { s.end(ctx) }()
	for _, service := range services {
		if !s.launch(service.Name) {
			return
		}
	}
	if !s.gather(ctx) {
		return
	}
	s.began = time.Now()
	s.scene = -1
	s.enter(0)
	frame := time.NewTicker(s.screen.every())
	defer frame.Stop()
	cues := time.NewTicker(cueEvery)
	defer cues.Stop()
	final := time.NewTimer(s.opts.duration)
	defer final.Stop()
	for len(s.faults) == 0 {
		select {
		case h := <-s.happenings:
			s.take(h)
			s.watch()
		case <-cues.C:
			s.welcome(ctx)
			if next := sceneAt(time.Since(s.began).Seconds() / s.opts.duration.Seconds()); next != s.scene {
				s.enter(next)
			}
		case <-frame.C:
			if err := s.screen.show(s.view()); err != nil {
				s.faults = append(s.faults, "nobody reads what the demo says: "+err.Error())
			}
			if err := s.poller.look().err; err != nil {
				s.faults = append(s.faults, err.Error())
			}
		case <-final.C:
			_ = s.screen.show(s.view())
			return
		case <-ctx.Done():
			return
		}
	}
}

// gather waits until every container has reported once.
func (s *stage) gather(ctx context.Context) bool {
	late := time.NewTimer(beginWithin)
	defer late.Stop()
	for {
		missing := ""
		for _, c := range s.containers {
			if c.report.Container == "" {
				missing = c.Service()
			}
		}
		if missing == "" || len(s.faults) > 0 {
			return missing == ""
		}
		select {
		case h := <-s.happenings:
			s.take(h)
		case <-late.C:
			s.faults = append(s.faults, fmt.Sprintf("the %s did not begin within %v", missing, beginWithin))
		case <-ctx.Done():
			return false
		}
	}
}

// launch starts a container.
func (s *stage) launch(service string) bool {
	env := environment(service, s.redisURL, s.db.url, s.budget, ttl, s.db.available())
	c, err := startContainer(service, env, s.happenings)
	if err != nil {
		s.faults = append(s.faults, err.Error())
		return false
	}
	s.containers = append(s.containers, c)
	s.running++
	return true
}

// take takes in what happened to a container.
func (s *stage) take(h happening) {
	if !h.ended {
		if n := h.report.Failed - h.from.report.Failed; n > 0 {
			s.tell("%d sessions of the %s failed: %s", n, h.from.Service(), oneLine(h.report.LastError))
		}
		h.from.report = h.report
		return
	}
	h.from.Gone()
	s.running--
	if err := h.from.Unexpected(h.err); err != nil {
		s.faults = append(s.faults, err.Error())
	}
}

// enter begins a scene. The cues of one that was too short to be noticed are not
// left out.
func (s *stage) enter(scene int) {
	for s.scene < scene {
		s.scene++
		s.screen.scene(time.Since(s.began), play[s.scene].title)
		for _, c := range play[s.scene].cues {
			s.do(c)
		}
	}
	for i, one := range services {
		alive := s.alive(one.Name)
		for _, c := range alive {
			c.Order(service.Order{Callers: callersFor(play[scene].wants[i], s.db.available(), len(alive))})
		}
	}
}

func (s *stage) do(c cue) {
	switch c.deed {
	case start:
		s.launch(c.service)
		return
	case come:
		s.guests.coming = true
		return
	case leave:
		s.dismiss()
		return
	}
	alive := s.alive(c.service)
	if len(alive) == 0 {
		return
	}
	one := alive[len(alive)-1]
	held := s.history.holding(one.report.Container).charge
	w := watch{container: one.report.Container, since: time.Now(), killed: c.deed == kill}
	if w.killed {
		s.history.kill(w.container, w.since)
		one.Kill()
		s.killed = w.since
		w.who = fmt.Sprintf("the killed %s's %d", c.service, held)
		s.tell("kill -9 of the %s with %d connections: its lease would last %v", c.service, held, ttl)
	} else {
		one.Terminate()
		w.who = fmt.Sprintf("the stopped %s's %d", c.service, held)
	}
	s.watches = append(s.watches, w)
}

// alive returns the containers of a service that are to stay.
func (s *stage) alive(service string) (alive []*container) {
	for _, c := range s.containers {
		if c.Service() == service && !c.Leaving() {
			alive = append(alive, c)
		}
	}
	return alive
}

// end ends all containers and waits for them.
func (s *stage) end(ctx context.Context) {
	s.dismiss()
	within := endWithin
	if ctx.Err() != nil {
		within = hurryWithin
	}
	for _, c := range s.containers {
		c.Terminate()
	}
	late := time.NewTimer(within)
	defer late.Stop()
	hurry := ctx.Done()
	for s.running > 0 {
		select {
		case h := <-s.happenings:
			s.take(h)
		case <-late.C:
			for _, c := range s.containers {
				c.Kill()
			}
		case <-hurry:
			hurry = nil
			late.Reset(hurryWithin)
		}
	}
}
