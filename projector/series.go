package projector

import (
	"time"

	"github.com/conncord/conncord/projector/fold"
	"github.com/conncord/conncord/projector/status"
)

// How far back samples go, and how far they lie apart.
const (
	sampleEvery = 5 * time.Second
	maxSamples  = int(time.Hour / sampleEvery)
)

// A series is the samples of the last hour, in a ring.
type series struct {
	ring []status.Sample
	next int // where the next one goes when the ring is full
	last time.Time
}

// due reports whether it is time for a sample.
func (s *series) due(at time.Time) bool { return at.Sub(s.last) >= sampleEvery }

func (s *series) add(sample status.Sample) {
	s.last = sample.At
	if len(s.ring) < maxSamples {
		s.ring = append(s.ring, sample)
		return
	}
	s.ring[s.next] = sample
	s.next = (s.next + 1) % maxSamples
}

// all returns the samples, oldest first.
func (s *series) all() []status.Sample {
	samples := make([]status.Sample, 0, len(s.ring))
	return append(append(samples, s.ring[s.next:]...), s.ring[:s.next]...)
}

// sample takes a sample of a state if it is time. Of a past that is read anew
// there are samples already. The lock must be held.
func (p *Projector) sample(state *fold.State, at time.Time) {
	if !p.series.due(at) || time.Since(at) > time.Hour || !state.Known() {
		return
	}
	if at.After(time.Now()) {
		at = time.Now() // the clock of an arbiter is ahead
	}
	p.series.add(state.Sample(at))
}
