package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
	"github.com/conncord/conncord/projector/web"
)

// A house is a server and its readers in virtual time, on connections that hold
// back whoever is not read.
type house struct {
	t      *testing.T
	conns  chan net.Conn
	closed chan struct{}
	server *http.Server
	cancel context.CancelFunc
	served chan error
	client *http.Client
}

func (h *house) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *house) Close() error {
	close(h.closed)
	return nil
}

func (h *house) Addr() net.Addr { return &net.TCPAddr{} }

func (h *house) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case h.conns <- far:
		return near, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// newHouse must be closed by the test, in its bubble.
func newHouse(t *testing.T, cfg web.Config) *house {
	ctx, cancel := context.WithCancel(context.Background())
	h := &house{t: t, conns: make(chan net.Conn), closed: make(chan struct{}), cancel: cancel, served: make(chan error, 1)}
	h.server = &http.Server{Handler: web.Handler(cfg), BaseContext: func(net.Listener) context.Context { return ctx }}
	h.client = &http.Client{Transport: &http.Transport{DialContext: h.dial}}
	go func() { h.served <- h.server.Serve(h) }()
	return h
}

// close ends the server as it should be ended: first what the streams live in.
func (h *house) close() {
	h.t.Helper()
	h.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	began := time.Now()
	if err := h.server.Shutdown(ctx); err != nil {
		h.t.Errorf("shut down: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		h.t.Errorf("the shutdown took %v", took)
	}
	<-h.served
	h.client.CloseIdleConnections()
}

// A reader reads a stream.
type reader struct {
	t      *testing.T
	answer *http.Response
	lines  *bufio.Reader
}

func (h *house) read() *reader {
	h.t.Helper()
	r, err := h.client.Get("http://localhost/api/events")
	if err != nil {
		h.t.Fatal(err)
	}
	return &reader{h.t, r, bufio.NewReader(r.Body)}
}

// next returns the next frame, without its last line break.
func (r *reader) next() string {
	r.t.Helper()
	var frame strings.Builder
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			r.t.Fatalf("the stream ended: %v", err)
		}
		if line == "\n" {
			return frame.String()
		}
		frame.WriteString(line)
	}
}

// status returns the next frame, which must be a status.
func (r *reader) status() *status.Status {
	r.t.Helper()
	frame := r.next()
	data, ok := strings.CutPrefix(frame, "event: status\ndata: ")
	if !ok {
		r.t.Fatalf("the stream has %.200q, want a status", frame)
	}
	st, err := status.Decode([]byte(data))
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// numbered is a status with a sequence number.
func numbered(n int) *status.Status {
	st := calm()
	st.Sequence = uint64(n)
	return st
}

func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := newSource(numbered(1))
		h := newHouse(t, web.Config{Source: src})
		defer h.close()
		r := h.read()
		if kind := r.answer.Header.Get("Content-Type"); r.answer.StatusCode != 200 || kind != "text/event-stream" {
			t.Fatalf("%d, %s", r.answer.StatusCode, kind)
		}
		if got := r.next(); got != "retry: 1000\n" {
			t.Errorf("the stream begins with %q", got)
		}
		if diff := cmp.Diff(src.Status().Summary(), r.status()); diff != "" {
			t.Errorf("the first status (-want +got):\n%s", diff)
		}

		// Long after the last one, a change comes at once.
		time.Sleep(time.Second)
		began := time.Now()
		src.show(numbered(2))
		if st := r.status(); st.Sequence != 2 || time.Since(began) != 0 {
			t.Errorf("record %d after %v, want 2 at once", st.Sequence, time.Since(began))
		}

		// Then nothing but signs of life.
		began = time.Now()
		for range 3 {
			if got := r.next(); got != ": still here\n" {
				t.Errorf("a quiet stream has %q", got)
			}
		}
		if took := time.Since(began); took != 3*web.HeartbeatEvery {
			t.Errorf("three heartbeats took %v, want %v", took, 3*web.HeartbeatEvery)
		}
		r.answer.Body.Close()
	})
}

