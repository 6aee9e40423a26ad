package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/conncord/conncord/projector/status"
)

// A list is what /api/containers answers: one page of the containers asked for.
type list struct {
	Sequence   uint64      `json:"sequence"`
	UpdatedAt  time.Time   `json:"updated_at"`
	Total      int         `json:"total"` // how many match, on all pages
	Offset     int         `json:"offset"`
	Limit      int         `json:"limit"`
	Sort       string      `json:"sort"`
	Order      string      `json:"order"`
	Containers []explained `json:"containers"`
}

// An explained container also says whose it is, and why it has what it has.
type explained struct {
	Service string `json:"service"`
	*status.Container
	Why string `json:"why"`
}

// containers answers /api/containers.
func (s *site) containers(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		refuse(w, r, http.StatusBadRequest, fmt.Sprintf("This cannot be answered: %v.", err))
		return
	}
	e := s.edition()
	if e == nil {
		refuseYet(w, r)
		return
	}
	body, err := json.Marshal(e.list(&q))
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, r, body)
}

// list returns the page that a query asks for.
func (e *edition) list(q *query) *list {
	l := &list{
		Sequence: e.status.Sequence, UpdatedAt: e.status.UpdatedAt,
		Offset: q.offset, Limit: q.limit, Sort: sortKeys[q.key].name, Order: "asc",
		Containers: []explained{},
	}
	rows := e.rising
	if q.falling {
		l.Order = "desc"
		rows = e.falling
	}
	for _, r := range rows[q.key]() {
		if !q.matches(r) {
			continue
		}
		if l.Total >= q.offset && len(l.Containers) < q.limit {
			l.Containers = append(l.Containers, explained{r.service, r.Container, e.status.Why(r.Container, r.service)})
		}
		l.Total++
	}
	return l
}

// container answers /api/containers/{id}.
func (s *site) container(w http.ResponseWriter, r *http.Request) {
	e := s.edition()
	if e == nil {
		refuseYet(w, r)
		return
	}
	id := r.PathValue("id")
	c, service := e.status.Find(id)
	if c == nil {
		refuse(w, r, http.StatusNotFound, fmt.Sprintf("There is no container %.96q: it has left, or was never registered.", id))
		return
	}
	body, err := json.Marshal(explained{service, c, e.status.Why(c, service)})
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, r, body)
}
