package judge

import (
	"fmt"
	"sync"
	"time"
)

const (
	// settle is how long a count waits until it is judged: by then the records
	// that belong to it have been read.
	settle = 2 * time.Second

	// around is how far what the ledger said may lie from a count. The record is
	// in Redis before a container can act on it, but this program may read it a
	// little later than the container does.
	around = time.Second
)

// A Count is how many backends there were at a moment.
type Count struct {
	At    time.Time
	Total int
	Roles map[string]int // of each container's role
	All   int            // strangers and arbiters among them, but no superusers
}

// An Excuse allows one container some connections above what it is charged for,
// because a limit of Conncord that its documentation names says that it can have
// them.
type Excuse struct {
	Role string
	Why  string
	From time.Time
	Most int // connections; 0: as many as it has
}

// Limits judge how many connections there are. They are safe for concurrent
// use.
type Limits struct {
	history *History
	usable  int                      // connections that the database gives to ordinary roles
	owner   func(role string) string // id of the container that has the role
	failed  func(error)
	excuses reasons[Excuse]

	mu      sync.Mutex
	newest  Count
	pending []Count // to be judged when they have settled
	tally   Tally
}

// A Tally sums the counts up.
type Tally struct {
	Counts    int
	Peak      int           // of the containers' connections
	PeakAll   int           // of all
	OverLimit int           // counts that nothing explains
	Excused   int           // counts that an excuse explains
	MostOver  int           // connections above what was available, explained ones included
	Longest   time.Duration // between two counts, while the database was there
	Watched   time.Duration // between all of them
	last      time.Time
}

// Every is the mean time between two counts.
func (t *Tally) Every() time.Duration { return t.Watched / time.Duration(max(1, t.Counts)) }

// NewLimits returns limits for counts above what the history allows, and above what
// the database gives to ordinary roles.
func NewLimits(h *History, usable int, owner func(role string) string, failed func(error)) *Limits {
	return &Limits{history: h, usable: usable, owner: owner, failed: failed}
}

// Excuse adds an excuse. It goes on until end is called with a moment, which may
// lie ahead.
func (l *Limits) Excuse(e Excuse) (end func(at time.Time)) { return l.excuses.add(e) }

// Interrupted notes that the database was away: the time since the last count
// is none in which it was not looked.
func (l *Limits) Interrupted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tally.last = time.Time{}
}

// Take takes a count.
func (l *Limits) Take(c Count) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &l.tally
	t.Counts++
	t.Peak, t.PeakAll = max(t.Peak, c.Total), max(t.PeakAll, c.All)
	l.newest = c
	if !t.last.IsZero() {
		t.Longest = max(t.Longest, c.At.Sub(t.last))
		t.Watched += c.At.Sub(t.last)
	}
	t.last = c.At
	l.pending = append(l.pending, c)
	l.judgeLocked(c.At.Add(-settle))
}

// Newest returns the last count.
func (l *Limits) Newest() Count {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest
}

// Finish judges what is left and returns the sums.
func (l *Limits) Finish() Tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.judgeLocked(time.Now())
	return l.tally
}

// judgeLocked judges the counts up to a moment.
func (l *Limits) judgeLocked(until time.Time) {
	n := 0
	for n < len(l.pending) && !l.pending[n].At.After(until) {
		l.judgeOne(&l.pending[n])
		n++
	}
	l.pending = l.pending[n:]
}

func (l *Limits) judgeOne(c *Count) {
	if c.All > l.usable {
		l.tally.OverLimit++
		l.failed(fmt.Errorf("there were %d connections in all where the database has %d: of containers %v", c.All, l.usable, c.Roles))
	}
	ids := make([]string, 0, len(c.Roles))
	for role := range c.Roles {
		ids = append(ids, l.owner(role))
	}
	allowed, charges := l.history.bounds(c.At.Add(-around), c.At.Add(around), ids)
	over := c.Total - allowed
	if over <= 0 {
		return
	}
	l.tally.MostOver = max(l.tally.MostOver, over)
	excused, why := 0, ""
	excuses := l.excuses.at(c.At)
	for role, n := range c.Roles {
		above := max(0, n-charges[l.owner(role)])
		most := 0
		for _, e := range excuses {
			if e.Role == role && !c.At.Before(e.From) {
				if e.Most == 0 {
					most = above
				}
				most = max(most, min(above, e.Most))
				why += fmt.Sprintf(" (%s: %d above its charge, %s)", role, above, e.Why)
			}
		}
		excused += most
	}
	if over <= excused {
		l.tally.Excused++
		return
	}
	l.tally.OverLimit++
	if l.tally.OverLimit == 1 {
		l.failed(fmt.Errorf("there were %d connections where %d may be, of which %d are explained%s: by role %v, charged %v",
			c.Total, allowed, excused, why, c.Roles, charges))
	}
}
