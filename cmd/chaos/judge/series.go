package judge

import "time"

// A series is a number that changes now and then.
type series []point

type point struct {
	at    time.Time
	value int
}

// keepFor is how long a series remembers; nothing older is ever judged.
const keepFor = 10 * time.Second

// add notes that the number is so from a moment on.
func (s *series) add(at time.Time, value int) {
	if n := len(*s); n > 0 && (*s)[n-1].value == value {
		return
	}
	*s = append(*s, point{at, value})
	old := 0
	for old+1 < len(*s) && at.Sub((*s)[old+1].at) > keepFor {
		old++
	}
	if old > len(*s)/2 {
		*s = append(series(nil), (*s)[old:]...)
	}
}

// during returns the least and the greatest value between two moments, 0 where
// there was none yet.
func (s series) during(from, to time.Time) (least, most int) {
	first := true
	note := func(v int) {
		if first {
			least, most, first = v, v, false
		}
		least, most = min(least, v), max(most, v)
	}
	before := 0
	for _, p := range s {
		switch {
		case !p.at.After(from):
			before = p.value
		case !p.at.After(to):
			if first {
				note(before)
			}
			note(p.value)
		}
	}
	if first {
		note(before)
	}
	return least, most
}

// now returns the newest value.
func (s series) now() int {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].value
}
