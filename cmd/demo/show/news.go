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
	charge    int
}

// watch tells when the connections of those who are gone came back.
func (s *stage) watch() {
	kept := s.watches[:0]
	for _, w := range s.watches {
		h := s.history.holding(w.container)
		if h.fell.Before(w.since) {
			kept = append(kept, w)
			continue
		}
		s.tell("%d of %s connections came back after %v", w.charge-h.charge, w.who, h.fell.Sub(w.since).Round(time.Millisecond))
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
