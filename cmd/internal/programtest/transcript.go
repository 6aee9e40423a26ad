package programtest

import (
	"strings"
	"sync"
)

// A Transcript collects what a program writes that runs beside the test.
type Transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *Transcript) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *Transcript) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// Environ is an environment of a test: pairs of a name, "=" and a value, of which the
// last one of a name counts.
func Environ(pairs ...string) func(string) (string, bool) {
	vars := map[string]string{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		vars[name] = value
	}
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}
