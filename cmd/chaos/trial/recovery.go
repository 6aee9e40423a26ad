package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/events"
)

// recovered waits until everything is whole again after a fault that ended at a
// moment, and returns how long that took. former is the incarnation before the
// fault; with forgets it must be over by then. A new one takes longer: it begins
// behind a barrier of one TTL, and keeps the minimums back for another.
func (r *run) recovered(ctx context.Context, ended time.Time, within time.Duration, former uint64, forgets bool) (time.Duration, error) {
	before := map[string]int64{}
	r.mu.Lock()
	for role, n := range r.sessions {
		before[role] = n
	}
	r.mu.Unlock()
	for {
		state := r.history.State()
		if state.Incarnation != former {
			within = max(within, slack+2*r.world.Settings.TTL)
		}
		err := r.whole(ctx, &state, ended, before)
		if forgets && state.Incarnation == former {
			err = errors.New("no new incarnation has begun although Redis forgot something")
		}
		took := time.Since(ended)
		if err == nil {
			return took, nil
		}
		if took > within {
			return took, fmt.Errorf("not whole again within %v: %w", within, err)
		}
		if err := wait(ctx, lookEvery); err != nil {
			return took, err
		}
	}
}

// whole reports what is not as it should be.
func (r *run) whole(ctx context.Context, state *judge.State, since time.Time, before map[string]int64) error {
	var members []judge.Member
	for _, c := range r.world.Containers {
		v := c.View()
		c.Order(r.orderOf(c)) // it could not be told while it was paused
		if !v.Running || v.Paused {
			return fmt.Errorf("%s does not run", c.Name)
		}
		members = append(members, judge.Member{
			Name: c.Name, Container: v.Report.Container, Mode: v.Report.Mode, Granted: v.Report.Granted,
			Callers: v.Callers, At: v.At, Sessions: v.Report.Sessions - before[v.Role],
		})
	}
	leader := r.leaderID(ctx)
	if a := r.world.Arbiter(leader); a == nil || !a.Alive() {
		leader = ""
	}
	return judge.Whole(state, members, leader, since)
}

// leaderID returns who leads by what Redis says, "" if nobody does or Redis
// does not say.
func (r *run) leaderID(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, events.CallTimeout)
	defer cancel()
	return r.watch.Get(ctx, r.world.Keys().Leader).Val()
}
