package show

import (
	"time"

	"github.com/conncord/conncord/cmd/demo/service"
)

// A row is one service as the table shows it.
type row struct {
	name       string
	priority   int
	containers int
	granted    int // connections that its containers may hold
	charged    int // and may still hold: more after a recall or a kill -9
	wanted     int
	inUse      int
	waiting    int
	rate       int // sessions in the last second
}

// A view is everything that the table shows.
type view struct {
	rows     []row
	total    row
	elapsed  time.Duration
	duration time.Duration
	scene    string
	figures  figures
	charged  int
	poll     pollView
	news     []string // the newest last

	available int // now
	guests    int // connections past Conncord
}

// part is how much of the time has passed, 0 to 1.
func (v *view) part() float64 { return min(1, v.elapsed.Seconds()/v.duration.Seconds()) }

// tally adds up what the containers of a service reported, those that have ended
// included.
type tally struct {
	containers, wanted, inUse, waiting int
	sessions, refused, failed, givenUp int64
	lastError                          string
}

func (t *tally) add(r *service.Report, ended bool) {
	t.sessions += r.Sessions
	t.refused += r.Refused
	t.failed += r.Failed
	t.givenUp += r.GivenUp
	if r.LastError != "" {
		t.lastError = r.LastError
	}
	if !ended {
		t.containers++
		t.wanted += r.Want
		t.inUse += r.InUse
		t.waiting += r.Waiting
	}
}

// rates finds out how many sessions there are in a second.
type rates struct {
	samples []sample
}

type sample struct {
	at       time.Time
	sessions map[string]int64
}

// window is the time over which a rate is taken.
const window = time.Second

// note takes the sums at a moment and returns each service's rate.
func (r *rates) note(at time.Time, sessions map[string]int64) map[string]int {
	r.samples = append(r.samples, sample{at, sessions})
	for len(r.samples) > 2 && at.Sub(r.samples[1].at) >= window {
		r.samples = r.samples[1:]
	}
	first := r.samples[0]
	rate := map[string]int{}
	if d := at.Sub(first.at); d > 0 {
		for name, n := range sessions {
			rate[name] = int(float64(n-first.sessions[name])/d.Seconds() + 0.5)
		}
	}
	return rate
}
