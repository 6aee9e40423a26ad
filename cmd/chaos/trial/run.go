package trial

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
	"github.com/conncord/conncord/cmd/demo/service"
	"github.com/conncord/conncord/events"
)

const (
	// databaseLimit is max_connections, what Supabase's smallest database has.
	databaseLimit = 60

	// maxLeaderLease is the daemon's default. With short leases the leader's is
	// shorter, in about the proportion that a deployment has at worst: a leader's
	// end must not last until leases run out.
	maxLeaderLease  = time.Second
	leaderLeasePart = 6

	// startWithin bounds the start of everything.
	startWithin = 90 * time.Second
)

// A run is one run of chaos.
type run struct {
	opts    options
	out     *report
	world   *world.World
	history *judge.History
	limits  *judge.Limits
	clients *judge.Failures
	watch   *redis.Client

	stop context.CancelCauseFunc // ends the run with what went wrong

	mu         sync.Mutex
	violations []violation
	owners     map[string]string // role → id of the container
	loads      map[*world.Container]int
	sessions   map[string]int64 // role → sessions so far

	rounds   []round
	regrants []time.Duration // from a kill -9 to the grant of all that was held
}

// A violation is something that must not be.
type violation struct {
	at  time.Time
	err error
}

// budget is the name of what the containers share.
const budget = "chaos"

// errViolation ends a run.
var errViolation = errors.New("a promise was broken")

// fail notes a violation and ends the run.
func (r *run) fail(err error) {
	r.mu.Lock()
	r.violations = append(r.violations, violation{time.Now(), err})
	r.mu.Unlock()
	r.stop(errViolation)
}

// Failed implements [world.Listener].
func (r *run) Failed(err error) { r.fail(err) }

// Reported implements [world.Listener].
func (r *run) Reported(c *world.Container, role string, old, now service.Report) {
	r.mu.Lock()
	r.owners[role] = now.Container
	r.sessions[role] = now.Sessions
	r.mu.Unlock()
	r.clients.Take(c.Name, role, old, now, time.Now())
}

// owner returns the id of the container that has a role.
func (r *run) owner(role string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.owners[role]
}

// heard sees every line that a process logs.
func (r *run) heard(line world.Line) {
	if r.opts.verbose {
		r.out.say("%s: %s", line.From, line.Text)
	}
	if judge.Broken(line.Text) {
		r.fail(fmt.Errorf("%s says: %s", line.From, line.Text))
	}
	if line.From != "postgres" {
		return
	}
	if role, refused := judge.Refuses(line.Text); refused && role != world.StrangerRole { // of these it is known
		r.clients.Refused(role, line.Text, line.At)
	}
}

// execute runs everything and returns when all of it is gone.
func (r *run) execute(ctx context.Context) {
	ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	dir, err := os.MkdirTemp("", "conncord-chaos-")
	if err != nil {
		r.fail(err)
		return
	}
	defer os.RemoveAll(dir)
	archive := filepath.Join(dir, "history")
	if r.opts.keep != "" {
		archive = r.opts.keep
	}
	if r.history, err = judge.NewHistory(archive, budget, r.fail); err != nil {
		r.fail(err)
		return
	}
	r.limits = judge.NewLimits(r.history, databaseLimit-superuserSlots, r.owner, r.fail)
	r.clients = judge.NewFailures(r.fail)
	if err := r.perform(ctx); err != nil && !errors.Is(err, errViolation) && ctx.Err() == nil {
		r.fail(err)
	}
	if err := r.history.Close(); err != nil {
		r.fail(err)
	}
	r.out.say("deriving the whole history again")
	totals, err := judge.Verify(archive)
	if err != nil {
		r.fail(err)
	}
	r.out.totals = totals
}

// perform starts the world, lets it suffer, and ends it.
func (r *run) perform(ctx context.Context) (err error) {
	diary := r.out.diary
	start, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	settings := world.Settings{
		Budget: budget, Limit: databaseLimit, Reserve: (databaseLimit + 9) / 10,
		TTL: r.opts.ttl, LeaderLease: min(r.opts.ttl/leaderLeasePart, maxLeaderLease), Pace: pace,
		Eyes: r.opts.eyes,
	}
	if r.world, err = world.Start(start, settings, diary, r); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.world.Stop()) }()
	if r.watch, err = events.OpenRedis(r.world.Watch.URL(), 1); err != nil {
		return err
	}
	defer r.watch.Close()

	measure, stopMeasuring := context.WithCancel(context.Background())
	var measuring sync.WaitGroup
	measuring.Go(func() {
		if err := r.history.Follow(measure, r.world.Watch.URL(), settings.Budget); err != nil {
			r.fail(err)
		}
	})
	measuring.Go(func() { r.count(measure) })

	err = r.suffer(ctx)
	r.out.say("ending")
	r.world.StopContainers()
	err = errors.Join(err, r.nothingLeft())
	stopMeasuring()
	measuring.Wait() // two that read the history would both take the same records
	return errors.Join(err, r.history.Finish(context.Background(), r.world.Watch.URL(), settings.Budget))
}

// suffer has faults happen until the time is up.
func (r *run) suffer(ctx context.Context) error {
	begun := time.Now()
	r.load(rand.New(rand.NewPCG(r.opts.seed, 0)))
	if took, err := r.recovered(ctx, begun, startWithin, 0, false); err != nil {
		return fmt.Errorf("begin: %w", err)
	} else {
		r.out.say("whole after %v", took.Round(time.Millisecond))
	}
	bag := newBag(r.opts.kinds, rand.New(rand.NewPCG(r.opts.seed, 1)))
	end := time.Now().Add(r.opts.duration)
	for number := 1; time.Now().Before(end); number++ {
		s := &stage{run: r, rng: rand.New(rand.NewPCG(r.opts.seed, uint64(number)+1))}
		if err := s.round(ctx, number, bag); err != nil {
			return err
		}
	}
	return nil
}
