package trial

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
)

// loweredLimit is the limit that arbiters are told when it is lowered. The
// services' minimums still fit, and the database allows more.
const loweredLimit = 45

// arbiterKinds are what happens to the processes that decide. With the leader
// gone, nobody decides for the duration of its lease.
var arbiterKinds = []*kind{
	{name: "leader-kill", to: toArbiters, plan: func(s *stage) *fault {
		return s.onLeader(s.leases(0.5, 3), killed)
	}},
	{name: "standby-kill", to: toArbiters, plan: func(s *stage) *fault {
		return s.onArbiter(s.standby(), s.leases(0.5, 3), killed)
	}},
	{name: "leader-stop", to: toArbiters, plan: func(s *stage) *fault {
		return s.onLeader(s.leases(0.5, 3), func(a *world.Arbiter) { a.Stop() })
	}},
	{name: "leader-pause", to: toArbiters, plan: func(s *stage) *fault {
		a := s.leader()
		if a == nil {
			return nil
		}
		return &fault{
			about: a.ID(), hold: s.leases(1.5, 4), recovery: s.world.Settings.LeaderLease,
			begin: func(context.Context) error { a.Pause(); return nil },
			end:   func(context.Context) error { a.Resume(); return nil },
		}
	}},
	{name: "arbiters-kill", to: toArbiters, plan: func(s *stage) *fault {
		return &fault{
			about: "all three", hold: s.ttls(0.1, 0.3), recovery: s.world.Settings.LeaderLease,
			begin: func(context.Context) error {
				for _, a := range s.world.Arbiters {
					a.Kill()
				}
				return nil
			},
			end: func(context.Context) error {
				var errs []error
				for _, a := range s.world.Arbiters {
					errs = append(errs, a.Restart())
				}
				return errors.Join(errs...)
			},
			explains: judge.Explanation{Classes: outage}, // a busy machine starts them slowly
		}
	}},
	{name: "leader-cut", to: toArbiters, plan: func(s *stage) *fault { return s.leaderOff(world.Requests, world.Replies) }},
	{name: "leader-mute", to: toArbiters, plan: func(s *stage) *fault { return s.leaderOff(world.Requests) }},
	{name: "leader-deaf", to: toArbiters, plan: func(s *stage) *fault { return s.leaderOff(world.Replies) }},
	{name: "limit-lowered", to: toArbiters, plan: func(s *stage) *fault {
		return &fault{
			about: "to 45 and back", hold: s.ttls(0.3, 2), recovery: s.world.Settings.LeaderLease,
			begin: func(context.Context) error { return s.rollOut(loweredLimit) },
			end:   func(context.Context) error { return s.rollOut(s.world.Settings.Limit) },
		}
	}},
}

func killed(a *world.Arbiter) { a.Kill() }

// onLeader ends the leader's process in some way.
func (s *stage) onLeader(hold time.Duration, end func(*world.Arbiter)) *fault {
	return s.onArbiter(s.leader(), hold, end)
}

// onArbiter ends an arbiter's process in some way, and starts another one when
// the fault is over.
func (s *stage) onArbiter(a *world.Arbiter, hold time.Duration, end func(*world.Arbiter)) *fault {
	if a == nil {
		return nil
	}
	return &fault{
		about: a.ID(), hold: hold, recovery: s.world.Settings.LeaderLease,
		begin: func(context.Context) error { end(a); return nil },
		end:   func(context.Context) error { return a.Restart() },
	}
}

// leaderOff has nothing pass between the leader and Redis in some directions.
func (s *stage) leaderOff(directions ...string) *fault {
	a := s.leader()
	if a == nil {
		return nil
	}
	f := s.off([]*world.Link{a.Link}, directions)
	f.about, f.hold = a.ID()+", "+f.about, s.leases(1.5, 6)
	return f
}

// rollOut restarts the arbiters one by one, the leader last, with another limit.
func (s *stage) rollOut(limit int) error {
	s.world.SetLimit(limit)
	all := append([]*world.Arbiter(nil), s.world.Arbiters...)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	leader := s.leader()
	for i, a := range all {
		if a == leader {
			all[i], all[len(all)-1] = all[len(all)-1], a
		}
	}
	for _, a := range all {
		a.Stop()
		if err := a.Restart(); err != nil {
			return err
		}
	}
	return nil
}

// leader returns who leads, nil if nobody alive does.
func (s *stage) leader() *world.Arbiter {
	return s.world.Arbiter(s.leaderID(context.Background()))
}

// standby returns one that does not lead.
func (s *stage) standby() *world.Arbiter {
	leader := s.leader()
	var others []*world.Arbiter
	for _, a := range s.world.Arbiters {
		if a != leader && a.Alive() {
			others = append(others, a)
		}
	}
	a, _ := pick(s, others)
	return a
}
