package show

import (
	"fmt"
	"time"
)

// maxNews is how many news the table shows.
const maxNews = 4

// A watch waits for the connections of a container that was ended to come back.
type watch struct {
	container string
	who       string
	since     time.Time
	killed    bool
}

// watch tells when what those had who are gone came back.
func (s *stage) watch() {
	kept := s.watches[:0]
	for _, w := range s.watches {
		h := s.history.holding(w.container)
		took := s.history.regrant(w.container)
		switch {
		case w.killed && took > 0:
			s.regrant = took
			s.tell("%s connections were granted to others %v after kill -9", w.who, took.Round(time.Millisecond))
		case !w.killed && h.emptied.After(w.since):
			s.tell("%s connections came back after %v", w.who, h.emptied.Sub(w.since).Round(time.Millisecond))
		default:
			kept = append(kept, w)
		}
	}
	s.watches = kept
}

// tell adds to the news.
func (s *stage) tell(format string, args ...any) {
	text := fmt.Sprintf("%5.1fs  %s", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
	s.screen.news(text)
	s.news = append(s.news, text)
	s.news = s.news[max(0, len(s.news)-maxNews):]
}
