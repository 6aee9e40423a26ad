package trial

import (
	"context"
	"fmt"
	"strconv"
	"syscall"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/cmd/demo/service"
)

// gone are the failures that a database explains which ends connections or is
// down.
var gone = []service.Class{service.Away, service.Broken, service.Cut}

// databaseKinds are what happens to PostgreSQL. Leases are not concerned, but
// everything that callers do is.
var databaseKinds = []*kind{
	{name: "database-restart", to: toDatabase, plan: func(s *stage) *fault {
		return s.onDatabase("", func(ctx context.Context) error { return s.world.Postgres.Restart(ctx) })
	}},
	{name: "database-kill", to: toDatabase, plan: func(s *stage) *fault {
		f := s.onDatabase("", func(context.Context) error { s.world.Postgres.Kill(); return nil })
		f.hold = s.ttls(0.1, 1)
		f.end = func(ctx context.Context) error { return s.world.Postgres.Restart(ctx) }
		return f
	}},
	{name: "backend-kill", to: toDatabase, plan: func(s *stage) *fault {
		return s.onDatabase("one of a container's", func(ctx context.Context) error {
			pids, err := s.backends(ctx)
			if err != nil {
				return err
			}
			pid, ok := pick(s, pids)
			if !ok {
				return fmt.Errorf("no container has a connection")
			}
			return syscall.Kill(pid, syscall.SIGKILL)
		})
	}},
	{name: "backends-terminate", to: toDatabase, plan: func(s *stage) *fault {
		return s.onDatabase("every second one", func(ctx context.Context) error {
			_, err := s.world.Ask(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where usename like $1 and pid % 2 = 0", world.RolePrefix+"%")
			return err
		})
	}},
	{name: "database-pause", to: toDatabase, plan: func(s *stage) *fault {
		var pids []int
		signal := func(sig syscall.Signal) error {
			for _, pid := range pids {
				_ = syscall.Kill(pid, sig) // what is gone needs none
			}
			return nil
		}
		return &fault{
			about: "all its processes", hold: s.ttls(0.1, 0.3), recovery: s.world.Settings.LeaderLease,
			begin: func(ctx context.Context) (err error) {
				if pids, err = s.backends(ctx); err != nil {
					return err
				}
				pids = append(pids, s.world.Postgres.Pid())
				return signal(syscall.SIGSTOP)
			},
			end: func(context.Context) error {
				s.limits.Interrupted() // nobody could be counted
				return signal(syscall.SIGCONT)
			},
		}
	}},
}

func (s *stage) onDatabase(about string, begin func(context.Context) error) *fault {
	return &fault{
		about: about, begin: begin, recovery: s.world.Settings.LeaderLease,
		explains: judge.Explanation{Classes: gone},
	}
}

// backends returns the process ids of the containers' backends.
func (s *stage) backends(ctx context.Context) (pids []int, err error) {
	texts, err := s.world.Ask(ctx, "select pid from pg_stat_activity where usename like $1", world.RolePrefix+"%")
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		pid, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
