package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/cmd/demo/service"
	"github.com/conncord/conncord/events"
)

const (
	// heldForSilent is after how long without a sign of life a container surely is:
	// the arbiter's two seconds, and what it takes to read and record them.
	heldForSilent = 2600 * time.Millisecond

	// fencedWithin is how long after the end of its lease a container that stands
	// still may have more than its fallback, where arbiters fence.
	fencedWithin = 3 * time.Second

	// idleWithin is how long the callers of a container take to end.
	idleWithin = 500 * time.Millisecond
)

// restKinds are containers that look as if they were gone and are not. Their leases
// have to outlast it.
var restKinds = []*kind{
	// It gives no sign of life for longer than the window, but its connections are
	// there. No excuse is needed.
	{name: "container-pause-window", to: toContainers | toArbiters | toRedis | toLinks, plan: func(s *stage) *fault {
		most := s.world.Settings.TTL * 7 / 10 // it ends a margin early, an eighth at most
		if most < heldForSilent {
			return nil
		}
		c, ok := pick(s, s.containers(hasMore))
		if !ok {
			return nil
		}
		f := s.keepsLease(c)
		f.hold = s.between(heldForSilent, most)
		f.begin = func(ctx context.Context) error {
			if err := s.renewed(ctx, c); err != nil {
				return err
			}
			return c.Pause()
		}
		f.end = func(context.Context) error {
			state := s.history.State().Containers[c.View().Report.Container]
			if s.world.Settings.Eyes != world.Books && state.Silent == 0 {
				return fmt.Errorf("%s has stood still for %v and is not held for silent: %+v", c.Name, f.hold, state)
			}
			return c.Resume()
		}
		f.explains = judge.Explanation{Classes: []service.Class{service.Late}, Roles: []string{c.View().Role}}
		return f
	}},
	// Its lease is over, and it cannot know.
	{name: "container-pause-fenced", to: toAll, eyes: world.Fencing, plan: func(s *stage) *fault {
		c, ok := pick(s, s.containers(func(_ *world.View, c *events.ContainerState) bool { return c.Charge > c.Fallback+1 }))
		if !ok {
			return nil
		}
		f := s.paused(0, []*world.Container{c})
		begin, v := f.begin, c.View()
		f.begin = func(ctx context.Context) error {
			if err := begin(ctx); err != nil {
				return err
			}
			err := s.within(ctx, slack+s.world.Settings.TTL, func(state *judge.State) error {
				if !state.Containers[v.Report.Container].Lost {
					return fmt.Errorf("the lease of %s, which stands still, has not ended", c.Name)
				}
				return nil
			})
			if err != nil {
				return err
			}
			return s.within(ctx, fencedWithin, func(state *judge.State) error {
				if n, most := s.limits.Newest().Roles[v.Role], state.Containers[v.Report.Container].Fallback; n > most {
					return fmt.Errorf("%s stands still without a lease and has %d connections where its fallback is %d", c.Name, n, most)
				}
				return nil
			})
		}
		return f
	}},
	// It has no connections, because it has nothing to do.
	{name: "container-idle", to: toContainers | toRedis | toLinks | toDatabase, plan: func(s *stage) *fault {
		c, ok := pick(s, s.containers(hasMore))
		if !ok {
			return nil
		}
		role := c.View().Role
		f := s.keepsLease(c)
		f.hold = s.between(heldForSilent, max(heldForSilent, s.world.Settings.TTL*3/2))
		f.begin = func(ctx context.Context) error {
			c.Order(service.Order{})
			if err := wait(ctx, idleWithin); err != nil {
				return err
			}
			_, err := s.world.Ask(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", role)
			return err
		}
		f.end = func(context.Context) error {
			if n := s.limits.Newest().Roles[role]; n > 0 {
				return fmt.Errorf("%s has nothing to do and %d connections", c.Name, n)
			}
			return nil
		}
		f.explains = judge.Explanation{Classes: gone, Roles: []string{role}}
		return f
	}},
}

// renewed waits until a container has renewed its lease.
func (s *stage) renewed(ctx context.Context, c *world.Container) error {
	id := c.View().Report.Container
	before := s.history.State().Containers[id].Deadline
	return s.within(ctx, s.world.Settings.TTL, func(state *judge.State) error {
		if state.Containers[id].Deadline <= before {
			return fmt.Errorf("%s has not renewed its lease", c.Name)
		}
		return nil
	})
}

// keepsLease is a fault that a container's lease has to outlast.
func (s *stage) keepsLease(c *world.Container) *fault {
	id := c.View().Report.Container
	lease := s.history.State().Containers[id].Lease
	return &fault{
		about: c.Name, recovery: s.world.Settings.LeaderLease,
		after: func(state *judge.State) error {
			if now := state.Containers[id].Lease; now != lease {
				return fmt.Errorf("%s had lease %q before and has %q", c.Name, lease, now)
			}
			return nil
		},
	}
}
