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
	// regrantWithin is how long what a killed container held may take to be granted
	// to others, when nothing else is wrong.
	regrantWithin = 3 * time.Second

	// kills is how many containers are killed, one after the other, in one fault.
	kills = 3

	// longQuery is a query that goes on after the container that made it is gone,
	// and longQueries how long callers take to be in one.
	longQuery   = 20 * time.Second
	longQueries = time.Second
)

// killKinds are containers that die while nothing else is wrong: then it is
// measured how long that costs.
var killKinds = []*kind{
	{name: "kill-and-regrant", to: toAll, eyes: world.Looking, plan: func(s *stage) *fault {
		return s.killed("one after the other", kills, 0)
	}},
	// The database ends a query of a client that is gone when it looks after it, once
	// a second.
	{name: "kill-in-long-queries", to: toAll, eyes: world.Looking, plan: func(s *stage) *fault {
		return s.killed("in the middle of queries of 20 s", 1, longQuery)
	}},
}

// killed kills containers, one after the other, and waits for what they held.
func (s *stage) killed(about string, count int, hold time.Duration) *fault {
	if s.opts.brief() {
		count = 1
	}
	return &fault{
		about: about, recovery: s.world.Settings.LeaderLease,
		begin: func(ctx context.Context) error {
			for range count {
				if err := s.killOne(ctx, hold); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// killOne kills one container, measures, and starts another one in its place.
func (s *stage) killOne(ctx context.Context, hold time.Duration) error {
	c, ok := pick(s, s.containers(func(v *world.View, c *events.ContainerState) bool { return c.Units > 1 && v.Report.Open > 1 }))
	if !ok {
		return errors.New("no container has any connections")
	}
	if hold > 0 {
		c.Order(service.Order{Callers: s.orderOf(c).Callers, Hold: hold})
		if err := wait(ctx, longQueries); err != nil {
			return err
		}
	}
	v := c.View()
	state := s.history.State()
	held := state.Containers[v.Report.Container]
	c.Kill()
	took, err := s.regranted(ctx, time.Now(), v.Report.Container)
	if err != nil {
		return fmt.Errorf("%s was killed: %w", c.Name, err)
	}
	s.mu.Lock()
	s.regrants = append(s.regrants, took)
	s.mu.Unlock()
	s.out.say("the %d connections of %s, of which %d were open, were granted to others %v after kill -9",
		held.Charge, c.Name, v.Report.Open, took.Round(time.Millisecond))
	before := state.Incarnation
	if err := s.startContainer(c, 0); err != nil {
		return err
	}
	_, err = s.recovered(ctx, time.Now(), slack, before, false)
	return err
}

// regranted waits until nothing is charged for a container that was killed at a
// moment, and the others have all that they want or there is, and returns how long
// that took.
func (s *stage) regranted(ctx context.Context, killed time.Time, container string) (time.Duration, error) {
	for {
		state := s.history.State()
		took := time.Since(killed)
		err := regranted(&state, container)
		switch {
		case err == nil:
			return took, nil
		case took > regrantWithin:
			return took, fmt.Errorf("after %v %w", regrantWithin, err)
		}
		if err := wait(ctx, lookEvery); err != nil {
			return took, err
		}
	}
}

// regranted reports what is missing.
func regranted(state *judge.State, container string) error {
	if n := state.Containers[container].Charge; n > 0 {
		return fmt.Errorf("%d connections are charged for it", n)
	}
	want, units := 0, 0
	for id, c := range state.Containers {
		if id != container {
			want += c.Want
			units += c.Units
		}
	}
	if due := min(want, state.Available); units < due {
		return fmt.Errorf("%d connections are granted where %d are wanted and %d available", units, want, state.Available)
	}
	return nil
}
