package monitor

import (
	"context"
	"strings"
	"testing"

	"github.com/conncord/conncord/cmd/arbiter/daemon"
	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/projector/status"
)

// deploy runs an arbiter, which publishes the status, until the test ends.
func deploy(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var stderr programtest.Transcript
	go func() {
		defer close(ended)
		daemon.Run(ctx, []string{"--fresh", "--id=first", "--leader-lease=300ms", "--http-addr=off"}, programtest.Environ("REDIS_URL="+url), &stderr, &stderr)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("arbiter:\n%s", stderr.String())
		}
	})
}

// join has a container ask for connections.
func join(t *testing.T, url, id, service string, want int) {
	t.Helper()
	post, err := events.OpenPost(url, "default", id)
	if err != nil {
		t.Fatal(err)
	}
	defer post.Close()
	err = post.Send(t.Context(), events.EncodeIntent(&events.Intent{
		Kind: events.Register, Container: id, Counter: 1,
		Introduce: events.Introduce{Service: service}, Host: "n8n-scraper-app", Demand: events.Demand{Want: want},
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// The monitor on what a projector publishes on a real Redis: before there is
// anything, while it changes, and while Redis is away.
func TestOnRedis(t *testing.T) {
	t.Parallel()
	redis := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
	env := programtest.Environ("REDIS_URL="+redis.URL(), "TERM=xterm-256color", "LANG=C.UTF-8")
	once := func(args ...string) (int, string) {
		var stdout, stderr programtest.Transcript
		exit := Run(t.Context(), args, env, strings.NewReader(""), &stdout, &stderr)
		return exit, stdout.String() + stderr.String()
	}
	if exit, out := once("--check"); exit != status.Unknown.Code() || !strings.Contains(out, "no status yet") {
		t.Errorf("before there is anything: exit status %d, %s", exit, out)
	}
	d := startOn(t, env, openSource, "--interval=100ms")
	d.sees(t, "No status yet: is an arbiter running?")

	deploy(t, redis.URL())
	for _, c := range []struct {
		service string
		want    int
	}{{"scraper", 15}, {"viewer", 3}, {"api", 5}, {"monitoring", 2}} {
		join(t, redis.URL(), c.service+"-c0ffee", c.service, c.want)
	}
	d.sees(t, "25/54 connections (46.3%), 29 remaining")
	until(t, "the check is content", func() bool {
		exit, out := once("--check", "--expect=scraper,api")
		return exit == status.Healthy.Code() && strings.HasPrefix(out, "CONNCORD OK - 25/54 connections (46.3%), 29 remaining | ")
	})
	exit, out := once("--once")
	for _, want := range []string{
		"Plan:                  FREE", "Total Allocated:       25/54\n", "Remaining:             29\n", "Utilization:           46.3%\n",
		"15              60.0%", "3               12.0%", "5               20.0%", "2               8.0%",
		"• scraper-c0ffee (n8n-scraper-app)\n      Connections: 15 | Reserved at: ", "No action needed",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("exit status %d, no %q in:\n%s", exit, want, out)
		}
	}

	redis.Kill()
	d.sees(t, "Redis unavailable")
	d.sees(t, "Showing what was known")
	if exit, out := once("--check"); exit != status.Unknown.Code() || !strings.Contains(out, "CONNCORD UNKNOWN - Redis unavailable: ") {
		t.Errorf("without Redis: exit status %d, %s", exit, out)
	}
	if err := redis.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	// What a Redis that was killed may have lost, the arbiter waits for.
	d.sees(t, "WARNING")
	if exit, out := once("--check"); exit != status.Warning.Code() || !strings.Contains(out, "until the recovery barrier opens") {
		t.Errorf("after the loss of Redis: exit status %d, %s", exit, out)
	}
	d.press(t, "q")
	if exit := <-d.exit; exit != ExitOK {
		t.Errorf("exit status %d", exit)
	}
}
