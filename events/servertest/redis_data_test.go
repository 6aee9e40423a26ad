package servertest

import (
	"bytes"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRedisGoesBackToOldData(t *testing.T) {
	t.Parallel()
	r := NeedRedis(t, RedisOptions{AppendOnly: true})
	redisDo(t, r, "SET", "k", "old")
	old := filepath.Join(t.TempDir(), "old")
	must(t, r.SaveData(old))
	redisDo(t, r, "SET", "k", "new")
	redisDo(t, r, "SET", "another", "new")
	r.Kill()
	must(t, r.RestartWith(testContext(t), old))
	if got := redisDo(t, r, "GET", "k"); got != "old" {
		t.Errorf("k is %q", got)
	}
	if got := redisDo(t, r, "EXISTS", "another"); got != "0" {
		t.Errorf("what came later is there: %s", got)
	}
	must(t, r.RestartWith(testContext(t), old)) // of a running server, and the copy is good for more than once
	if got := redisDo(t, r, "GET", "k"); got != "old" {
		t.Errorf("k is %q", got)
	}
}

func TestRedisStopsWritesWhenItsDiskIsFull(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can limit another process's files")
	}
	t.Parallel()
	r := NeedRedis(t, RedisOptions{AppendOnly: true, CanFill: true})
	redisDo(t, r, "SET", "k", "v")
	must(t, r.FillDisk())
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, err := r.Do(testContext(t), "SET", "k", "w")
		if err != nil && strings.Contains(err.Error(), "MISCONF") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("writes are accepted: %v", err)
		}
	}
	redisDo(t, r, "GET", "k") // reading goes on
	must(t, r.FreeDisk())
	for {
		if _, err := r.Do(testContext(t), "SET", "k", "x"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("writes are still refused")
		}
	}
	r.Kill()
	must(t, r.Restart(testContext(t)))
	if got := redisDo(t, r, "GET", "k"); got != "x" {
		t.Errorf("k is %q", got)
	}
	if err := NeedRedis(t).FillDisk(); err == nil {
		t.Error("a disk is full without CanFill: the server would die of it")
	}
}

// A safeBuffer is a buffer that a server's output can go to.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestOutputOfAllRuns(t *testing.T) {
	t.Parallel()
	var redis, postgres safeBuffer
	r := NeedRedis(t, RedisOptions{Output: &redis})
	must(t, r.Restart(testContext(t)))
	saysTwice(t, &redis, "Ready to accept connections")
	p := NeedPostgres(t, PostgresOptions{Output: &postgres})
	must(t, p.Restart(testContext(t)))
	saysTwice(t, &postgres, "ready to accept connections")
}

// saysTwice: a server answers a moment before what it says about that is read.
func saysTwice(t *testing.T, output *safeBuffer, text string) {
	t.Helper()
	late := time.Now().Add(10 * time.Second)
	for strings.Count(output.String(), text) != 2 {
		if time.Now().After(late) {
			t.Fatalf("%q does not stand twice in:\n%s", text, output)
		}
		time.Sleep(time.Millisecond)
	}
}
