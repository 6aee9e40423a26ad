package replay

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter/audit"
	"github.com/conncord/conncord/cmd/arbiter/daemon"
	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
	"github.com/conncord/conncord/projector/status"
)

// A deployment is a Redis with an arbiter that leads.
type deployment struct {
	*testing.T
	redis *servertest.Redis
}

func deploy(t *testing.T) *deployment {
	d := &deployment{t, servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	var stderr programtest.Transcript
	go func() {
		defer close(ended)
		daemon.Run(ctx, []string{"--fresh", "--id=first", "--leader-lease=300ms", "--http-addr=off"}, programtest.Environ("REDIS_URL="+d.redis.URL()), &stderr, &stderr)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if t.Failed() {
			t.Logf("arbiter:\n%s", &stderr)
		}
	})
	return d
}

// join has a container register, and waits until that was decided.
func (d *deployment) join(id, service string, want int) {
	d.Helper()
	post, err := events.OpenPost(d.redis.URL(), "default", id)
	if err != nil {
		d.Fatal(err)
	}
	defer post.Close()
	err = post.Send(d.Context(), events.EncodeIntent(&events.Intent{
		Kind: events.Register, Container: id, Counter: 1,
		Introduce: events.Introduce{Service: service}, Host: "node", Demand: events.Demand{Want: want},
	}))
	if err != nil {
		d.Fatal(err)
	}
	d.until("a grant for "+id, func() bool {
		look, err := post.Look(d.Context())
		return err == nil && look.Grant != nil
	})
}

func (d *deployment) until(what string, condition func() bool) {
	d.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-tick.C:
		case <-late:
			d.Fatalf("waited in vain for %s", what)
		}
	}
}

func (d *deployment) replay(args ...string) []string {
	return append(args, "--redis-url", d.redis.URL())
}

// TestLive: what a live Redis says, an export of it and an archive of it say as well.
func TestLive(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	if exit, _, stderr := run(t, d.replay("verify", "--budget=other")...); exit != ExitFailure || !strings.Contains(stderr, "there is no history in budget other") {
		t.Errorf("another budget: exit status %d, %s", exit, stderr)
	}
	d.join("scraper-1", "scraper", 20)
	d.join("api-1", "api", 40)
	dir := t.TempDir()
	file, archive := filepath.Join(dir, "a.history"), filepath.Join(dir, "archive")
	must(t, d.replay("export", file)...)
	must(t, d.replay("archive", "--once", archive)...)
	imported := filepath.Join(dir, "imported")
	must(t, "import", file, imported)
	if exit, _, stderr := run(t, d.replay("export", file)...); exit != ExitUsage || !strings.Contains(stderr, "exists") {
		t.Errorf("an export over another: exit status %d, %s", exit, stderr)
	}

	live := value[status.Status](t, d.replay("status")...)
	if live.TotalAllocated != 54 || live.Budget != "default" || len(live.Services) != 2 {
		t.Errorf("the status is %+v", live)
	}
	for _, from := range []string{file, archive, imported} {
		if report := value[audit.Report](t, "verify", "--from", from); !report.Proved() || report.Last != live.Sequence {
			t.Errorf("%s: %v; the live one ends at %d", from, &report, live.Sequence)
		}
		if s := value[status.Status](t, "status", "--from", from); s.TotalAllocated != live.TotalAllocated || s.Sequence != live.Sequence {
			t.Errorf("%s: %d at %d, live %d at %d", from, s.TotalAllocated, s.Sequence, live.TotalAllocated, live.Sequence)
		}
	}
	var plan trimming
	decodeJSON(t, must(t, d.replay("archive", "--dry-run", "--json", archive)...), &plan)
	if plan.Archive == nil || plan.Noted == nil || *plan.Archive != plan.Newest || *plan.Noted != plan.Newest || plan.Trim != 0 {
		t.Errorf("planned: %+v", plan)
	}

	d.join("viewer-1", "viewer", 5)
	must(t, d.replay("archive", "--once", archive)...)
	must(t, "import", file, imported) // what it has already is left out
	if more := value[audit.Report](t, "verify", "--from", archive); !more.Proved() || more.Last <= live.Sequence {
		t.Errorf("the archive went on to %v", &more)
	}
	if same := value[audit.Report](t, "verify", "--from", imported); same.Last != live.Sequence || same.Records != live.Sequence {
		t.Errorf("imported twice: %v", &same)
	}
}

// TestTailFollows: the newest lines first, then those that come, until it is ended.
func TestTailFollows(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.join("scraper-1", "scraper", 20)
	stdout, stderr, stop := beside(t, d.replay("tail", "--json", "--kind=register")...)
	d.until("the first line", func() bool { return strings.Count(stdout.String(), "\n") == 1 })
	d.join("api-1", "api", 40)
	d.until("the second line", func() bool { return strings.Count(stdout.String(), "\n") == 2 })
	if exit := stop(); exit != ExitOK || stderr.String() != "" {
		t.Errorf("exit status %d, %s", exit, stderr)
	}
	var second audit.Line
	decodeJSON(t, strings.Split(stdout.String(), "\n")[1], &second)
	if second.Container != "api-1" || second.Service != "api" || len(second.Leases) == 0 {
		data, _ := json.Marshal(second)
		t.Errorf("the second line is %s", data)
	}
}

// TestArchiveFollows: what is decided while it runs is in the archive when it is ended.
func TestArchiveFollows(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	dir := filepath.Join(t.TempDir(), "archive")
	_, stderr, stop := beside(t, d.replay("archive", dir)...)
	d.until("the archiver", func() bool { return strings.Contains(stderr.String(), "msg=archiving") })
	d.join("scraper-1", "scraper", 20)
	sequence := value[status.Status](t, d.replay("status")...).Sequence
	d.until("the note in Redis", func() bool {
		var plan trimming
		decodeJSON(t, must(t, d.replay("archive", "--dry-run", "--json", dir)...), &plan)
		return plan.Noted != nil && plan.Noted.Sequence >= sequence
	})
	if exit, _, second := run(t, d.replay("archive", "--once", dir)...); exit != ExitFailure || !strings.Contains(second, "another archiver") {
		t.Errorf("two archivers: exit status %d, %s", exit, second)
	}
	if exit := stop(); exit != ExitOK {
		t.Errorf("exit status %d, %s", exit, stderr)
	}
	if report := value[audit.Report](t, "verify", "--from", dir); !report.Proved() || report.Last < sequence {
		t.Errorf("%v", &report)
	}
}

// TestForget: without an archive nothing is noted in Redis any more.
func TestForget(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.join("scraper-1", "scraper", 20)
	dir := filepath.Join(t.TempDir(), "archive")
	must(t, d.replay("archive", "--once", dir)...)
	must(t, d.replay("archive", "--forget", dir)...)
	var plan trimming
	decodeJSON(t, must(t, d.replay("archive", "--dry-run", "--json", dir)...), &plan)
	if plan.Archive == nil || plan.Noted != nil {
		t.Errorf("planned: %+v", plan)
	}
}
