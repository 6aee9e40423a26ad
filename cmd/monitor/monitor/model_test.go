package monitor

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/conncord/conncord/cmd/internal/cli"
	"github.com/conncord/conncord/cmd/internal/programtest"
	"github.com/conncord/conncord/projector/status"
)

// A seat is somebody in front of the screen.
type seat struct {
	t   *testing.T
	m   *model
	now time.Time
}

func sit(t *testing.T, width, height int, args ...string) *seat {
	t.Helper()
	o, done, err := parse(args, programtest.Environ(), &strings.Builder{})
	if done || err != nil {
		t.Fatal(done, err)
	}
	s := &seat{t: t, now: noon}
	s.m = newModel(&o, cli.Terminal{Live: true, Width: width}, func() time.Time { return s.now })
	s.m.how.Location = time.UTC
	s.m.Update(tea.WindowSizeMsg{Width: width, Height: height})
	return s
}

// named are the keys that are no letters.
var named = map[string]rune{
	"up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
	"enter": tea.KeyEnter, "esc": tea.KeyEscape, "backspace": tea.KeyBackspace,
}

// press presses keys, and returns the last one's command.
func (s *seat) press(keys ...string) tea.Cmd {
	var cmd tea.Cmd
	for _, k := range keys {
		msg := tea.KeyPressMsg{Text: k}
		if code, ok := named[k]; ok {
			msg = tea.KeyPressMsg{Code: code}
		} else if letter, ok := strings.CutPrefix(k, "ctrl+"); ok {
			msg = tea.KeyPressMsg{Code: rune(letter[0]), Mod: tea.ModCtrl}
		} else if r, size := utf8.DecodeRuneInString(k); size == len(k) {
			msg.Code = r
		}
		_, cmd = s.m.Update(msg)
	}
	return cmd
}

func (s *seat) sees() string { return ansi.Strip(s.m.View().Content) }

func (s *seat) shown(st *status.Status) *seat {
	s.m.Update(update{Status: st})
	return s
}

// want checks what is on the screen, and that the screen is as large as it is.
func (s *seat) want(parts ...string) {
	s.t.Helper()
	screen := s.sees()
	for _, part := range parts {
		unwanted, not := strings.CutPrefix(part, "!")
		if strings.Contains(screen, unwanted) == not {
			s.t.Errorf("want %q on the screen:\n%s", part, screen)
		}
	}
	lines := strings.Split(screen, "\n")
	if len(lines) != s.m.height {
		s.t.Errorf("%d lines on a screen of %d:\n%s", len(lines), s.m.height, screen)
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > s.m.width {
			s.t.Errorf("a line has %d columns, the screen %d: %q", w, s.m.width, line)
		}
	}
}

func TestScreenShowsTheExample(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {80, 60}, {100, 50}, {132, 43}, {160, 50}, {60, 70}, {40, 10}, {10, 3}, {1, 1}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := sit(t, size[0], size[1]).shown(example(noon))
			s.want()
			if size[0] >= 60 {
				s.want("🟢 HEALTHY 25/54 connections (46.3%), 29 remaining", "SUPABASE CONFIGURATION", "GLOBAL USAGE")
			}
			if size[0] >= 60 && size[1] >= 40 {
				s.want("60.0%", "20.0%", "12.0%", "8.0%", "CONTAINER DETAILS", "scraper-1", "monitoring-1", "No action needed", "arbiter-1")
			}
		})
	}
}

func TestScreenWithoutStatus(t *testing.T) {
	t.Parallel()
	s := sit(t, 80, 24, "--redis-url=redis://:secret@redis:6379/3", "--budget=shop")
	s.want("Asking for the status", "Budget shop at redis://redis:6379/3", "!secret")
	s.press("down", "enter", "s", "G", "pgdown", "p", "p", "/", "a", "esc") // nothing to choose, nothing breaks
	s.m.Update(update{})
	s.want("No status yet: is an arbiter running?", "UNKNOWN")
	s.m.Update(update{Err: errors.New("dial tcp: \x1b[2Jrefused")})
	s.want("Redis unavailable: dial tcp: ?[2Jrefused")
	s.shown(example(noon))
	s.want("🟢 HEALTHY", "!Redis unavailable")
}

func TestScreenOfTrouble(t *testing.T) {
	t.Parallel()
	s := sit(t, 120, 40).shown(example(noon))
	s.now = noon.Add(12 * time.Second)
	s.m.Update(update{Status: s.m.update.Status, Err: errors.New("connection refused")})
	s.want("🟢 HEALTHY Showing what was known 12 s ago. Redis unavailable: connection refused", "scraper-1")
	s.now = noon.Add(20 * time.Second)
	s.m.Update(update{Status: s.m.update.Status})
	s.want("⚪ UNKNOWN STALE: nothing was published for 20 s. Is an arbiter running?")
	s.m.Update(update{Status: s.m.update.Status, Err: fmt.Errorf("read the status: version 2: %w", status.ErrVersion)})
	s.want("Cannot read the status: version 2: the status is of a newer version", "!Redis unavailable")
	s.now = noon
	s.shown(fleet(20).Summary())
	s.want("PARTIAL: the containers are left out", "WORKER: 20 containers, 20 connections, left out of this status because there are many")
}

