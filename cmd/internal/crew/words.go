package crew

import (
	"strings"
	"sync"
)

// maxWords is how much of a process's standard error is kept.
const maxWords = 2 << 10

// LastWords keeps the end of what is written to it. It is safe for concurrent
// use.
type LastWords struct {
	mu   sync.Mutex
	text []byte
}

func (w *LastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	w.text = w.text[max(0, len(w.text)-maxWords):]
	return len(p), nil
}

func (w *LastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}
