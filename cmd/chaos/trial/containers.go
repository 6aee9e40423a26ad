package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/cmd/demo/service"
	"github.com/conncord/conncord/events"
)

const (
	// superuserSlots is how many connections PostgreSQL keeps for superusers, and
	// judgeSlots how many the judge has.
	superuserSlots, judgeSlots = 3, 1

	// wakes is how long a container may take to close what it has too many of:
	// after it was paused, or joined from local mode.
	wakes = 3 * time.Second

	// soon is how long a container waits for an arbiter that it is to start
	// without.
	soon = 300 * time.Millisecond
)

// containerKinds are what happens to single containers. The others must not
// notice.
var containerKinds = []*kind{
	{name: "container-kill", to: toContainers, plan: func(s *stage) *fault {
		// Its fallback stays charged for one more TTL than its lease.
		return s.ended(s.ttls(0.1, 1), 2*s.world.Settings.TTL, (*world.Container).Kill)
	}},
	{name: "container-stop", to: toContainers, plan: func(s *stage) *fault {
		// While something else goes wrong its goodbye may be lost.
		f := s.ended(s.ttls(0.1, 0.5), 0, (*world.Container).Stop)
		f.together = 2 * s.world.Settings.TTL
		return f
	}},
	{name: "container-pause", to: toContainers, plan: func(s *stage) *fault {
		return s.paused(s.ttls(0.2, 0.4), s.containers(everyone))
	}},
	{name: "container-pause-long", to: toContainers, plan: func(s *stage) *fault {
		hold := s.ttls(1.2, 2.5)
		return s.paused(hold, s.containers(func(v *world.View, c *events.ContainerState) bool {
			return v.Report.Open <= s.spare() || s.world.Settings.Eyes != world.Books
		}))
	}},
	{name: "container-cut", to: toContainers, plan: func(s *stage) *fault {
		return s.containerOff(s.ttls(1.1, 3), world.Requests, world.Replies)
	}},
	{name: "container-mute", to: toContainers, plan: func(s *stage) *fault { return s.containerOff(s.ttls(1.1, 3), world.Requests) }},
	{name: "container-deaf", to: toContainers, plan: func(s *stage) *fault { return s.containerOff(s.ttls(1.1, 3), world.Replies) }},
	{name: "containers-cut", to: toContainers, plan: func(s *stage) *fault {
		var links []*world.Link
		for _, c := range s.world.Containers {
			links = append(links, c.Link)
		}
		f := s.off(links, []string{world.Requests, world.Replies})
		// After two TTLs nobody would count the fallbacks any more.
		f.about, f.hold = "all twelve, "+f.about, s.ttls(0.5, 1.5)
		f.explains = judge.Explanation{Classes: outage}
		return f
	}},
	{name: "container-local", to: toContainers, plan: startLocal},
}

// spare is how many connections the database has beyond those that can be
// granted. A container that keeps more than these beyond its lease, as the
// known limits say it can, would make the database refuse others, where the
// arbiters do not see it. Where they do, as many are left of the headroom.
func (s *stage) spare() int { return s.world.Settings.Reserve - superuserSlots - judgeSlots }

func everyone(*world.View, *events.ContainerState) bool { return true }

// containers returns those that run undisturbed and qualify.
func (s *stage) containers(qualifies func(*world.View, *events.ContainerState) bool) (found []*world.Container) {
	state := s.history.State()
	for _, c := range s.world.Containers {
		v := c.View()
		if known, ok := state.Containers[v.Report.Container]; ok && v.Running && !v.Leaving && !v.Paused && qualifies(&v, &known) {
			found = append(found, c)
		}
	}
	return found
}

// ended ends a container's process in some way, and starts another one when the
// fault is over.
func (s *stage) ended(hold, recovery time.Duration, end func(*world.Container)) *fault {
	c, ok := pick(s, s.containers(everyone))
	if !ok {
		return nil
	}
	return &fault{
		about: c.Name, hold: hold, recovery: recovery,
		begin: func(context.Context) error { end(c); return nil },
		end:   func(context.Context) error { return s.startContainer(c, 0) },
	}
}

