package web

import (
	"encoding/json"
	"net/http"

	"github.com/conncord/conncord/projector/status"
)

// A past is what /api/history answers.
type past struct {
	Samples []status.Sample     `json:"samples"` // the last hour, oldest first
	Leaders []status.Leadership `json:"leaders"` // the newest last
}

// history answers /api/history. It may be empty, which is no error: a process that
// has just begun has no past.
func (s *site) history(w http.ResponseWriter, r *http.Request) {
	p := past{Samples: s.source.Samples(), Leaders: s.source.Leaders()}
	if p.Samples == nil {
		p.Samples = []status.Sample{}
	}
	if p.Leaders == nil {
		p.Leaders = []status.Leadership{}
	}
	body, err := json.Marshal(p)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, r, body)
}
