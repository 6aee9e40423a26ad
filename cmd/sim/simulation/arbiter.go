package simulation

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/events"
)

// budget is the name of the one budget of a world.
const budget = "sim"

// A node is a place where arbiters run, one after the other.
type node struct {
	Candidate
	w       *world
	name    string
	link    *link
	policy  events.Policy
	started int
	ghosts  map[*box]ghosts // in the newest look from here

	run *process // nil: none
}

// A process is one life of an arbiter. Its code runs in a coroutine, in turn with
// the world.
type process struct {
	*node
	arbiter *arbiter.Arbiter
	ctx     context.Context
	cancel  context.CancelFunc
	co      *coroutine
	lookout *lookout // nil: it does not see the database

	paused  int  // how many faults have it stand still
	ready   bool // it may go on, but is paused
	dead    bool
	call    *call  // under way
	idle    *event // a sleep under way
	replies []any
	failed  error
	trap    *trap
}

// configure has arbiters that start here from now on ask for one of the plan's
// policies, by a version of the rule that they know.
func (n *node) configure(policy int) {
	n.policy = n.w.plan.Policies[policy%len(n.w.plan.Policies)]
	n.policy.Rule = min(n.policy.Rule, n.Rules)
}

// start starts an arbiter if none runs here. With fresh, the operator said that
// no container holds a connection.
func (n *node) start(fresh bool) {
	if n.run != nil {
		return
	}
	n.started++
	p := &process{node: n}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	inner := events.NewLog(budget, p.client(), p.client())
	var err error
	config := arbiter.Config{
		Log: &nodeLog{Log: inner, node: n}, Policy: n.policy, ID: fmt.Sprintf("%s.%d", n.name, n.started),
		Lease: n.w.plan.Lease, Fresh: fresh, Clock: p, Logger: n.w.logger(n.name),
	}
	if n.Looks && n.w.db != nil {
		p.lookout = newLookout(p)
		config.Lookout, config.Headroom, config.Fence = p.lookout, n.w.db.Headroom, n.w.db.Fence
	}
	p.arbiter, err = arbiter.New(config)
	if err != nil {
		panic(err) // the plan is wrong
	}
	p.co = newCoroutine(func() {
		_ = p.arbiter.Run(p.ctx)
		_ = inner.Close()
	})
	n.run = p
	p.wake()
}

// kill is kill -9.
func (n *node) kill() {
	if p := n.run; p != nil {
		p.give()
		p.dead = true
		p.co.kill()
		p.cancel()
		n.run = nil
	}
}

// stop asks the arbiter to end: it hands over, if it leads.
func (n *node) stop() {
	p := n.run
	if p == nil {
		return
	}
	p.cancel()
	switch {
	case p.idle != nil:
		p.idle.cancel()
		p.idle = nil
		p.wake()
	case p.call != nil && p.call.waiting != nil:
		p.call.give() // a read that waits is interrupted
		p.call = nil
		p.failed = errClosed
		p.wake()
	}
}

// give gives up what the process waits for.
func (p *process) give() {
	if p.call != nil {
		p.call.give()
	}
	p.idle.cancel()
}

// wake lets the process go on until it waits again.
func (p *process) wake() {
	if p.dead {
		return
	}
	if p.paused > 0 {
		p.ready = true
		return
	}
	p.co.resume()
	if p.co.ended {
		p.dead = true
		p.node.run = nil
	}
}

// unpause lets a process that stood still go on.
func (p *process) unpause() {
	if p.paused--; p.paused == 0 && p.ready {
		p.ready = false
		p.wake()
	}
}

// Now implements [arbiter.Clock].
func (p *process) Now() time.Time { return clock(p.w.now, p.Rate) }

// Sleep implements [arbiter.Clock].
func (p *process) Sleep(ctx context.Context, d time.Duration) {
	if ctx.Err() != nil {
		return
	}
	p.idle = p.w.after(d*1000/time.Duration(p.Rate), func() {
		p.idle = nil
		p.wake()
	})
	p.co.park()
}

// clock is what a clock of the rate shows, in thousandths of the true one's.
func clock(now time.Duration, rate int) time.Time {
	return time.Unix(1_700_000_000, 0).Add(now * time.Duration(rate) / 1000)
}

// client returns a client of the library whose commands go through the simulated
// network.
func (p *process) client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, Protocol: 2})
	c.AddHook(hook{p})
	return c
}

// exchange sends commands, waits for the replies, and returns them.
func (p *process) exchange(commands [][]string, block time.Duration) ([]any, error) {
	t := p.spring()
	if t != nil && t.step == 0 {
		p.close()
		p.co.park()
	}
	p.call = p.link.ask(commands, block, func(replies []any, err error) {
		p.call = nil
		p.replies, p.failed = replies, err
		if t != nil {
			p.close()
			return
		}
		p.wake()
	})
	if t != nil {
		switch t.step {
		case 1:
			p.close()
		case 2:
			p.call.executed = p.close
		}
	}
	p.co.park()
	replies, err := p.replies, p.failed
	p.replies, p.failed = nil, nil
	return replies, err
}

// logger returns where a part of the world logs.
func (w *world) logger(part string) *slog.Logger {
	if w.trace == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
		w.tellf("%s: %s", part, b[:len(b)-1])
		return len(b), nil
	}), &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "arbiter" {
			return slog.Attr{}
		}
		return a
	}}))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

var _ io.Writer = writerFunc(nil)
