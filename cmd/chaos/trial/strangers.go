package trial

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
)

const (
	// fewest and most are how many strangers come one by one. The services' minimums
	// still fit beside them.
	fewest, most = 3, 12

	// crowdOf is how many strangers a burst has at most. Containers keep enough for
	// all to go on.
	crowdOf = 25

	// pressEvery is how often those of a burst who were refused try again.
	pressEvery = 20 * time.Millisecond

	// seenWithin is how long the arbiter may take to see a stranger and to get back
	// what is needed for it: a look a second, and a query that is under way.
	seenWithin = 3 * time.Second

	// emptiesWithin is how long after a burst its backends may still be there, and
	// others therefore refused.
	emptiesWithin = 2 * time.Second

	// forgottenWithin is how long strangers count after they are gone: ten seconds,
	// and a look.
	forgottenWithin = 13 * time.Second

	// narrowed is the database's CONNECTION LIMIT when it is lowered, and
	// narrowedWithin how long until the arbiter has seen it and leases are down.
	narrowed       = 40
	narrowedWithin = 4 * time.Second

	tooManyConnections = "53300"
)

// strangerKinds are what comes past Conncord.
var strangerKinds = []*kind{
	{name: "strangers", to: toDatabase | toRedis, eyes: world.Looking, plan: (*stage).strangers},
	{name: "strangers-burst", to: toDatabase | toRedis | toContainers, eyes: world.Looking, plan: (*stage).burst},
	{name: "database-limit", to: toAll, eyes: world.Looking, plan: func(s *stage) *fault {
		limit := func(ctx context.Context, n int) error {
			_, err := s.world.Ask(ctx, fmt.Sprintf("alter database app connection limit %d", n))
			return err
		}
		return &fault{
			about: fmt.Sprintf("CONNECTION LIMIT %d and none again", narrowed), hold: narrowedWithin + s.ttls(0.1, 1),
			begin: func(ctx context.Context) error {
				if err := limit(ctx, narrowed); err != nil {
					return err
				}
				now := time.Now()
				s.clients.Fill(judge.Full{From: now.Add(-time.Second), Roles: anybody, Text: "too many connections for database"})(now.Add(narrowedWithin))
				return s.within(ctx, narrowedWithin, func(state *judge.State) error {
					if state.Available >= narrowed || state.Charged > state.Available {
						return fmt.Errorf("%d connections are charged and %d available where the database gives %d", state.Charged, state.Available, narrowed)
					}
					return nil
				})
			},
			end: func(ctx context.Context) error { return limit(ctx, -1) },
		}
	}},
}

func anybody(string) bool { return true }

// within waits until something is so in the history.
func (s *stage) within(ctx context.Context, d time.Duration, so func(*judge.State) error) error {
	late := time.Now().Add(d)
	for {
		state := s.history.State()
		err := so(&state)
		if err == nil {
			return nil
		}
		if time.Now().After(late) {
			return fmt.Errorf("after %v %w", d, err)
		}
		if err := wait(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// strangers come one by one, each when the arbiter has made room for the next one,
// as people with psql do; neither they nor containers may be refused.
func (s *stage) strangers() *fault {
	before := s.history.State()
	count := fewest + s.rng.IntN(most-fewest+1)
	var conns []*pgconn.PgConn
	f := &fault{about: fmt.Sprintf("up to %d", count), hold: seenWithin + s.ttls(0.1, 1.5), recovery: s.world.Settings.LeaderLease}
	f.begin = func(context.Context) error { return nil }
	f.watch = func(ctx context.Context) error {
		for len(conns) < count {
			err := s.within(ctx, seenWithin, func(state *judge.State) error { return room(state, &before, len(conns)) })
			switch {
			case ctx.Err() != nil:
				return nil
			case err != nil && f.alone:
				return fmt.Errorf("there is no room for another stranger beside %d: %w", len(conns), err)
			case err != nil:
				continue
			}
			conn, err := s.world.Stranger(context.WithoutCancel(ctx))
			if err != nil {
				return fmt.Errorf("stranger %d: %w", len(conns)+1, err)
			}
			conns = append(conns, conn)
		}
		<-ctx.Done()
		return nil
	}
	f.end = func(ctx context.Context) error {
		n := len(conns)
		if err := s.alive(conns); err != nil {
			return err
		}
		leave(ctx, conns)
		s.out.say("%d strangers are gone", n)
		if !f.alone || s.opts.brief() {
			return nil
		}
		return s.within(ctx, forgottenWithin, func(state *judge.State) error {
			if was := before.Available + before.Look.External; state.Available < was {
				return fmt.Errorf("%d strangers are gone and %d connections available, of %d", n, state.Available, was)
			}
			return nil
		})
	}
	return f
}

// room reports why no more strangers may come where there are some.
func room(state, before *judge.State, strangers int) error {
	switch {
	case state.Incarnation != before.Incarnation, state.Barrier > 0:
		return errors.New("it is not known what containers have")
	case state.Look.External < strangers:
		return fmt.Errorf("%d strangers are seen", state.Look.External)
	case state.Charged > state.Available:
		return fmt.Errorf("%d connections are charged where %d are available", state.Charged, state.Available)
	}
	return nil
}

// alive reports strangers whose connection was ended.
func (s *stage) alive(conns []*pgconn.PgConn) error {
	ctx, cancel := context.WithTimeout(context.Background(), slack)
	defer cancel()
	for i, conn := range conns {
		if _, err := conn.Exec(ctx, "select 1").ReadAll(); err != nil {
			return fmt.Errorf("stranger %d: %w", i+1, err)
		}
	}
	return nil
}

// leave ends all these connections.
func leave(ctx context.Context, conns []*pgconn.PgConn) {
	for _, conn := range conns {
		_ = conn.Close(ctx)
	}
}

// burst has strangers take all that the database has, without asking.
func (s *stage) burst() *fault {
	var conns []*pgconn.PgConn
	refused := 0
	f := &fault{about: "until the database is full", hold: s.ttls(0.4, 1.5), recovery: s.world.Settings.LeaderLease}
	var empties func(at time.Time)
	f.begin = func(context.Context) error {
		empties = s.clients.Fill(judge.Full{From: time.Now(), Roles: anybody})
		return nil
	}
	f.watch = func(ctx context.Context) error {
		for ctx.Err() == nil {
			for len(conns) < crowdOf {
				conn, err := s.world.Stranger(context.WithoutCancel(ctx))
				var pg *pgconn.PgError
				if errors.As(err, &pg) && pg.Code == tooManyConnections {
					refused++
					break
				}
				if err != nil {
					return fmt.Errorf("stranger %d: %w", len(conns)+1, err)
				}
				conns = append(conns, conn)
			}
			_ = wait(ctx, pressEvery)
		}
		return nil
	}
	f.end = func(ctx context.Context) error {
		n := len(conns)
		err := s.alive(conns)
		leave(ctx, slices.Clone(conns))
		empties(time.Now().Add(emptiesWithin))
		s.out.say("%d strangers are gone, who were refused %d times", n, refused)
		if err == nil && refused == 0 && n < crowdOf {
			err = errors.New("the database was never full")
		}
		return err
	}
	return f
}
