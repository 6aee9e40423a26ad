package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
)

const patience = 20 * time.Second

// A receiver takes what is posted, and answers as the test says.
type receiver struct {
	*httptest.Server
	bodies chan []byte
	mu     sync.Mutex
	answer []int // the next statuses; when none is left, 200
}

func newReceiver(t *testing.T, answer ...int) *receiver {
	r := &receiver{bodies: make(chan []byte, 100), answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		if got := req.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("content type %q", got)
		}
		r.mu.Lock()
		code := http.StatusOK
		if len(r.answer) > 0 {
			code, r.answer = r.answer[0], r.answer[1:]
		}
		r.mu.Unlock()
		w.WriteHeader(code)
		r.bodies <- body
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) next(t *testing.T) []byte {
	t.Helper()
	select {
	case body := <-r.bodies:
		return body
	case <-time.After(patience):
		t.Fatal("nothing was posted")
		return nil
	}
}

// post runs a webhook until the test ends.
func post(t *testing.T, url string) (w *Webhook, log *buffer, stop func()) {
	t.Helper()
	log = &buffer{}
	w, err := NewWebhook(url, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w.client.RetryWaitMin, w.client.RetryWaitMax = time.Millisecond, 2*time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return w, log, stop
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func message() Message {
	return NewMessage("shop", status.Critical, []Change{
		{Alert: status.Alert{Name: NoLeader, Severity: status.Critical, Summary: "No arbiter leads.", Since: start}},
		{Alert: status.Alert{Name: ServiceMissing, Service: "api", Severity: status.Warning, Summary: "api has no container.", Since: start}, Cleared: true},
	})
}

func TestMessage(t *testing.T) {
	r := newReceiver(t)
	w, _, _ := post(t, r.URL)
	w.Tell(message())
	var got map[string]any
	if err := json.Unmarshal(r.next(t), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"text":   "Conncord, budget shop: critical\nCRITICAL no_leader: No arbiter leads.\nRESOLVED service_missing: api has no container.",
		"budget": "shop", "health": "critical",
		"alerts": []any{
			map[string]any{"name": "no_leader", "severity": "critical", "summary": "No arbiter leads.", "since": "2026-11-24T20:00:00Z", "status": "firing"},
			map[string]any{"name": "service_missing", "service": "api", "severity": "warning", "summary": "api has no container.", "since": "2026-11-24T20:00:00Z", "status": "resolved"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

func TestRetries(t *testing.T) {
	r := newReceiver(t, 500, 503, 429, 200)
	w, log, stop := post(t, r.URL)
	w.Tell(message())
	first := r.next(t)
	for range 3 {
		if again := r.next(t); !bytes.Equal(first, again) {
			t.Errorf("the retry posts %s, not %s", again, first)
		}
	}
	stop()
	if log.String() != "" {
		t.Errorf("log: %s", log)
	}
}

func TestRefused(t *testing.T) {
	r := newReceiver(t, 404)
	w, log, stop := post(t, r.URL+"/secret")
	w.Tell(message())
	r.next(t)
	w.Tell(message()) // the next one is tried all the same
	r.next(t)
	stop()
	if text := log.String(); !strings.Contains(text, "404") || strings.Contains(text, "secret") {
		t.Errorf("log: %s", text)
	}
}

func TestNobodyThere(t *testing.T) {
	r := newReceiver(t)
	r.Close()
	w, log, stop := post(t, r.URL+"/secret")
	began := time.Now()
	for range maxQueued + 20 {
		w.Tell(message())
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("telling took %v: it must not wait", took)
	}
	stop()
	if text := log.String(); !strings.Contains(text, "connection refused") || strings.Contains(text, "secret") {
		t.Errorf("log: %s", text)
	}
}

// TestLastWords posts what was told just before the end.
func TestLastWords(t *testing.T) {
	r := newReceiver(t)
	w, _, stop := post(t, r.URL)
	w.Tell(message())
	stop()
	r.next(t)
}

func TestURL(t *testing.T) {
	for _, url := range []string{"", "secret", "ftp://secret/x", "https://", "http://[secret", "hooks.example/secret"} {
		if err := CheckURL(url); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if err := CheckURL("https://hooks.example/services/x"); err != nil {
		t.Error(err)
	}
}
