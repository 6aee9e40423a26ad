package client_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/conncord/conncord/arbiter"
	"github.com/conncord/conncord/client"
	"github.com/conncord/conncord/events"
)

// roleVariable makes the test binary play a part in a test of another process
// of it: one that can be killed.
const roleVariable = "CONNCORD_TEST_ROLE"

// A process is the test binary in a role.
type process struct {
	tb  testing.TB
	cmd *exec.Cmd
	out *bufio.Scanner
	in  io.WriteCloser
}

func run(tb testing.TB, role string, env ...string) *process {
	tb.Helper()
	p := &process{tb: tb, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(append(os.Environ(), roleVariable+"="+role), env...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if p.in, err = p.cmd.StdinPipe(); err != nil { // the process ends with this one
		tb.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return p
}

// expect waits for a line that begins so.
func (p *process) expect(prefix string) {
	p.tb.Helper()
	for p.out.Scan() {
		if strings.HasPrefix(p.out.Text(), prefix) {
			return
		}
	}
	p.tb.Fatalf("the process ended without saying %q", prefix)
}

func (p *process) signal(sig syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.tb.Fatal(err)
	}
}

// play plays a role until a signal comes or the parent is gone.
func play(role string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	var err error
	switch role {
	case "container":
		err = playContainer(ctx)
	case "arbiter":
		err = playArbiter(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// playContainer holds HOLD connections, and runs QUERY on each if it is set.
func playContainer(ctx context.Context) error {
	n, err := strconv.Atoi(os.Getenv("HOLD"))
	if err != nil {
		return err
	}
	c, err := client.FromEnv(ctx)
	if err != nil {
		return err
	}
	if _, err := c.Request(ctx, n, client.AtLeast(n)); err != nil {
		return err
	}
	db, err := c.OpenDB("")
	if err != nil {
		return err
	}
	for range n {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if query := os.Getenv("QUERY"); query != "" {
			go func() { _, _ = conn.ExecContext(ctx, query) }() // until the process is killed
		}
	}
	fmt.Println("holding")
	<-ctx.Done()
	_ = db.Close()
	closing, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err = c.Close(closing) // in-use connections are cut
	fmt.Println("closed", err)
	return nil
}

func playArbiter(ctx context.Context) error {
	log, err := events.OpenLog(os.Getenv("REDIS_URL"), client.DefaultBudget)
	if err != nil {
		return err
	}
	defer log.Close()
	a, err := arbiter.New(arbiter.Config{Log: log, Policy: benchPolicy(60), Fresh: true, Logger: quiet})
	if err != nil {
		return err
	}
	go func() {
		for !a.State().Leading {
			time.Sleep(time.Millisecond)
		}
		fmt.Println("leading")
	}()
	return a.Run(ctx)
}