// TestStreamSkips changes the status far more often than a stream may show it.
func TestStreamSkips(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := newSource(numbered(0))
		h := newHouse(t, web.Config{Source: src})
		defer h.close()
		r := h.read()
		r.next()
		const changes, every = 1000, time.Millisecond
		go func() {
			for i := 1; i <= changes; i++ {
				time.Sleep(every)
				src.show(numbered(i))
			}
		}()
		var seen int
		last, at := -1, time.Time{}
		for last < changes {
			st := r.status()
			if int(st.Sequence) <= last {
				t.Errorf("record %d after %d", st.Sequence, last)
			}
			if gap := time.Since(at); gap < web.StreamGap {
				t.Errorf("record %d comes %v after the one before", st.Sequence, gap)
			}
			last, at = int(st.Sequence), time.Now()
			seen++
		}
		if most := int(changes*every/web.StreamGap) + 2; seen > most || seen < most-3 {
			t.Errorf("%d statuses were sent in a second, want about %d", seen, most)
		}
		r.answer.Body.Close()
	})
}

// TestStreamBeforeData says why there is nothing, once for each reason, and goes on
// when there is something.
func TestStreamBeforeData(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := newSource(nil)
		why := make(chan string, 1)
		why <- "Redis does not answer."
		h := newHouse(t, web.Config{Source: src, Ready: func() (bool, string) {
			w := <-why
			why <- w
			return false, w
		}})
		defer h.close()
		r := h.read()
		r.next()
		for _, want := range []string{"Redis does not answer.", "The history is being read."} {
			if diff := cmp.Diff("event: none\ndata: {\"why\":"+jsonOf(want)+"}\n", r.next()); diff != "" {
				t.Errorf("before there is a status (-want +got):\n%s", diff)
			}
			time.Sleep(5 * time.Second)
			<-why
			why <- "The history is being read."
		}
		src.show(numbered(1))
		if st := r.status(); st.Sequence != 1 {
			t.Errorf("record %d, want 1", st.Sequence)
		}
		r.answer.Body.Close()
	})
}

func TestTooManyStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, web.Config{Source: newSource(numbered(1)), Logger: slog.New(slog.DiscardHandler)})
		defer h.close()
		readers := make([]*reader, web.MaxStreams)
		for i := range readers {
			readers[i] = h.read()
			readers[i].next()
		}
		one := h.read()
		text, err := io.ReadAll(one.lines)
		if err != nil {
			t.Fatal(err)
		}
		var refused struct{ Error string }
		if err := json.Unmarshal(text, &refused); err != nil {
			t.Fatal(err)
		}
		const want = "Too many pages and programs are watching: close one, or read /api/status."
		if one.answer.StatusCode != 503 || refused.Error != want {
			t.Errorf("one more: %d, %q, want 503, %q", one.answer.StatusCode, refused.Error, want)
		}
		one.answer.Body.Close()

		// When one leaves there is room again.
		readers[0].answer.Body.Close()
		synctest.Wait()
		again := h.read()
		if again.answer.StatusCode != 200 {
			t.Errorf("after one has left: %d, want 200", again.answer.StatusCode)
		}
		again.answer.Body.Close()
		for _, r := range readers {
			r.answer.Body.Close()
		}
	})
}

// TestSlowReader does not read: it is dropped when a write has waited for too long,
// and holds up nobody.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src := newSource(numbered(1))
		h := newHouse(t, web.Config{Source: src})
		defer h.close()
		conn, err := h.dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		quick := h.read()
		quick.next()
		for i := 2; i < 100; i++ {
			if st := quick.status(); int(st.Sequence) != i-1 {
				t.Fatalf("record %d, want %d", st.Sequence, i-1)
			}
			src.show(numbered(i))
		}
		quick.answer.Body.Close()

		time.Sleep(web.WriteTimeout)
		got, _ := io.ReadAll(conn) // what was on its way, and then the end
		if len(got) > 64<<10 {
			t.Errorf("%d bytes were kept for a reader who does not read", len(got))
		}
	})
}

// TestStreamsEndWithTheServer shuts down while streams are open. That it does not
// wait for them is checked in close.
func TestStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, web.Config{Source: newSource(numbered(1))})
		none := newHouse(t, web.Config{Source: newSource(nil)})
		readers := []*reader{h.read(), h.read(), none.read()}
		for _, r := range readers {
			r.next()
			r.next()
		}
		ends := make(chan error)
		for _, r := range readers {
			go func() {
				_, err := io.Copy(io.Discard, r.lines)
				r.answer.Body.Close()
				ends <- err
			}()
		}
		h.close()
		none.close()
		for range readers {
			if err := <-ends; err != nil {
				t.Errorf("a stream ends with %v, want with its end", err)
			}
		}
	})
}
