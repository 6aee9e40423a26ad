package simulation

import (
	"math/rand/v2"
	"time"
)

// A loop is the only thing that moves in a simulated world: it does what is due,
// in the order of virtual time, and what is due at the same moment in the order
// in which it was planned.
type loop struct {
	now   time.Duration
	count uint64
	heap  []*event
	steps int
}

// An event is something that happens at a moment.
type event struct {
	at    time.Duration
	order uint64
	do    func() // nil: cancelled
}

func (e *event) cancel() {
	if e != nil {
		e.do = nil
	}
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.order < o.order
}

// after plans something for d from now.
func (l *loop) after(d time.Duration, do func()) *event {
	l.count++
	e := &event{at: l.now + max(d, 0), order: l.count, do: do}
	l.heap = append(l.heap, e)
	for i := len(l.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !l.heap[i].before(l.heap[up]) {
			break
		}
		l.heap[i], l.heap[up] = l.heap[up], l.heap[i]
		i = up
	}
	return e
}

// pop removes the earliest event.
func (l *loop) pop() *event {
	h := l.heap
	top, n := h[0], len(h)-1
	h[0], h[n] = h[n], nil
	h = h[:n]
	for i := 0; ; {
		least := i
		for _, down := range []int{2*i + 1, 2*i + 2} {
			if down < n && h[down].before(h[least]) {
				least = down
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	l.heap = h
	return top
}

// run lets time pass until the given moment, or until stop says so.
func (l *loop) run(until time.Duration, stop func() bool) {
	for len(l.heap) > 0 && l.heap[0].at <= until {
		e := l.pop()
		if e.do == nil {
			continue
		}
		l.now = e.at
		l.steps++
		e.do()
		if stop() {
			return
		}
	}
	l.now = until
}

// dice returns the random numbers of one part of the world. Each part has its
// own, so that leaving out what happens to one changes as little as possible
// for the others.
func dice(seed uint64, part string) *rand.Rand {
	h := uint64(14695981039346656037)
	for i := range len(part) {
		h = (h ^ uint64(part[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h))
}

// between returns a duration from lo up to hi.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(r.Int64N(int64(hi-lo)))
}

// one reports true once in n times.
func one(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }
