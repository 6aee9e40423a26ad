package trial

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/conncord/conncord/cmd/chaos/judge"
	"github.com/conncord/conncord/cmd/chaos/world"
)

// A part of the world that a fault is done to. Two faults at the same time are
// done to different parts.
type part uint8

const (
	toArbiters part = 1 << iota
	toContainers
	toRedis
	toLinks // all of them
	toDatabase
	toEyes // of the arbiters, with which they look at the database

	toAll = toArbiters | toContainers | toRedis | toLinks | toDatabase | toEyes
)

// A kind is one kind of fault.
type kind struct {
	name string
	to   part
	// plan prepares a fault of the kind as things are now, and returns nil when
	// it cannot be done now.
	plan func(*stage) *fault

	// eyes are what arbiters need to have for it.
	eyes world.Eyes
}

// A fault is something that goes wrong, from its begin to its end.
type fault struct {
	kind  *kind
	about string // what it is done to, for people
	hold  time.Duration

	begin, end func(context.Context) error // end may be nil

	// watch, which may be nil, goes on beside it from its begin until shortly
	// before its end, when its context ends.
	watch func(context.Context) error

	// after, which may be nil, judges how things are when all is whole again.
	after func(*judge.State) error

	recovery time.Duration // that the design allows after the end, without slack
	together time.Duration // the same when another fault happens at the same time; 0: no more than alone
	explains judge.Explanation

	// A new incarnation must follow, or it may.
	forgets, mayForget bool

	// As it happens:

	begun     bool
	alone     bool               // no other fault happens at the same time
	watched   func() error       // ends the watch
	ends      time.Time          // when it is to end
	explained func(at time.Time) // ends the explanation
}

// A stage is what kinds plan with.
type stage struct {
	*run
	rng  *rand.Rand
	offs int // faults that have nothing pass on some links
}

// between draws a duration. A run that is short takes short ones.
func (s *stage) between(least, most time.Duration) time.Duration {
	if s.opts.brief() {
		most = least + (most-least)/8
	}
	return least + time.Duration(s.rng.Int64N(int64(most-least)+1))
}

// ttls draws a duration in lease durations.
func (s *stage) ttls(least, most float64) time.Duration {
	ttl := float64(s.world.Settings.TTL)
	return s.between(time.Duration(least*ttl), time.Duration(most*ttl))
}

// leases draws a duration in leader's leases.
func (s *stage) leases(least, most float64) time.Duration {
	lease := float64(s.world.Settings.LeaderLease)
	return s.between(time.Duration(least*lease), time.Duration(most*lease))
}

// pick draws one of several.
func pick[T any](s *stage, all []T) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[s.rng.IntN(len(all))], true
}

// kinds are all kinds of faults.
func kinds() []*kind {
	var all []*kind
	for _, some := range [][]*kind{arbiterKinds, containerKinds, redisKinds, linkKinds, databaseKinds, killKinds, restKinds, strangerKinds, eyeKinds} {
		all = append(all, some...)
	}
	return all
}
