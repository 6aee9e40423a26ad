package world

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/conncord/conncord/cmd/demo/service"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// endWithin is how long a process may take to end in good order.
const endWithin = 5 * time.Second

// Settings say how the world is.
type Settings struct {
	Budget      string
	Limit       int           // max_connections of the database
	Reserve     int           // of these, kept back; the arbiter's default
	TTL         time.Duration // of the containers' leases
	LeaderLease time.Duration
	Pace        int // how much slower than in the demo callers are
	Eyes        Eyes
}

// Eyes say what the arbiters see and do of the database.
type Eyes int

// The eyes that arbiters can have.
const (
	Books   Eyes = iota // they go by their books alone
	Looking             // they look at the database
	Fencing             // and end what expired leases have left there
)

func (e Eyes) String() string {
	return [...]string{"by their books", "looking", "looking and fencing"}[e]
}

// Headroom is what arbiters that look leave free: for what can come between two
// looks without anybody's having to be refused. These are two connections of a
// container in trouble of which nobody knows, one of an arbiter that leads where
// another one stands still, and one of a stranger or of chaos itself.
const Headroom = 4

// Available is what the containers can share.
func (s *Settings) Available() int { return s.Limit - s.Reserve }

// Fleet is which containers there are: twelve, of all five services.
var Fleet = []struct {
	Service string
	Count   int
}{{"scraper", 3}, {"api", 3}, {"viewer", 2}, {"monitoring", 2}, {"external", 2}}

// arbiters is how many arbiters there are.
const arbiters = 3

// A Listener hears what happens. Its methods are called by many goroutines and
// must be quick.
type Listener interface {
	// Reported is called with each report of a container's process, and the one
	// before it.
	Reported(c *Container, role string, old, r service.Report)
	// Failed is called with what must not happen: a process that ended by itself.
	Failed(error)
}

// A World is everything that runs.
type World struct {
	Settings   Settings
	Diary      *Diary
	Postgres   *servertest.Postgres
	Redis      *Redis
	Arbiters   []*Arbiter
	Containers []*Container
	Watch      *Link // the judge's own link, which is never disturbed

	listener Listener
	board    *switchboard

	mu       sync.Mutex
	lastRole int
	limit    int // that arbiters are started with
}

// Start starts everything. The context bounds it.
func Start(ctx context.Context, s Settings, diary *Diary, listener Listener) (w *World, err error) {
	w = &World{Settings: s, Diary: diary, listener: listener, board: newSwitchboard(), limit: s.Limit}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Stop())
		}
	}()
	if w.Postgres, err = startDatabase(ctx, &s, diary); err != nil {
		return w, err
	}
	if w.Redis, err = startRedis(ctx, w.board, diary.Writer("redis")); err != nil {
		return w, err
	}
	if w.Watch, err = w.link("the judge"); err != nil {
		return w, err
	}
	for i := range arbiters {
		a := &Arbiter{Name: fmt.Sprintf("arbiter-%d", i+1), world: w}
		if a.Link, err = w.link(a.Name); err != nil {
			return w, err
		}
		w.Arbiters = append(w.Arbiters, a)
		if s.Eyes != Books {
			if a.Sees, err = w.look(a.Name); err != nil {
				return w, err
			}
		}
		// Nobody holds a connection yet: the first history needs no barrier.
		if err := a.start(s.Limit, true); err != nil {
			return w, err
		}
	}
	for _, f := range Fleet {
		for i := range f.Count {
			c := &Container{Name: fmt.Sprintf("%s-%d", f.Service, i+1), Service: f.Service, world: w}
			if c.Link, err = w.link(c.Name); err != nil {
				return w, err
			}
			w.Containers = append(w.Containers, c)
			if err := c.Start(0); err != nil {
				return w, err
			}
		}
	}
	return w, nil
}

// link makes a link to the master.
func (w *World) link(name string) (*Link, error) {
	l, err := w.board.connect(name, w.Redis.Master.Addr())
	if err == nil {
		w.Redis.links = append(w.Redis.links, l)
	}
	return l, err
}

// look makes a link to the database.
func (w *World) look(name string) (*Link, error) {
	u, err := url.Parse(w.Postgres.URL())
	if err != nil {
		return nil, err
	}
	return w.board.connect(name+"'s eyes", u.Host)
}

// StopContainers ends all containers in good order.
func (w *World) StopContainers() { each(w.Containers, (*Container).Stop) }

// Stop ends everything and waits for it. What is gone already is no error.
func (w *World) Stop() error {
	w.StopContainers()
	each(w.Arbiters, (*Arbiter).Stop)
	for _, a := range w.Arbiters {
		if a.Sees != nil {
			a.Sees.Cut()
		}
	}
	var errs []error
	if w.Redis != nil {
		for _, l := range w.Redis.links {
			l.Cut()
		}
		errs = append(errs, w.Redis.stop())
	}
	if w.Postgres != nil {
		errs = append(errs, w.Postgres.Stop())
	}
	return errors.Join(errs...)
}

// each does something to all at the same time and waits for it.
func each[T any](all []T, do func(T)) {
	var wg sync.WaitGroup
	for _, one := range all {
		wg.Go(func() { do(one) })
	}
	wg.Wait()
}

// Limit returns the limit that arbiters are started with.
func (w *World) Limit() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limit
}

// SetLimit changes the limit that arbiters are started with.
func (w *World) SetLimit(limit int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit = limit
}

// Eyes returns the links of the arbiters to the database.
func (w *World) Eyes() (all []*Link) {
	for _, a := range w.Arbiters {
		if a.Sees != nil {
			all = append(all, a.Sees)
		}
	}
	return all
}

// ProcessLinks returns the links of all arbiters and containers to Redis.
func (w *World) ProcessLinks() []*Link {
	var all []*Link
	for _, a := range w.Arbiters {
		all = append(all, a.Link)
	}
	for _, c := range w.Containers {
		all = append(all, c.Link)
	}
	return all
}

// Arbiter returns the arbiter whose process has the id, nil if none has.
func (w *World) Arbiter(id string) *Arbiter {
	for _, a := range w.Arbiters {
		if a.ID() == id {
			return a
		}
	}
	return nil
}

// Keys names what the budget keeps in Redis.
func (w *World) Keys() events.Keys { return events.NewKeys(w.Settings.Budget) }

func (w *World) fail(err error) { w.listener.Failed(err) }

func (w *World) reported(c *Container, role string, old, r service.Report) {
	w.listener.Reported(c, role, old, r)
}
