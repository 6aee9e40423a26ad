package servertest

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func redisDo(t *testing.T, r *Redis, command ...string) string {
	t.Helper()
	reply, err := ask(testContext(t), r.SocketPath(), command...)
	if err != nil {
		t.Fatalf("%v: %v", command, err)
	}
	return reply
}

func TestRedisStartsAndStops(t *testing.T) {
	t.Parallel()
	r, err := StartRedis(t.Context(), RedisOptions{})
	must(t, err)
	pid, home := r.Pid(), r.srv.home.path
	conn, err := net.Dial("tcp", r.Addr())
	must(t, err)
	must(t, conn.Close())
	if got, want := r.URL(), "redis://"+r.Addr()+"/0"; got != want {
		t.Errorf("URL %q, want %q", got, want)
	}

	must(t, r.Stop())
	wantGone(t, home)
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there (%v)", pid, err)
	}
	if r.Pid() != 0 {
		t.Errorf("a stopped server has pid %d", r.Pid())
	}
	must(t, r.Stop()) // a second Stop does nothing
	if err := r.Restart(t.Context()); !errors.Is(err, errStopped) {
		t.Errorf("Restart after Stop: %v", err)
	}
}

func TestRedisKeepsAppendOnlyDataThroughKill(t *testing.T) {
	t.Parallel()
	r := NeedRedis(t, RedisOptions{AppendOnly: true})
	addr, pid := r.Addr(), r.Pid()
	redisDo(t, r, "SET", "k", "v")

	r.Kill()
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d outlives Kill (%v)", pid, err)
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial a killed server: %v", err)
	}
	r.Kill() // a second one does nothing

	must(t, r.Restart(testContext(t)))
	if r.Addr() != addr || r.Pid() == pid || r.Pid() == 0 {
		t.Errorf("restarted at %s as %d; was at %s as %d", r.Addr(), r.Pid(), addr, pid)
	}
	if got := redisDo(t, r, "GET", "k"); got != "v" {
		t.Errorf("after kill and restart: %q", got)
	}
	must(t, r.Restart(testContext(t))) // of a running server
	if got := redisDo(t, r, "GET", "k"); got != "v" {
		t.Errorf("after a clean restart: %q", got)
	}
	must(t, r.RestartEmpty(testContext(t)))
	if got := redisDo(t, r, "EXISTS", "k"); got != "0" {
		t.Errorf("after RestartEmpty: EXISTS %s", got)
	}
}

func TestRedisPauses(t *testing.T) {
	t.Parallel()
	r := NeedRedis(t)
	must(t, r.Pause())
	must(t, r.Pause()) // does not wait for a second stop
	hung, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if reply, err := ask(hung, r.SocketPath(), "PING"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a paused server answered %q, %v", reply, err)
	}
	must(t, r.Resume())
	redisDo(t, r, "PING")
	must(t, r.Pause())
	// Stop, in the cleanup, must end a paused server in good order.
}

func TestRedisReplicaFollows(t *testing.T) {
	t.Parallel()
	master := NeedRedis(t)
	redisDo(t, master, "SET", "k", "v")
	replica := NeedRedis(t, RedisOptions{ReplicaOf: master})
	if got := redisDo(t, replica, "GET", "k"); got != "v" {
		t.Errorf("the replica has %q", got)
	}
	master.Kill()
	must(t, replica.Restart(testContext(t))) // must not wait for the dead master
}

func TestRedisKeepsCallersDir(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), `with space "and quotes"`)
	must(t, os.MkdirAll(dir, 0o700))
	mine := filepath.Join(dir, "mine.txt")
	must(t, os.WriteFile(mine, []byte("mine"), 0o600))
	for range 2 {
		r, err := StartRedis(t.Context(), RedisOptions{Dir: dir, AppendOnly: true})
		must(t, err)
		redisDo(t, r, "INCR", "starts")
		if starts := redisDo(t, r, "GET", "starts"); starts == "2" {
			must(t, r.RestartEmpty(t.Context()))
			if got := redisDo(t, r, "EXISTS", "starts"); got != "0" {
				t.Error("RestartEmpty left data")
			}
		}
		must(t, r.Stop())
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("a file that is not Redis's is gone:", err)
	}
}

func TestRedisErrorHoldsTheLog(t *testing.T) {
	t.Parallel()
	_, err := StartRedis(t.Context(), RedisOptions{Args: []string{"--no-such-option", "1"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("error %v", err)
	}
}

func TestRedisStartHonoursItsContext(t *testing.T) {
	t.Parallel()
	dead := NeedRedis(t)
	dead.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := StartRedis(ctx, RedisOptions{ReplicaOf: dead})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "link to the master") {
		t.Errorf("error %v", err)
	}
}

// A taken port must lead to another one, even when it is another Redis that
// has it and would answer our questions.
func TestRedisTriesAnotherPort(t *testing.T) {
	t.Parallel()
	other := NeedRedis(t)
	r, err := newRedis(RedisOptions{})
	must(t, err)
	attempts := 0
	r.srv.pickPort = func() int {
		if attempts++; attempts < 3 {
			return other.srv.port
		}
		return randomPort()
	}
	must(t, r.srv.launch(testContext(t)))
	defer func() { must(t, r.Stop()) }()
	if attempts < 3 || r.Addr() == other.Addr() {
		t.Errorf("at %s after %d attempts; the other one is at %s", r.Addr(), attempts, other.Addr())
	}
}

func TestStopReportsACrash(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		r, err := StartRedis(t.Context(), RedisOptions{})
		must(t, err)
		must(t, syscall.Kill(r.Pid(), syscall.SIGABRT))
		eventually(t, "the server is down", func() bool { return r.Pid() == 0 })
		if restart {
			must(t, r.Restart(testContext(t)))
		}
		if err := r.Stop(); err == nil || !strings.Contains(err.Error(), "ended by itself") {
			t.Errorf("restart %v: Stop after a crash: %v", restart, err)
		}
	}
}

func TestPortsAreNotEphemeral(t *testing.T) {
	for range 10_000 {
		if p := randomPort(); p < firstPort || p > lastPort {
			t.Fatal("port " + strconv.Itoa(p))
		}
	}
}
