package servertest

import (
	"bytes"
	"io"
	"sync"
)

// tail keeps the last logTailBytes of what is written to it. It is safe for
// concurrent use.
type tail struct {
	all io.Writer // gets everything as well; may be nil

	mu  sync.Mutex
	buf []byte
	cut bool // something was dropped
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all != nil {
		_, _ = t.all.Write(p) // whoever asked for it knows what it is worth
	}
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - logTailBytes; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
		t.cut = true
	}
	return len(p), nil
}

// String returns what was kept, from the first whole line on.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	buf := t.buf
	if t.cut {
		if _, rest, ok := bytes.Cut(buf, []byte("\n")); ok {
			buf = rest
		}
	}
	return string(bytes.TrimSpace(buf))
}

// reset forgets everything, so that an error tells about the current run.
func (t *tail) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf, t.cut = nil, false
}
