package judge

import (
	"sync"
	"time"
)

// reasons are what allows something that would be a violation otherwise, each
// while it goes on. They are safe for concurrent use.
type reasons[R any] struct {
	mu  sync.Mutex
	all []*reason[R]
}

type reason[R any] struct {
	given R
	until time.Time // zero while it goes on
}

// add adds a reason. It goes on until end is called with a moment, which may lie
// ahead.
func (s *reasons[R]) add(given R) (end func(at time.Time)) {
	one := &reason[R]{given: given}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, one)
	return func(at time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		one.until = at
	}
}

// at returns those that had not ended at a moment.
func (s *reasons[R]) at(moment time.Time) (given []R) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		if one.until.IsZero() || !moment.After(one.until) {
			given = append(given, one.given)
		}
	}
	return given
}
