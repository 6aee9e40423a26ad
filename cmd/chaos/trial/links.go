package trial

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/cmd/demo/service"
)

// outage are the failures that a container's lease running out explains: what
// lies above its fallback is closed under its users.
var outage = []service.Class{service.Cut, service.Broken}

// linkKinds are what happens to all ways to Redis at once. But for the outage,
// nobody may notice them.
var linkKinds = []*kind{
	{name: "everybody-cut", to: toLinks, plan: func(s *stage) *fault {
		links := s.world.ProcessLinks()
		f := s.off(links, []string{world.Requests, world.Replies})
		if s.rng.IntN(2) == 0 {
			f = s.refused(links)
		}
		f.hold, f.recovery = s.ttls(0.3, 1.5), s.world.Settings.LeaderLease
		f.explains = judge.Explanation{Classes: outage}
		return f
	}},
	{name: "latency", to: toLinks, plan: func(s *stage) *fault {
		// A leader needs some round trips within its lease.
		each := (s.world.Settings.LeaderLease / 25).Milliseconds()
		return s.slow(fmt.Sprintf("%d ms each way", each), 0, "latency", map[string]any{"latency": each, "jitter": each / 2})
	}},
	{name: "slow-close", to: toLinks, plan: func(s *stage) *fault {
		return s.slow("connections close 700 ms late", 0, "slow_close", map[string]any{"delay": 700})
	}},
	{name: "slicer", to: toLinks, plan: func(s *stage) *fault {
		return s.slow("packets of 24 bytes", 0, "slicer", map[string]any{"average_size": 24, "size_variation": 8, "delay": 50})
	}},
	{name: "bandwidth", to: toLinks, plan: func(s *stage) *fault {
		return s.slow("40 KB/s each", 0, "bandwidth", map[string]any{"rate": 40})
	}},
	{name: "reset-peer", to: toLinks, plan: func(s *stage) *fault {
		f := s.slow("every third connection is reset", 0.3, "reset_peer", map[string]any{"timeout": 100})
		f.explains = judge.Explanation{Classes: outage}
		return f
	}},
}

// slow disturbs all links in both directions.
func (s *stage) slow(about string, share float32, toxic string, settings map[string]any) *fault {
	var ds []world.Disturbance
	for _, direction := range []string{world.Requests, world.Replies} {
		ds = append(ds, world.Disturbance{Kind: toxic, Direction: direction, Settings: settings, Part: share, For: "all"})
	}
	f := s.disturbed(s.world.ProcessLinks(), ds)
	f.about, f.hold = about, s.ttls(0.5, 2)
	return f
}

// held is how long a stalled direction holds back what is sent: until it is
// mended.
const held = time.Hour

// off has nothing pass on some links in some directions. What is sent is either
// lost, or arrives when the links are mended, as TCP has it.
func (s *stage) off(links []*world.Link, directions []string) *fault {
	toxic, settings, about := "timeout", map[string]any{"timeout": 0}, "packets are lost"
	if s.rng.IntN(2) == 0 {
		toxic, settings, about = "latency", map[string]any{"latency": held.Milliseconds()}, "packets are late"
	}
	s.offs++ // a link can be off twice: with everybody's and by itself
	var ds []world.Disturbance
	for _, direction := range directions {
		ds = append(ds, world.Disturbance{Kind: toxic, Direction: direction, Settings: settings, For: fmt.Sprint("off", s.offs)})
	}
	f := s.disturbed(links, ds)
	f.about = about
	return f
}

// disturbed disturbs some links.
func (s *stage) disturbed(links []*world.Link, ds []world.Disturbance) *fault {
	all := func(do func(*world.Link, world.Disturbance) error) error {
		errs := make([]error, len(links))
		var wg sync.WaitGroup
		for i, l := range links {
			wg.Go(func() {
				for _, d := range ds {
					errs[i] = errors.Join(errs[i], do(l, d))
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	}
	return &fault{
		recovery: s.world.Settings.LeaderLease,
		begin:    func(context.Context) error { return all((*world.Link).Disturb) },
		end:      func(context.Context) error { return all((*world.Link).Calm) },
	}
}

// refused has some links refuse connections.
func (s *stage) refused(links []*world.Link) *fault {
	return &fault{
		about: "connections are refused", recovery: s.world.Settings.LeaderLease,
		begin: func(context.Context) error {
			for _, l := range links {
				l.Cut()
			}
			return nil
		},
		end: func(context.Context) error {
			var errs []error
			for _, l := range links {
				errs = append(errs, l.Mend())
			}
			return errors.Join(errs...)
		},
	}
}
