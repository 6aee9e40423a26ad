package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/conncord/conncord/projector/status"
)

// An edition is one status in the forms in which it is served. Each form is made
// once, by the first who asks for it.
type edition struct {
	status *status.Status
	tag    string // the ETag; weak, because the compressed form has the same

	full   func() ([]byte, error)
	packed func() ([]byte, error)
	frame  func() ([]byte, error) // the summary as a server-sent event

	rising  []func() []row // the containers by sortKey
	falling []func() []row // and the other way round
}

func newEdition(st *status.Status) *edition {
	e := &edition{
		status: st,
		tag:    fmt.Sprintf(`W/"%s-%d-%x"`, st.Incarnation, st.Sequence, st.UpdatedAt.UnixNano()),
		full:   sync.OnceValues(st.Encode),
	}
	e.packed = sync.OnceValues(func() ([]byte, error) {
		full, err := e.full()
		if err != nil {
			return nil, err
		}
		return pack(full)
	})
	e.frame = sync.OnceValues(func() ([]byte, error) { return frame("status", st.Summary()) })
	registered := sync.OnceValue(func() []row { return flatten(st) })
	for _, key := range sortKeys {
		e.rising = append(e.rising, sync.OnceValue(func() []row { return key.sorted(registered(), false) }))
		e.falling = append(e.falling, sync.OnceValue(func() []row { return key.sorted(registered(), true) }))
	}
	return e
}

// frame returns a server-sent event. JSON has no line break of its own.
func frame(event string, value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode the event %s: %w", event, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", event, body)
	return b.Bytes(), nil
}

// A press keeps the newest edition.
type press struct {
	mu     sync.Mutex
	newest *edition
}

// edition returns the edition of a status.
func (p *press) edition(st *status.Status) *edition {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.newest == nil || p.newest.status != st {
		p.newest = newEdition(st)
	}
	return p.newest
}

// edition returns the newest edition; nil before there is a status.
func (s *site) edition() *edition {
	st := s.source.Status()
	if st == nil {
		return nil
	}
	return s.press.edition(st)
}
