package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/projector/status"
)

// pageOf returns where a program serves its page.
func pageOf(t *testing.T, r *running) string {
	t.Helper()
	address := regexp.MustCompile(`url=http://(127\.0\.0\.1:\d+)/`)
	until(t, "the page is served", func() bool { return address.MatchString(r.stderr.String()) })
	return address.FindStringSubmatch(r.stderr.String())[1]
}

// get returns an answer's status and body.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServes(t *testing.T) {
	redis := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
	r := runProgram(t, environ("REDIS_URL="+redis.URL()), "--fresh", "--id=first", "--expect=scraper, api")
	addr := pageOf(t, r)
	asks(t, redis.URL(), "default", 15)
	until(t, "ready", func() bool { code, _ := get(t, "http://"+addr+"/readyz"); return code == http.StatusOK })
	var s status.Status
	until(t, "the status", func() bool {
		_, body := get(t, "http://"+addr+"/api/status")
		return json.Unmarshal([]byte(body), &s) == nil && s.TotalAllocated == 15
	})
	if s.Leader != "first" || s.LeaderHost == "" || s.Services["scraper"].TotalConnections != 15 {
		t.Errorf("status: %+v", s)
	}
	if code, body := get(t, "http://"+addr+"/"); code != http.StatusOK || !strings.Contains(body, "<title>") {
		t.Errorf("page: %d\n%s", code, body)
	}
	// A second arbiter is a standby, and ready as well.
	standby := runProgram(t, environ("REDIS_URL="+redis.URL()), "--id=second")
	second := pageOf(t, standby)
	until(t, "the standby is ready", func() bool { code, _ := get(t, "http://"+second+"/readyz"); return code == http.StatusOK })

	for _, args := range [][]string{{"--http-addr=" + addr}, {"--http-addr=" + second, "--ready"}} {
		if code, out := health(t, args...); code != ExitOK || out != "ok\n" {
			t.Errorf("healthcheck %q: %d, %q", args, code, out)
		}
	}
	redis.Kill()
	until(t, "not ready", func() bool {
		code, out := health(t, "--http-addr="+second, "--ready")
		return code == ExitFailure && strings.Contains(out, "not healthy: Redis has not answered since")
	})
	if code, out := health(t, "--http-addr="+second); code != ExitOK {
		t.Errorf("it lives without Redis, too: %d, %q", code, out)
	}
	standby.stop()
	standby.wantStatus(t, ExitOK)
	if code, out := health(t, "--http-addr="+second); code != ExitFailure || !strings.Contains(out, "no answer at "+second) {
		t.Errorf("after its end: %d, %q", code, out)
	}
}

// health runs the health check and returns what it writes.
func health(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := Run(t.Context(), append([]string{"healthcheck"}, args...), environ(), &out, &out)
	return code, out.String()
}

func TestHealthcheckUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--help"}, ExitOK, "whether it lives"},
		{[]string{"--http-addr=nowhere"}, ExitUsage, `"nowhere" is not an address`},
		{[]string{"--hurry"}, ExitUsage, "try: arbiter healthcheck --help"},
		{[]string{"--http-addr=off"}, ExitFailure, "cannot be asked"},
	} {
		if code, out := health(t, c.args...); code != c.code || !strings.Contains(out, c.says) {
			t.Errorf("%q: %d, %q", c.args, code, out)
		}
	}
	for addr, want := range map[string]string{":8080": "127.0.0.1:8080", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "127.0.0.1:1", "10.0.0.1:1": "10.0.0.1:1"} {
		if got := hostOf(addr); got != want {
			t.Errorf("%s is asked at %s, want %s", addr, got, want)
		}
	}
}

// TestAlertsArePosted posts an alert to a webhook, and never says its address.
func TestAlertsArePosted(t *testing.T) {
	redis := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
	posted := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		posted <- string(body)
	}))
	defer hook.Close()
	r := runProgram(t, environ("REDIS_URL="+redis.URL(), "ALERT_WEBHOOK_URL="+hook.URL+"/hunter2"), "--fresh")
	asks(t, redis.URL(), "default", 60)
	var body string
	until(t, "an alert", func() bool {
		select {
		case body = <-posted:
			return strings.Contains(body, "exhausted")
		default:
			return false
		}
	})
	if !strings.Contains(body, `"text":"Conncord, budget default: critical`) {
		t.Errorf("posted: %s", body)
	}
	if r.stderr.has("hunter2") {
		t.Error("the log holds the webhook's URL")
	}
}

func TestAddressTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := runProgram(t, environ(), "--http-addr="+taken.Addr().String())
	r.wantStatus(t, ExitFailure)
	if !r.stderr.has("address already in use: choose another --http-addr (HTTP_ADDR), or off\n") {
		t.Errorf("standard error: %s", &r.stderr)
	}
}
