package observer

import "time"

const (
	// minPause is the first pause after a failure: a restarted server is found again within one round of looks.
	minPause = 100 * time.Millisecond

	// maxPause bounds the doubling: it is what a database in trouble is asked for, and the longest that one that is
	// well again goes unnoticed.
	maxPause = 3 * time.Second
)

// A pacer keeps pauses between attempts to connect.
type pacer struct {
	pause   time.Duration // the last one; 0 after a success
	next    time.Time     // not before
	failure error         // why
}

func (p *pacer) failed(now time.Time, err error) {
	p.pause = min(max(2*p.pause, minPause), maxPause)
	p.next, p.failure = now.Add(p.pause), err
}

func (p *pacer) succeeded() { *p = pacer{} }

// wait returns how long to wait from now on, 0 or less for not at all.
func (p *pacer) wait(now time.Time) time.Duration { return p.next.Sub(now) }