func TestPause(t *testing.T) {
	t.Parallel()
	s := sit(t, 80, 24).shown(example(noon))
	s.now = noon.Add(3 * time.Second)
	s.press("p")
	s.shown(changed(noon, func(st *status.Status) { st.TotalAllocated = 40 }))
	s.m.Update(beat(s.now))
	s.want("PAUSED at 12:00:03: p goes on", "25/54", "!40/54")
	s.press("p")
	s.want("!PAUSED", "40/54")
}

func TestSort(t *testing.T) {
	t.Parallel()
	s := sit(t, 80, 50).shown(changed(noon, func(st *status.Status) {
		st.Services["viewer"].Waiting = 4
		st.Services["viewer"].Containers[0].Waiting = 4
	}))
	first := func() string {
		for _, line := range strings.Split(s.sees(), "\n") {
			if strings.Contains(line, "1 container,") {
				return strings.TrimSpace(strings.SplitN(line, ":", 2)[0])
			}
		}
		return ""
	}
	for _, want := range []struct{ shown, first string }{
		{"!sorted by", "SCRAPER"}, {"sorted by connections", "SCRAPER"}, {"sorted by waiting", "VIEWER"}, {"sorted by name", "API"},
		{"sorted by reserved", "MONITORING"}, {"!sorted by", "SCRAPER"},
	} {
		s.want(want.shown)
		if got := first(); got != want.first {
			t.Errorf("%s: %s comes first, want %s", want.shown, got, want.first)
		}
		s.press("s")
	}
	sit(t, 80, 50, "--sort=name").shown(example(noon)).want("sorted by name")
}

func TestFilter(t *testing.T) {
	t.Parallel()
	for _, open := range []string{"/", "f"} {
		s := sit(t, 80, 50).shown(example(noon))
		s.press(open, "a", "p", "q")
		s.want("Show services whose name contains: apq", "!api-1", "No service has")
		s.press("backspace", "i")
		s.want("name contains: api", "api-1", "!scraper-1")
		s.press("enter")
		s.want("only: api", "api-1", "!scraper-1", "!name contains")
		s.press("esc")
		s.want("!only:", "scraper-1")
		s.press(open, "v", "esc")
		s.want("!only:", "scraper-1", "!name contains")
		s.press(open, "a", "ctrl+u", "v")
		s.want("name contains: v", "viewer-1", "!api-1")
		for range 100 {
			s.press("x")
		}
		if len(s.m.how.Service) != maxFilter {
			t.Errorf("%d bytes are typed, at most %d are wanted", len(s.m.how.Service), maxFilter)
		}
	}
	sit(t, 80, 50, "--service=view").shown(example(noon)).want("only: view", "viewer-1", "!api-1")
}

// marked is the line of the chosen container.
func (s *seat) marked() string {
	for _, line := range strings.Split(s.sees(), "\n") {
		if strings.HasPrefix(line, "▸ ") {
			return strings.Fields(line)[1]
		}
	}
	return ""
}

func TestChoose(t *testing.T) {
	t.Parallel()
	s := sit(t, 80, 20).shown(fleet(100))
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"down"}, "scraper-1"}, // it was below the screen
		{[]string{"down"}, "worker-00000"},
		{[]string{"j", "j"}, "worker-00002"},
		{[]string{"k"}, "worker-00001"},
		{[]string{"up", "up", "up", "up"}, "scraper-1"},
		{[]string{"G"}, "monitoring-1"},
		{[]string{"up"}, "viewer-1"},
		{[]string{"home", "down"}, "scraper-1"},
		{[]string{"end"}, "monitoring-1"},
	} {
		s.press(c.keys...)
		if got := s.marked(); got != c.want {
			t.Errorf("after %v: %s is chosen, want %s:\n%s", c.keys, got, c.want, s.sees())
		}
		s.want()
	}
	// With a page down and up, the chosen one is always on the screen.
	s.press("home", "pgdown", "pgdown")
	if s.marked() == "" {
		t.Errorf("nothing is chosen:\n%s", s.sees())
	}
	// The whole document can be read with two keys.
	s.press("home")
	for range 200 {
		s.press("down")
	}
	s.want("RECOMMENDATIONS", "ARBITER", "arbiter-1")
	for range 200 {
		s.press("up")
	}
	s.want("SUPABASE CONFIGURATION")
}

