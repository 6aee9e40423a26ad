package trial

import (
	"context"
	"errors"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
)

// redisKinds are what happens to Redis. When it has forgotten something, or may
// have, a new incarnation begins behind a barrier: nobody gains for one TTL, and
// for one more the services' minimums are kept back.
var redisKinds = []*kind{
	{name: "redis-pause", to: toRedis, plan: func(s *stage) *fault {
		return s.onRedis("", s.ttls(0.3, 1.5),
			func(context.Context) error { return s.world.Redis.Master.Pause() },
			func(context.Context) error { return s.world.Redis.Master.Resume() })
	}},
	{name: "redis-kill", to: toRedis, plan: func(s *stage) *fault {
		return s.forgotten("with its data", s.ttls(0.1, 1.5),
			func(context.Context) error { s.world.Redis.Master.Kill(); return nil },
			func(ctx context.Context) error { return s.world.Redis.Master.Restart(ctx) })
	}},
	{name: "redis-rollback", to: toRedis, plan: func(s *stage) *fault {
		var goBack func(context.Context) error
		return s.forgotten("to its data of before", s.writes(),
			func(context.Context) (err error) { goBack, err = s.world.Redis.Save(); return err },
			func(ctx context.Context) error { s.world.Redis.Master.Kill(); return goBack(ctx) })
	}},
	{name: "redis-empty", to: toRedis, plan: func(s *stage) *fault {
		return s.forgotten("without its data", s.ttls(0.1, 1.5),
			func(context.Context) error { s.world.Redis.Master.Kill(); return nil },
			func(ctx context.Context) error { return s.world.Redis.Master.RestartEmpty(ctx) })
	}},
	{name: "redis-flush", to: toRedis, plan: func(s *stage) *fault {
		return s.forgotten("FLUSHALL", 0, s.told("FLUSHALL"), nil)
	}},
	{name: "redis-promote", to: toRedis | toLinks, plan: func(s *stage) *fault {
		return s.forgotten("a replica that lacks writes", s.writes(),
			func(context.Context) error { s.world.Redis.Lag(); return nil },
			func(ctx context.Context) error {
				return errors.Join(s.world.Redis.Promote(ctx), s.world.Redis.Rejoin(ctx))
			})
	}},
	{name: "redis-disk-full", to: toRedis, plan: func(s *stage) *fault {
		return s.onRedis("", s.ttls(0.5, 1.5),
			func(context.Context) error { return s.world.Redis.Master.FillDisk() },
			func(context.Context) error { return s.world.Redis.Master.FreeDisk() })
	}},
	{name: "redis-noscript", to: toRedis, plan: func(s *stage) *fault {
		return s.onRedis("SCRIPT FLUSH", 0, s.told("SCRIPT", "FLUSH"), nil)
	}},
	{name: "redis-readonly", to: toRedis, plan: func(s *stage) *fault {
		f := s.onRedis("replica of nobody", s.ttls(0.3, 1.5),
			s.told("REPLICAOF", "127.0.0.1", "1"), s.told("REPLICAOF", "NO", "ONE"))
		f.mayForget = true // it cannot be seen whether it has followed another master
		return f
	}},
	{name: "redis-oom", to: toRedis, plan: func(s *stage) *fault {
		return s.onRedis("maxmemory 1", s.ttls(0.3, 1.5),
			s.told("CONFIG", "SET", "maxmemory", "1"), s.told("CONFIG", "SET", "maxmemory", "0"))
	}},
	{name: "garbage", to: toRedis, plan: func(s *stage) *fault {
		return s.onRedis("in the inbox", 0, s.litter, nil)
	}},
}

// onRedis is a fault after which Redis has all that it had. While it lasts,
// leases can run out.
func (s *stage) onRedis(about string, hold time.Duration, begin, end func(context.Context) error) *fault {
	return &fault{
		about: about, hold: hold, begin: begin, end: end,
		recovery: s.world.Settings.LeaderLease,
		explains: judge.Explanation{Classes: outage},
	}
}

// forgotten is a fault after which Redis is another one.
func (s *stage) forgotten(about string, hold time.Duration, begin, end func(context.Context) error) *fault {
	f := s.onRedis(about, hold, begin, end)
	f.forgets = true
	return f
}

// writes draws for how long writes go on that are lost then.
func (s *stage) writes() time.Duration { return s.between(300*time.Millisecond, 2*time.Second) }

// told sends the master a command.
func (s *stage) told(command ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := s.world.Redis.Master.Do(ctx, command...)
		return err
	}
}
