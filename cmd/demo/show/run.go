package show

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"syscall"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/arbiter/observer"
	"github.com/conncord/conncord/cmd/internal/crew"
	"github.com/conncord/conncord/cmd/internal/page"
	"github.com/conncord/conncord/events"
)

// Run runs the demo as the environment says and returns the exit status. The
// last line on stdout is the verdict.
func Run(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) int {
	opts, err := readOptions(getenv)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return ExitUsage
	}
	ctx, interrupted, stop := notice(ctx)
	defer stop()
	fmt.Fprintf(stdout, "starting: this takes a few seconds, and then %v\n", opts.duration)
	d := demo{opts: opts, stdout: stdout, budget: "demo-" + randomName()}
	d.log = slog.New(slog.NewTextHandler(&d.words, &slog.HandlerOptions{Level: slog.LevelWarn}))
	f := d.run(ctx)

	line, status := f.lastLine()
	if sig := interrupted(); sig != nil {
		line, status = fmt.Sprintf("demo: interrupted (%v) %v", sig, &f), exitSignal+int(sig.(syscall.Signal))
	} else if status != ExitOK {
		if words := d.words.String(); words != "" {
			fmt.Fprintln(stderr, words)
		}
	}
	fmt.Fprintln(stdout, line)
	return status
}

// A demo is one run.
type demo struct {
	opts   options
	stdout io.Writer
	budget string
	log    *slog.Logger
	words  crew.LastWords // what was logged
}

// run starts everything, performs the play, removes everything and returns the
// figures.
func (d *demo) run(ctx context.Context) (f figures) {
	fail := func(err error) {
		if err != nil {
			f.faults = append(f.faults, err.Error())
		}
	}
	db, err := d.database(ctx)
	f.limit, f.available = db.limit, max(0, db.available())
	if err != nil {
		fail(err)
		return f
	}
	defer func() { fail(db.stop()) }()
	for _, note := range db.notes {
		fmt.Fprintln(d.stdout, "note: "+note)
	}
	policy := d.policy(&db)
	if err := policy.Check(); err != nil {
		fail(err)
		return f
	}
	redisURL, removeRedis, err := d.redis(ctx)
	if err != nil {
		fail(err)
		return f
	}
	history := newHistory()
	defer func() { fail(removeRedis(history.ids())) }()

	stopArbiter, err := d.arbiter(redisURL, policy, &db)
	if err != nil {
		fail(err)
		return f
	}
	defer stopArbiter()
	follower, err := events.OpenLog(redisURL, d.budget)
	if err != nil {
		fail(err)
		return f
	}
	defer follower.Close()

	poller := &poller{db: db}
	measure, stopMeasuring := context.WithCancel(context.Background())
	var measuring sync.WaitGroup
	measuring.Go(func() { history.follow(measure, follower) })
	measuring.Go(func() { poller.run(measure) })

	stage := &stage{opts: d.opts, db: db, redisURL: redisURL, budget: d.budget, history: history, poller: poller, screen: newScreen(d.stdout, d.opts)}
	stage.perform(ctx)
	stopMeasuring()
	measuring.Wait()
	fail(history.finish(context.Background(), follower))
	judged := stage.judge()
	judged.faults = append(judged.faults, f.faults...)
	f = judged
	for _, note := range stage.notes() {
		fmt.Fprintln(d.stdout, "note: "+note)
	}
	return f
}

func (d *demo) database(ctx context.Context) (database, error) {
	if d.opts.databaseURL == "" {
		return startDatabase(ctx)
	}
	return useDatabase(ctx, d.opts.databaseURL, d.opts.limit, d.budget)
}

// policy is what the arbiter goes by: the built-in services.
func (d *demo) policy(db *database) events.Policy {
	return events.Policy{
		Rule: events.RuleVersion, Plan: "demo", Limit: db.limit, Reserve: db.reserve,
		TTL: ttl, Margin: ttl / 50,
		Unlisted: events.UnlistedService(), Services: events.BuiltinServices(),
	}
}

// redis returns the URL of a Redis, and how to remove what the demo did to it.
func (d *demo) redis(ctx context.Context) (url string, remove func(containers []string) error, err error) {
	if url = d.opts.redisURL; url != "" {
		return url, func(containers []string) error {
			return deleteBudget(context.Background(), url, d.budget, containers)
		}, checkRedis(ctx, url)
	}
	url, stop, err := startRedis()
	return url, func([]string) error { stop(); return nil }, err
}

// pageAddr is where the demo's page is: at a free port of this machine.
const pageAddr = "127.0.0.1:0"

// arbiter starts the arbiter, which looks at the database, and its page. Nobody holds a connection of this budget yet, so
// it need not wait for anybody: it is a fresh one.
func (d *demo) arbiter(redisURL string, policy events.Policy, db *database) (stop func(), err error) {
	log, err := events.OpenLog(redisURL, d.budget)
	if err != nil {
		return nil, err
	}
	eyes, err := observer.New(observer.Config{URL: db.arbiterURL, Budget: d.budget, Platform: db.platform, Logger: d.log})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	lookout := observer.NewLookout(eyes)
	a, err := arbiter.New(arbiter.Config{Log: log, Policy: policy, Lookout: lookout, Headroom: headroom, Fresh: true, Logger: d.log})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	shown, err := page.Open(page.Config{RedisURL: redisURL, Budget: d.budget, Arbiter: a, Addr: pageAddr, Version: "demo", Logger: d.log})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	fmt.Fprintf(d.stdout, "live page: %s\n", shown.URL())
	fmt.Fprintf(d.stdout, "in another terminal: go run ./cmd/monitor --redis-url %s --budget %s\n", redisURL, d.budget)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = a.Run(ctx) })         // it never fails: it tries again
	running.Go(func() { _ = lookout.Run(ctx) })   // nor does this
	running.Go(func() { _ = shown.Project(ctx) }) // nor this
	running.Go(func() {
		if err := shown.Serve(); err != nil {
			d.log.Warn("the page is not served any more", "error", err)
		}
	})
	return func() {
		cancel()
		shown.Shutdown()
		running.Wait()
		shown.Close()
		_ = log.Close()
	}, nil
}

// notes are what is worth knowing but no reason to fail.
func (s *stage) notes() (notes []string) {
	if poll := s.poller.look(); poll.every() > slowPoll {
		notes = append(notes, fmt.Sprintf("the connections were counted every %.1f ms only, at worst after %.0f ms: the machine is busy",
			milliseconds(poll.every()), milliseconds(poll.longest)))
	}
	for _, service := range services {
		if t := s.tallies()[service.Name]; t.failed > 0 {
			notes = append(notes, fmt.Sprintf("%d sessions of the %s failed, the last with: %s", t.failed, service.Name, oneLine(t.lastError)))
		}
	}
	return notes
}

func randomName() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return strings.ToLower(hex.EncodeToString(b[:]))
}