// startContainer starts a process with its load.
func (s *stage) startContainer(c *world.Container, joinWithin time.Duration) error {
	if err := c.Start(joinWithin); err != nil {
		return err
	}
	c.Order(s.orderOf(c))
	return nil
}

// paused pauses one of some containers.
func (s *stage) paused(hold time.Duration, some []*world.Container) *fault {
	c, ok := pick(s, some)
	if !ok {
		return nil
	}
	role := c.View().Role
	var endExcuse func(at time.Time)
	return &fault{
		about: c.Name, hold: hold, recovery: s.world.Settings.LeaderLease,
		begin: func(context.Context) error {
			endExcuse = s.limits.Excuse(judge.Excuse{Role: role, Why: "it is paused", From: time.Now()})
			return c.Pause()
		},
		end: func(context.Context) error {
			endExcuse(time.Now().Add(wakes))
			return c.Resume()
		},
		explains: judge.Explanation{Classes: append([]service.Class{service.Late}, outage...), Roles: []string{role}},
	}
}

// containerOff has nothing pass between a container and Redis. After two TTLs
// nobody counts its fallback any more.
func (s *stage) containerOff(hold time.Duration, directions ...string) *fault {
	c, ok := pick(s, s.containers(func(v *world.View, c *events.ContainerState) bool { return c.Fallback <= s.spare() }))
	if !ok {
		return nil
	}
	v := c.View()
	fallback := s.history.State().Containers[v.Report.Container].Fallback
	f := s.off([]*world.Link{c.Link}, directions)
	f.about, f.hold = c.Name+", "+f.about, hold
	f.explains = judge.Explanation{Classes: outage, Roles: []string{v.Role}}
	if fallback > 0 {
		s.excuseWhile(f, judge.Excuse{Role: v.Role, Why: "it was cut off for two TTLs and keeps its fallback", Most: fallback})
	}
	return f
}

// excuseWhile adds an excuse to a fault.
func (s *stage) excuseWhile(f *fault, e judge.Excuse) {
	var endExcuse func(at time.Time)
	begin, end := f.begin, f.end
	f.begin = func(ctx context.Context) error {
		e.From = time.Now()
		endExcuse = s.limits.Excuse(e)
		return begin(ctx)
	}
	f.end = func(ctx context.Context) error {
		endExcuse(time.Now().Add(wakes))
		return end(ctx)
	}
}

// startLocal starts a container in place of another while Redis cannot be
// reached from there: it begins in local mode.
func startLocal(s *stage) *fault {
	c, ok := pick(s, s.containers(func(v *world.View, _ *events.ContainerState) bool { return minimumOf(v.Service) <= s.spare() }))
	if !ok {
		return nil
	}
	f := &fault{about: c.Name, hold: s.ttls(0.5, 1.5), recovery: s.world.Settings.LeaderLease}
	f.together = 2 * s.world.Settings.TTL // the goodbye of the one before it may be lost
	var endExcuse func(at time.Time)
	f.begin = func(context.Context) error {
		c.Stop()
		c.Link.Cut()
		err := s.startContainer(c, soon)
		endExcuse = s.limits.Excuse(judge.Excuse{
			Role: c.View().Role, Why: "it is in local mode", From: time.Now(), Most: minimumOf(c.Service),
		})
		return err
	}
	f.end = func(ctx context.Context) error {
		err := becomesLocal(ctx, c)
		endExcuse(time.Now().Add(wakes))
		return errors.Join(err, c.Link.Mend())
	}
	return f
}

// becomesLocal waits until a container that started without Redis says that it
// goes on in local mode. A busy machine takes its time to start it.
func becomesLocal(ctx context.Context, c *world.Container) error {
	late := time.Now().Add(slack)
	for {
		mode := c.View().Report.Mode
		if mode == "local" {
			return nil
		}
		if time.Now().After(late) {
			return fmt.Errorf("%s started without Redis and is not in local mode but %q", c.Name, mode)
		}
		if err := wait(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// minimumOf returns a service's minimum, which is what it has in local mode.
func minimumOf(name string) int {
	for _, s := range events.BuiltinServices() {
		if s.Name == name {
			return s.Minimum
		}
	}
	return 0
}

// hasMore is for containers with a lease on more than one connection.
func hasMore(_ *world.View, c *events.ContainerState) bool { return c.Units > 1 }
