package show

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func sampleView() view {
	v := view{
		elapsed: 12 * time.Second, duration: 30 * time.Second, scene: play[4].title, charged: 54, figures: good(),
		poll:      pollView{backends: 54, peak: 54, polls: 3, elapsed: 8 * time.Millisecond},
		available: 54, guests: 5,
		news: []string{" 11.0s  " + strings.Repeat("something happened ", 10)},
	}
	for i, s := range services {
		v.rows = append(v.rows, row{name: s.Name, priority: s.Priority, containers: 1, granted: 20 - 4*i, charged: 22 - 4*i, wanted: 54, inUse: 15 - 3*i, waiting: 3, rate: 250})
	}
	v.figures.regrant = 2100 * time.Millisecond
	v.total = row{name: "total", containers: 5, granted: 60, charged: 70, wanted: 270, inUse: 54, waiting: 15, rate: 1250}
	return v
}

func TestTableFitsItsPlace(t *testing.T) {
	for _, s := range []style{ascii, blocks} {
		for width := minWidth - 1; width <= maxWidth; width++ {
			got := s.table(sampleView(), width)
			if len(got) != tableHeight {
				t.Fatalf("width %d: %d lines, want %d", width, len(got), tableHeight)
			}
			for _, line := range got {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("width %d: %d places in %q", width, n, line)
				}
			}
		}
	}
}

func TestTableShowsEveryService(t *testing.T) {
	text := strings.Join(ascii.table(sampleView(), 100), "\n")
	for _, want := range []string{"scraper       10     1    20/54      15        3    250  ####", "external", "54 connections, at most 54 of 54", "refused 0", "54 to share now", "5 past Conncord", "2100 ms from kill -9", "12.0s of 30s", "every 4.0 ms"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestColors(t *testing.T) {
	for _, c := range []struct {
		o    options
		want bool
	}{{options{}, true}, {options{noColor: true}, false}} {
		s := styleFor(c.o)
		if got := strings.Contains(strings.Join(s.table(sampleView(), 100), ""), "\x1b"); got != c.want {
			t.Errorf("%+v: colored is %v", c.o, got)
		}
	}
	bad := sampleView()
	bad.figures.refused = 1
	s := style{color: true}
	if !strings.Contains(strings.Join(s.table(bad, 100), ""), "\x1b[31m   refused 1") {
		t.Error("a refused connection is not red")
	}
}

func TestBlocksNeedUTF8(t *testing.T) {
	for locale, want := range map[string]string{"": "#", "C": "#", "de_DE.UTF-8": "█", "C.utf8": "█"} {
		if got := styleFor(options{locale: locale}).inUse; got != want {
			t.Errorf("%q: %q", locale, got)
		}
	}
}

func TestPlainLinesWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, options{term: "xterm"})
	v := sampleView()
	for _, at := range []time.Duration{29 * time.Second, 30 * time.Second, 30*time.Second + time.Millisecond} {
		v.elapsed = at
		if err := s.show(v); err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(got) != 2 || !strings.Contains(got[0], "scraper 20/54") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%q", got)
	}
}

func TestRates(t *testing.T) {
	var r rates
	at := time.Unix(0, 0)
	for i := range 30 {
		r.note(at.Add(time.Duration(i)*100*time.Millisecond), map[string]int64{"api": int64(i * 50)})
	}
	if got := r.note(at.Add(3*time.Second), map[string]int64{"api": 1500})["api"]; got != 500 {
		t.Errorf("%d", got)
	}
	if len(r.samples) > 13 {
		t.Errorf("%d samples are kept", len(r.samples))
	}
}
