package monitor

import (
	"context"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/creack/pty"

	"github.com/conncord/conncord/cmd/internal/programtest"
)

// A desk is a terminal with the program on it.
type desk struct {
	keys   *os.File               // what the user has in hand
	tty    *os.File               // what the program has
	screen programtest.Transcript // all that was ever drawn
	exit   chan int
	stop   context.CancelFunc
}

func startOn(t *testing.T, env func(string) (string, bool), open func(*options) (source, error), args ...string) *desk {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keys, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	d := &desk{keys: keys, tty: tty, exit: make(chan int, 1)}
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		_, _ = io.Copy(&d.screen, keys)
	}()
	var stderr programtest.Transcript
	ctx, cancel := context.WithCancel(context.Background())
	d.stop = cancel
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.exit <- runOn(ctx, args, env, tty, tty, &stderr, open)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = tty.Close()
		_ = keys.Close()
		<-drawn
		if t.Failed() {
			t.Logf("standard error: %s\nscreen: %q", stderr.String(), d.screen.String())
		}
	})
	return d
}

func (d *desk) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := io.WriteString(d.keys, keys); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) sees(t *testing.T, text string) {
	t.Helper()
	until(t, "the screen shows "+text, func() bool { return strings.Contains(d.screen.String(), text) })
}

// ends waits for the program's end, and checks that the terminal is as it was.
func (d *desk) ends(t *testing.T, before *term.State) {
	t.Helper()
	select {
	case exit := <-d.exit:
		if exit != ExitOK {
			t.Errorf("exit status %d", exit)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the program does not end")
	}
	after, err := term.GetState(d.tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("the terminal was %+v and is %+v", before, after)
	}
	// The other screen is left, and the cursor shown, after all else.
	until(t, "the screen is restored", func() bool {
		screen := d.screen.String()
		return strings.LastIndex(screen, "\x1b[?1049l") > strings.LastIndex(screen, "\x1b[?1049h") &&
			strings.LastIndex(screen, "\x1b[?25h") > strings.LastIndex(screen, "\x1b[?25l")
	})
}

func state(t *testing.T, d *desk) *term.State {
	t.Helper()
	before, err := term.GetState(d.tty.Fd())
	if err != nil {
		t.Fatal(err)
	}
	return before
}

var anyColor = regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]`)

func TestLive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, env string
		args      []string
		color     bool
		end       func(t *testing.T, d *desk)
	}{
		{"q", "COLORTERM=truecolor", nil, true, func(t *testing.T, d *desk) { d.press(t, "q") }},
		{"ctrl-c", "NO_COLOR=1", nil, false, func(t *testing.T, d *desk) { d.press(t, "\x03") }},
		{"the context", "COLORTERM=truecolor", []string{"--no-color"}, false, func(_ *testing.T, d *desk) { d.stop() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := &fake{updates: make(chan update, 1)}
			opened := make(chan struct{})
			d := startOn(t, programtest.Environ("TERM=xterm-256color", c.env), func(*options) (source, error) {
				<-opened // until the terminal was looked at
				return src, nil
			}, c.args...)
			before := state(t, d)
			close(opened)
			d.sees(t, "Asking for the status")
			src.updates <- update{}
			d.sees(t, "No status yet")
			src.updates <- update{Status: example(time.Now())}
			d.sees(t, "25/54")
			d.press(t, "\x1b[B\r")
			d.sees(t, "WHY")
			c.end(t, d)
			d.ends(t, before)
			if got := anyColor.MatchString(d.screen.String()); got != c.color {
				t.Errorf("colours: %v, want %v: %q", got, c.color, anyColor.FindString(d.screen.String()))
			}
		})
	}
}

// A terminal that cannot be drawn on gets the status once.
func TestDumbTerminal(t *testing.T) {
	t.Parallel()
	src := publishing(t, example(time.Now()))
	d := startOn(t, programtest.Environ("TERM=dumb"), func(*options) (source, error) { return src, nil })
	d.sees(t, "No action needed")
	if exit := <-d.exit; exit != ExitOK || strings.Contains(d.screen.String(), "\x1b") {
		t.Errorf("exit status %d: %q", exit, d.screen.String())
	}
}
