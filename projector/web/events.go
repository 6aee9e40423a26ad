package web

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/conncord/conncord/projector/status"
)

const (
	// maxStreams bounds the streams. Each costs a connection and a goroutine, and
	// with many services up to 200 KB a second.
	maxStreams = 64

	// streamGap is the least time between two statuses on a stream. People do not
	// see more, and 20,000 events a second must not become as many frames.
	streamGap = 100 * time.Millisecond

	// heartbeatEvery is how often a quiet stream shows that it lives, well within
	// the minute after which proxies cut quiet connections.
	heartbeatEvery = 15 * time.Second

	// writeTimeout is how long a reader may take to make room for a frame. One
	// that stands still for longer has lost its connection, or is asleep.
	writeTimeout = 5 * time.Second

	// askEvery is how often a stream looks, before there is a status, whether the
	// reason for that has changed.
	askEvery = time.Second
)

// streams counts the open streams.
type streams struct{ open atomic.Int64 }

// enter reports whether there is room for one more; whoever got in must leave.
func (s *streams) enter() bool {
	if s.open.Add(1) > maxStreams {
		s.leave()
		return false
	}
	return true
}

func (s *streams) leave() { s.open.Add(-1) }

// events answers /api/events: the status at once, and again when it has changed.
func (s *site) events(w http.ResponseWriter, r *http.Request) {
	if !s.streams.enter() {
		s.logger.Warn("too many streams are open: one was refused", "open", maxStreams)
		w.Header().Set("Retry-After", "10")
		refuse(w, r, http.StatusServiceUnavailable, "Too many pages and programs are watching: close one, or read /api/status.")
		return
	}
	defer s.streams.leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would keep frames back to fill a buffer
	if r.Method == http.MethodHead {
		return
	}
	out := stream{w: w, control: http.NewResponseController(w)}
	// A stream outlives what the server allows for reading a request. Where deadlines
	// cannot be set there are none.
	_ = out.control.SetReadDeadline(time.Time{})
	if err := s.follow(r, &out); err != nil {
		s.logger.Debug("a stream was dropped", "reader", r.RemoteAddr, "error", err)
	}
}

// follow sends until the reader or the server goes, and returns the error of the
// write that failed.
func (s *site) follow(r *http.Request, out *stream) error {
	if err := out.write([]byte("retry: 1000\n\n")); err != nil {
		return err
	}
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	ask := time.NewTicker(askEvery)
	defer ask.Stop()
	for {
		// In this order, so that no change falls between.
		changed := s.source.Changed()
		frame, err := s.news(out)
		if err != nil {
			return err
		}
		if frame != nil {
			if err := out.write(frame); err != nil {
				return err
			}
			heartbeat.Reset(heartbeatEvery)
			select {
			case <-r.Context().Done():
				return nil
			case <-time.After(streamGap):
			}
		}
		if out.shown != nil {
			ask.Stop()
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-changed:
		case <-ask.C:
		case <-heartbeat.C:
			if err := out.write([]byte(": still here\n\n")); err != nil {
				return err
			}
		}
	}
}

// news returns the frame that the reader should see next; nil if there is nothing
// new. Before there is a status that is why there is none, once for each reason.
func (s *site) news(out *stream) ([]byte, error) {
	if e := s.edition(); e != nil {
		if e.status == out.shown {
			return nil, nil
		}
		out.shown = e.status
		return e.frame()
	}
	why := noStatus
	if ok, reason := s.ready(); !ok {
		why = reason
	}
	if why == out.said {
		return nil, nil
	}
	out.said = why
	return frame("none", map[string]string{"why": why})
}

// A stream is one reader's connection.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	shown   *status.Status // the newest that was sent
	said    string         // why there was no status, as last sent
}

// write sends a frame at once, or fails when the reader makes no room for it in
// time.
func (s *stream) write(frame []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.w.Write(frame); err != nil {
		return err
	}
	return s.control.Flush()
}
