package world

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// An echo is a server that says what it hears.
func echo(t *testing.T) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

func newLink(t *testing.T, to string) *Link {
	l, err := newSwitchboard().connect("test", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Cut)
	return l
}

// A caller is a connection through a link.
type caller struct {
	*testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, l *Link) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &caller{t, conn, bufio.NewReader(conn)}
}

// hears sends a line and returns whether it comes back within a time.
func (c *caller) hears(within time.Duration) error {
	c.Helper()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return err
	}
	return c.awaits(within)
}

func (c *caller) awaits(within time.Duration) error {
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, err := c.in.ReadString('\n')
	return err
}

const (
	long  = 10 * time.Second
	short = 100 * time.Millisecond
)

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestALinkThatLosesPackets(t *testing.T) {
	for _, direction := range []string{Requests, Replies} {
		l := newLink(t, echo(t))
		c := dial(t, l)
		if err := c.hears(long); err != nil {
			t.Fatal(err)
		}
		lost := Disturbance{Kind: "timeout", Direction: direction, Settings: map[string]any{"timeout": 0}}
		if err := l.Disturb(lost); err != nil {
			t.Fatal(err)
		}
		if err := c.hears(short); !isTimeout(err) {
			t.Errorf("%s: %v", direction, err)
		}
		if err := dial(t, l).hears(short); !isTimeout(err) {
			t.Errorf("%s: a new connection: %v", direction, err)
		}
		if err := l.Calm(lost); err != nil {
			t.Fatal(err)
		}
		if err := dial(t, l).hears(long); err != nil {
			t.Errorf("%s: mended: %v", direction, err)
		}
	}
}

func TestALinkThatIsLate(t *testing.T) {
	l := newLink(t, echo(t))
	c := dial(t, l)
	late := Disturbance{Kind: "latency", Direction: Requests, Settings: map[string]any{"latency": time.Hour.Milliseconds()}}
	if err := l.Disturb(late); err != nil {
		t.Fatal(err)
	}
	if err := c.hears(short); !isTimeout(err) {
		t.Fatal(err)
	}
	if err := l.Calm(late); err != nil {
		t.Fatal(err)
	}
	if err := c.awaits(long); err != nil {
		t.Errorf("what was held back does not come: %v", err)
	}
}

func TestALinkThatIsCut(t *testing.T) {
	l := newLink(t, echo(t))
	c := dial(t, l)
	l.Cut()
	if err := c.hears(long); err == nil || isTimeout(err) {
		t.Errorf("a cut connection: %v", err)
	}
	if conn, err := net.Dial("tcp", l.Addr()); err == nil {
		_ = conn.Close()
		t.Error("a cut link accepts connections")
	}
	// While it is cut it can be pointed elsewhere, and stays cut.
	if err := l.Point(echo(t)); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", l.Addr()); err == nil {
		_ = conn.Close()
		t.Error("a cut link accepts connections after it was pointed elsewhere")
	}
	if err := l.Mend(); err != nil {
		t.Fatal(err)
	}
	if err := dial(t, l).hears(long); err != nil {
		t.Error(err)
	}
}

func TestPromoteLosesWrites(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := startRedis(ctx, newSwitchboard(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	do := func(command ...string) string {
		t.Helper()
		reply, err := r.Master.Do(ctx, command...)
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
	for range 2 { // and back
		do("SET", "k", "kept")
		replica := r.replica
		for got := ""; got != "kept"; {
			if ctx.Err() != nil {
				t.Fatal("the replica does not follow")
			}
			got, _ = replica.Do(ctx, "GET", "k")
		}
		r.Lag()
		do("SET", "k", "lost")
		former := r.Master.Addr()
		if err := r.Promote(ctx); err != nil {
			t.Fatal(err)
		}
		if got := do("GET", "k"); got != "kept" || r.Master.Addr() == former {
			t.Errorf("the promoted replica has %q", got)
		}
		if err := r.Rejoin(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
