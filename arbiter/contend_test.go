package arbiter_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/conncord/conncord/arbiter"
)

// contend has all speakers do so many things, while so many leaders are killed,
// and returns what they did and saw.
func (r *rig) contend(seed uint64, acts, kills int) (history []act) {
	r.t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	left := &atomic.Int64{}
	left.Store(int64(kills))
	for i := range kills + 1 {
		n := start(r.t, r.url, fmt.Sprint("n", i), func(c *arbiter.Config) { c.Policy = patient() })
		n.dies(left, 2+rng.IntN(2))
	}
	began := time.Now()
	var talking sync.WaitGroup
	all := make([]*speaker, speakers)
	for place := range all {
		s := r.speaker(place, rand.New(rand.NewPCG(seed, uint64(place)+1)), began)
		all[place] = s
		talking.Go(func() {
			for range acts {
				s.act()
			}
		})
	}
	talking.Wait()
	for _, s := range all {
		history = append(history, s.history...)
	}
	return history
}

// dies loses the reply to the arbiter's second commit, and kills it around that
// or a later one if any are left to be killed: before the commit reached Redis,
// or after it, untold.
func (n *node) dies(left *atomic.Int64, at int) {
	commits, untold := 0, false
	before := func(call string) error {
		if call != "commit" {
			return nil
		}
		commits++
		if commits < at {
			return nil
		}
		switch kills := left.Add(-1); {
		case kills < 0:
			n.tap.set(nil, nil)
			return nil
		case kills%2 == 0:
			untold = true
			return nil
		}
		n.tap.set(func(string) error { return errDead }, nil)
		return errDead
	}
	n.tap.set(before, func(call string, err error) error {
		switch {
		case call != "commit":
			return err
		case untold:
			n.tap.set(func(string) error { return errDead }, nil)
			return errDead
		case commits == 2:
			return errDead
		}
		return err
	})
}
