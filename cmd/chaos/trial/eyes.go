package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
)

// eyeKinds are what happens between the arbiters and the database. Nobody may
// notice; what was seen last goes on to count.
var eyeKinds = []*kind{
	{name: "eyes-blind", to: toEyes, eyes: world.Looking, plan: func(s *stage) *fault {
		told := func(statement string) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := s.world.Ask(ctx, statement)
				return err
			}
		}
		return &fault{
			about: "without pg_monitor", hold: s.ttls(0.3, 2), recovery: s.world.Settings.LeaderLease,
			begin: told("revoke pg_monitor from " + world.ArbiterRole),
			end:   told("grant pg_monitor to " + world.ArbiterRole),
		}
	}},
	{name: "eyes-cut", to: toEyes, eyes: world.Looking, plan: func(s *stage) *fault {
		f := s.refused(s.world.Eyes())
		if s.rng.IntN(2) == 0 {
			f = s.off(s.world.Eyes(), []string{world.Requests, world.Replies})
		}
		f.hold = s.ttls(0.3, 2)
		return f
	}},
	{name: "eyes-deaf", to: toEyes, eyes: world.Looking, plan: func(s *stage) *fault {
		f := s.off(s.world.Eyes(), []string{world.Replies})
		f.hold = s.ttls(0.3, 2)
		return f
	}},
	{name: "eyes-slow", to: toEyes, eyes: world.Looking, plan: func(s *stage) *fault {
		each := s.between(100*time.Millisecond, 1500*time.Millisecond).Milliseconds()
		f := s.disturbed(s.world.Eyes(), []world.Disturbance{{
			Kind: "latency", Direction: world.Replies, For: "all", Settings: map[string]any{"latency": each, "jitter": each / 4},
		}})
		f.about, f.hold = fmt.Sprintf("answers take %d ms", each), s.ttls(0.3, 2)
		return f
	}},
	{name: "eyes-refused", to: toEyes, eyes: world.Looking, plan: func(s *stage) *fault {
		var ends func(at time.Time)
		return &fault{
			about: "CONNECTION LIMIT 0 for the arbiters' role", hold: s.ttls(0.3, 2), recovery: s.world.Settings.LeaderLease,
			begin: func(ctx context.Context) error {
				ends = s.clients.Fill(judge.Full{From: time.Now(), Text: "too many connections for role",
					Roles: func(role string) bool { return role == world.ArbiterRole }})
				if _, err := s.world.Ask(ctx, "alter role "+world.ArbiterRole+" connection limit 0"); err != nil {
					return err
				}
				_, err := s.world.Ask(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", world.ArbiterRole)
				return err
			},
			end: func(ctx context.Context) error {
				_, err := s.world.Ask(ctx, "alter role "+world.ArbiterRole+" connection limit -1")
				ends(time.Now().Add(tail))
				return err
			},
		}
	}},
}
