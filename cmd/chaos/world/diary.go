package world

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// maxLines is how many log lines are kept: enough for the minutes around a
// fault.
const maxLines = 50_000

// A Line is one line that a process logged.
type Line struct {
	At   time.Time
	From string
	Text string
}

// A Diary keeps what all processes logged, in the order in which it came. It is
// safe for concurrent use.
type Diary struct {
	began time.Time

	mu    sync.Mutex
	lines []Line
	watch func(Line) // sees every line; may be nil
}

// NewDiary returns a diary that begins now. watch sees every line and must be
// quick; it may be nil.
func NewDiary(watch func(Line)) *Diary { return &Diary{began: time.Now(), watch: watch} }

// Writer returns what a process can log to.
func (d *Diary) Writer(from string) io.Writer { return &page{diary: d, from: from} }

// add adds a line.
func (d *Diary) add(from, text string) {
	if text == "" {
		return
	}
	line := Line{time.Now(), from, text}
	if d.watch != nil {
		d.watch(line)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lines = append(d.lines, line); len(d.lines) > 2*maxLines {
		d.lines = append([]Line(nil), d.lines[len(d.lines)-maxLines:]...)
	}
}

// Since returns the lines from a moment on, each with its time since the
// diary's begin.
func (d *Diary) Since(begin time.Time) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, l := range d.lines {
		if !l.At.Before(begin) {
			fmt.Fprintf(&b, "%8.3fs  %-14s %s\n", l.At.Sub(d.began).Seconds(), l.From, l.Text)
		}
	}
	return b.String()
}

// A page is where one process writes. It makes lines of what comes.
type page struct {
	diary *Diary
	from  string

	mu   sync.Mutex
	rest []byte // a line that has not ended
}

// maxLine is how long a line may get.
const maxLine = 4 << 10

func (p *page) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, text...)
	for {
		line, rest, whole := bytes.Cut(p.rest, []byte("\n"))
		if !whole && len(p.rest) < maxLine {
			return len(text), nil
		}
		p.diary.add(p.from, string(line))
		p.rest = rest
	}
}
