package daemon

import (
	"net"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2/server"

	"github.com/conncord/conncord/events"
	"github.com/conncord/conncord/events/servertest"
)

// asks has a container ask for connections, and returns what it is granted.
func asks(t *testing.T, url, budget string, want int) *events.Grant {
	t.Helper()
	post, err := events.OpenPost(url, budget, "c")
	if err != nil {
		t.Fatal(err)
	}
	defer post.Close()
	err = post.Send(t.Context(), events.EncodeIntent(&events.Intent{
		Kind: events.Register, Container: "c", Counter: 1,
		Introduce: events.Introduce{Service: "scraper"}, Demand: events.Demand{Want: want},
	}))
	if err != nil {
		t.Fatal(err)
	}
	var look events.Look
	until(t, "a grant", func() bool {
		look, err = post.Look(t.Context())
		return err == nil && look.Grant != nil
	})
	return look.Grant
}

func TestRunsAndResigns(t *testing.T) {
	redis := servertest.NeedRedis(t, servertest.RedisOptions{AppendOnly: true})
	r := runProgram(t, environ("REDIS_URL="+redis.URL(), "CONNCORD_BUDGET=shop", "SUPABASE_PLAN=free", "SUPABASE_MAX_CONNECTIONS=50"),
		"--fresh", "--id=first", "--log-format=json")
	if g := asks(t, redis.URL(), "shop", 100); g.Units != 45 {
		t.Errorf("granted %d of 50", g.Units)
	}
	r.stop()
	r.wantStatus(t, ExitOK)
	for _, want := range []string{
		`"level":"WARN","msg":"SUPABASE_PLAN=free allows 60 connections, but SUPABASE_MAX_CONNECTIONS=50 is set and wins"`,
		`"msg":"leading","budget":"shop","arbiter":"first"`, `"msg":"resigned"`, `"msg":"ended"`,
	} {
		if !r.stderr.has(want) {
			t.Errorf("the log does not hold %s", want)
		}
	}
	if r.stderr.has("risky") {
		t.Error("it warns of a Redis with an append-only file")
	}
	if r.stdout.String() != "" {
		t.Errorf("standard output: %q", &r.stdout)
	}
}

func TestWarnsOfRiskyRedis(t *testing.T) {
	redis := servertest.NeedRedis(t, servertest.RedisOptions{Args: []string{"--maxmemory-policy", "allkeys-lru"}})
	r := runProgram(t, environ("REDIS_URL="+redis.URL()))
	until(t, "two warnings", func() bool {
		return r.stderr.has("setting=appendonly value=no set=yes") && r.stderr.has("setting=maxmemory-policy value=allkeys-lru set=noeviction")
	})
	until(t, "it leads", func() bool { return r.stderr.has("msg=leading") })
	r.stop()
	r.wantStatus(t, ExitOK)
}

// CONFIG may be renamed away. Then nothing is said.
func TestForbiddenConfig(t *testing.T) {
	redis := servertest.NeedRedis(t, servertest.RedisOptions{Args: []string{"--rename-command", "CONFIG", ""}})
	r := runProgram(t, environ("REDIS_URL="+redis.URL()))
	until(t, "it leads", func() bool { return r.stderr.has("msg=leading") })
	if r.stderr.has("risky") || r.stderr.has("does not tell") {
		t.Error("it complains")
	}
	r.stop()
	r.wantStatus(t, ExitOK)
}

func TestRedisIsAwayAtStart(t *testing.T) {
	redis := servertest.NeedRedis(t)
	redis.Kill()
	r := runProgram(t, environ("REDIS_URL="+redis.URL()))
	until(t, "it says so", func() bool { return r.stderr.has("Redis does not answer; trying until it does") })
	if err := redis.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "it leads", func() bool { return r.stderr.has("msg=leading") })
	if n := strings.Count(r.stderr.String(), "does not answer"); n != 1 {
		t.Errorf("that Redis is away is said %d times", n)
	}
	r.stop()
	r.wantStatus(t, ExitOK)
}

func TestEndsWhileRedisIsAway(t *testing.T) {
	redis := servertest.NeedRedis(t)
	redis.Kill()
	r := runProgram(t, environ("REDIS_URL="+redis.URL()))
	until(t, "it says so", func() bool { return r.stderr.has("Redis does not answer") })
	r.stop()
	r.wantStatus(t, ExitOK)
}

func TestOldRedisIsRefused(t *testing.T) {
	old, err := server.NewServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	err = old.Register("INFO", func(c *server.Peer, _ string, _ []string) { c.WriteBulk("# Server\r\nredis_version:6.2.14\r\n") })
	if err != nil {
		t.Fatal(err)
	}
	r := runProgram(t, environ("REDIS_URL=redis://"+old.Addr().String()))
	r.wantStatus(t, ExitFailure)
	if want := "arbiter: the Redis server has version 6.2.14"; !r.stderr.has(want) || !r.stderr.has("use version 7.0 or later\n") {
		t.Errorf("standard error: %s", &r.stderr)
	}
}

func TestEmbedded(t *testing.T) {
	r := runProgram(t, environ(), "--embedded", "--embedded-addr=127.0.0.1:0", "--leader-lease=300ms")
	until(t, "the URL is printed", func() bool { return strings.HasSuffix(r.stdout.String(), "\n") })
	url := strings.TrimSpace(strings.TrimPrefix(r.stdout.String(), "REDIS_URL="))
	if g := asks(t, url, "default", 20); g.Units != 20 {
		t.Errorf("granted %d of 20", g.Units)
	}
	if !r.stderr.has("not for production") {
		t.Error("it does not say that it is not for production")
	}
	// Another arbiter stands by, on a Redis whose keys really expire.
	standby := runProgram(t, environ("REDIS_URL="+url), "--leader-lease=300ms")
	until(t, "the standby follows", func() bool { return standby.stderr.has("msg=following") })
	standby.stop()
	standby.wantStatus(t, ExitOK)
	r.stop()
	r.wantStatus(t, ExitOK)
	if !r.stderr.has("msg=resigned") {
		t.Error("the embedded Redis was closed before the arbiter had resigned")
	}
}

func TestEmbeddedAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := runProgram(t, environ(), "--embedded", "--embedded-addr="+taken.Addr().String())
	r.wantStatus(t, ExitFailure)
	if !r.stderr.has("address already in use: choose another --embedded-addr (CONNCORD_EMBEDDED_ADDR)\n") {
		t.Errorf("standard error: %s", &r.stderr)
	}
}
