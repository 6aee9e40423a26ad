package servertest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// parentEnv tells this test binary to start servers and wait to be killed.
const parentEnv = "CONNCORD_SERVERTEST_PARENT"

// actAsParent is the process that TestServersDieWithTheirParent kills.
func actAsParent() {
	redis, err := StartRedis(context.Background(), RedisOptions{})
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	postgres, err := StartPostgres(context.Background(), PostgresOptions{})
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println(redis.Pid(), postgres.Pid(), redis.srv.home.path, postgres.srv.home.path)
	select {}
}

// The servers must go when their parent is killed with kill -9, although it
// can do nothing about it, and although PostgreSQL runs as another user.
func TestServersDieWithTheirParent(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	must(t, err)
	parent := exec.CommandContext(t.Context(), self)
	parent.Env = append(os.Environ(), parentEnv+"=1")
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	must(t, err)
	must(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the parent says:", line, err)
	}
	var redis, postgres int
	homes := make([]string, 2)
	if _, err := fmt.Sscan(line, &redis, &postgres, &homes[0], &homes[1]); err != nil {
		t.Fatal("the parent says:", line)
	}
	for _, home := range homes {
		t.Cleanup(func() { must(t, os.RemoveAll(home)) })
	}
	ends := map[string]int{"redis": openPid(t, redis), "postgres": openPid(t, postgres)}

	must(t, parent.Process.Kill())
	_ = parent.Wait()
	for name, fd := range ends {
		awaitEnd(t, name, fd)
	}
}

// The kernel signals a child when the thread that started it ends, which a Go
// thread may do at any time.
func TestServerOutlivesTheCallersThread(t *testing.T) {
	t.Parallel()
	var r *Redis
	tid := make(chan int)
	var start func()
	start = func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if unix.Gettid() == os.Getpid() {
			// But for the main thread, which the runtime never ends. While it is
			// taken, the next goroutine gets another.
			go start()
			return
		}
		r, _ = StartRedis(context.Background(), RedisOptions{})
		tid <- unix.Gettid()
	}
	go start()
	task := "/proc/self/task/" + strconv.Itoa(<-tid)
	if r == nil {
		t.Fatal("the server did not start")
	}
	eventually(t, "the thread has ended", func() bool {
		_, err := os.Stat(task)
		return os.IsNotExist(err)
	})
	redisDo(t, r, "PING") // a signal on its way has arrived before the answer
	if strings.Contains(r.Log(), "SIGTERM") {
		t.Error("the server was told to stop")
	}
	must(t, r.Stop())
}

// openPid returns a descriptor that becomes readable when the process ends,
// whether or not somebody has collected its exit status.
func openPid(t *testing.T, pid int) int {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	must(t, err)
	t.Cleanup(func() { must(t, unix.Close(fd)) })
	return fd
}

func awaitEnd(t *testing.T, name string, fd int) {
	t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(testTimeout.Milliseconds()))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || n == 0:
			t.Errorf("%s outlives its parent (%v)", name, err)
		}
		return
	}
}

// zombie reports whether a process has ended and only waits to be collected,
// which an orphan does for as long as the init process likes.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true // collected in the meantime
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

func sharedMemoryExists(id int) bool {
	var desc unix.SysvShmDesc
	_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &desc)
	return err == nil
}