// The chosen container stays chosen while others come and go.
func TestChoiceFollows(t *testing.T) {
	t.Parallel()
	s := sit(t, 80, 50).shown(example(noon))
	s.press("down", "down")
	if got := s.marked(); got != "viewer-1" {
		t.Fatalf("%s is chosen", got)
	}
	s.press("s", "s", "s") // by name
	if got := s.marked(); got != "viewer-1" {
		t.Errorf("sorted, %s is chosen", got)
	}
	s.shown(changed(noon, func(st *status.Status) { delete(st.Services, "viewer") }))
	if got := s.marked(); got != "scraper-1" { // it was the last one before
		t.Errorf("when it has left, %s is chosen", got)
	}
	s.shown(changed(noon, func(st *status.Status) { clear(st.Services) }))
	s.press("down", "up", "enter")
	s.want("No container has registered yet.")
}

func TestContainerPage(t *testing.T) {
	t.Parallel()
	short := changed(noon, func(st *status.Status) {
		c := &st.Services["api"].Containers[0]
		backends := 5
		c.State, c.Want, c.Waiting, c.Position, c.Backends, c.Reason = status.Waiting, 9, 3, 1, &backends, "others hold the connections\x1b[2J"
		st.Remaining = 0
	})
	s := sit(t, 80, 30).shown(short)
	s.press("down", "enter")
	s.want("🐳 api-1", "Service:               api", "State:                 waiting", "Place in the Queue:    1", "Seen in the Database:  5",
		"api has 5 of the 9 connections that it wants: scraper (priority 10), viewer", "It is the first in the", "The arbiter's reason: others hold the connections?[2J.", "esc back")
	// It stays up to date.
	s.shown(changed(noon, func(st *status.Status) { st.Services["api"].Containers[0].InUse = 4 }))
	s.want("In Use:                4", "all of them.")
	s.shown(changed(noon, func(st *status.Status) { delete(st.Services, "api") }))
	s.want("The container api-1 has left.")
	s.press("esc")
	s.want("CONTAINER DETAILS", "!has left")
	// On a small screen it scrolls.
	small := sit(t, 80, 10).shown(short)
	small.press("down", "down", "enter")
	small.want("Service:", "!WHY")
	for range 30 {
		small.press("down")
	}
	small.want("The arbiter's reason")
}

func TestHelpPage(t *testing.T) {
	t.Parallel()
	s := sit(t, 80, 30)
	s.press("?")
	s.want("KEYS", "why the container has what it has", "callers that wait")
	s.press("?")
	s.want("!KEYS")
	s.press("?", "esc")
	s.want("!KEYS")
}

func TestQuit(t *testing.T) {
	t.Parallel()
	quits := func(cmd tea.Cmd) bool {
		if cmd == nil {
			return false
		}
		_, ok := cmd().(tea.QuitMsg)
		return ok
	}
	s := sit(t, 80, 24).shown(example(noon))
	if !quits(s.press("q")) || !quits(s.press("ctrl+c")) || !quits(s.press("enter", "q")) || !quits(s.press("esc", "/", "ctrl+c")) {
		t.Error("it does not quit")
	}
	if quits(s.press("q")) {
		t.Error("a letter of the filter quits")
	}
	s.want("name contains: q")
}

func TestExpectedServiceOnScreen(t *testing.T) {
	t.Parallel()
	s := sit(t, 80, 40, "--expect=mailer").shown(example(noon))
	s.now = noon.Add(10 * time.Second)
	s.shown(example(s.now))
	s.want("🟡 WARNING", "mailer is expected and has no container: it may be down. (since", "12:00:00)")
	s.shown(changed(noon, func(st *status.Status) { st.Services["mailer"] = &status.Service{Count: 1} }))
	s.want("🟢 HEALTHY", "!expected")
}

// A screen of ten thousand containers costs what is on it.
func TestManyContainers(t *testing.T) {
	s := sit(t, 80, 24).shown(fleet(10_000))
	s.press("end")
	s.want("monitoring-1")
	s.press("home", "down", "down")
	s.want("worker-00000")
	if allocs := testing.AllocsPerRun(10, func() { s.press("down"); s.sees() }); allocs > 5000 {
		t.Errorf("a key and a screen take %.0f allocations", allocs)
	}
}

func BenchmarkUpdateOf10000(b *testing.B) {
	o := options{Sort: "connections", Interval: cli.Duration(time.Second)}
	m := newModel(&o, cli.Terminal{Color: true}, func() time.Time { return noon })
	s := fleet(10_000)
	for b.Loop() {
		m.Update(update{Status: s})
		_ = m.View()
	}
}

func BenchmarkKeyOf10000(b *testing.B) {
	o := options{Sort: "connections", Interval: cli.Duration(time.Second)}
	m := newModel(&o, cli.Terminal{Color: true}, func() time.Time { return noon })
	m.Update(update{Status: fleet(10_000)})
	for b.Loop() {
		m.Update(tea.KeyPressMsg{Code: tea.KeyDown})
		_ = m.View()
	}
}
