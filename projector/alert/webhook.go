package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/conncord/conncord/projector/status"
)

// The limits of the webhook.
const (
	// maxQueued is how many messages wait to be posted. Changes are few; more wait
	// only when the receiver is away for long, and then the oldest say least.
	maxQueued = 64

	// postTimeout bounds one try, and postRetries how often it is repeated: with
	// pauses that double from firstPause to lastPause, for a minute and a half.
	postTimeout = 5 * time.Second
	postRetries = 6
	firstPause  = time.Second
	lastPause   = 30 * time.Second

	// maxDrained is how much of a response is read, so that its connection can be
	// used again.
	maxDrained = 64 << 10
)

// A Webhook posts changes of alerts to a URL. Tell never blocks; Run posts.
type Webhook struct {
	url    string
	client *retryablehttp.Client
	log    *slog.Logger
	queue  chan []byte
}

// CheckURL reports whether alerts can be posted to the URL. It may hold a secret
// and is not quoted.
func CheckURL(rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("the webhook's URL is not usable: write https://host/path")
	}
	return nil
}

// NewWebhook returns the webhook for a URL that satisfies [CheckURL]. The URL is
// neither logged nor quoted in errors.
func NewWebhook(rawURL string, log *slog.Logger) (*Webhook, error) {
	if err := CheckURL(rawURL); err != nil {
		return nil, err
	}
	client := retryablehttp.NewClient()
	client.Logger = nil // it would log the URL
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = postRetries, firstPause, lastPause
	client.Backoff = func(first, last time.Duration, try int, resp *http.Response) time.Duration {
		return min(retryablehttp.DefaultBackoff(first, last, try, resp), last) // a receiver may ask for any pause
	}
	client.HTTPClient.Timeout = postTimeout
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &Webhook{url: rawURL, client: client, log: log, queue: make(chan []byte, maxQueued)}, nil
}

// A Message is what the webhook posts, as JSON. Receivers of Slack's format read
// Text; others the rest.
type Message struct {
	Text   string         `json:"text"`
	Budget string         `json:"budget"`
	Health status.Health  `json:"health"`
	Alerts []MessageAlert `json:"alerts"` // what changed
}

// A MessageAlert is an alert that was raised or cleared.
type MessageAlert struct {
	status.Alert
	Status string `json:"status"` // "firing" or "resolved"
}

// NewMessage returns the message about changes of a budget's alerts.
func NewMessage(budget string, health status.Health, changes []Change) Message {
	m := Message{Budget: budget, Health: health}
	lines := []string{fmt.Sprintf("Conncord, budget %s: %s", budget, health)}
	for _, c := range changes {
		state, mark := "firing", strings.ToUpper(string(c.Alert.Severity))
		if c.Cleared {
			state, mark = "resolved", "RESOLVED"
		}
		m.Alerts = append(m.Alerts, MessageAlert{c.Alert, state})
		lines = append(lines, fmt.Sprintf("%s %s: %s", mark, c.Alert.Name, c.Alert.Summary))
	}
	m.Text = strings.Join(lines, "\n")
	return m
}

// Tell has the message posted soon. When too many wait, the oldest is dropped.
func (w *Webhook) Tell(m Message) {
	body, err := json.Marshal(m)
	if err != nil {
		w.log.Error("an alert could not be written as JSON", "error", err)
		return
	}
	for {
		select {
		case w.queue <- body:
			return
		default:
		}
		select {
		case <-w.queue:
			w.log.Warn("the webhook does not take what is posted: the oldest message was dropped", "waiting", maxQueued)
		default:
		}
	}
}

// Run posts until the context ends; then what is under way and what waits is tried
// for no longer than one try may take.
func (w *Webhook) Run(ctx context.Context) {
	defer w.client.HTTPClient.CloseIdleConnections()
	posting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(postTimeout, cancel) })()
	for posting.Err() == nil {
		select {
		case body := <-w.queue:
			w.post(posting, body)
			continue
		default:
		}
		select {
		case body := <-w.queue:
			w.post(posting, body)
		case <-ctx.Done():
			return
		}
	}
}

// post posts one message, with its retries.
func (w *Webhook) post(ctx context.Context, body []byte) {
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		w.log.Warn("an alert was not posted", "error", withoutURL(err))
		return
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		w.log.Warn("an alert was not posted", "error", withoutURL(err))
		return
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrained)
	if resp.StatusCode >= http.StatusMultipleChoices {
		w.log.Warn("an alert was not posted: the webhook refused it", "status", resp.Status)
	}
}

// withoutURL returns what went wrong without the URL, which may hold a secret.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
