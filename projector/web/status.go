package web

import (
	"net/http"
	"strings"
)

// status answers /api/status: the whole status.
func (s *site) status(w http.ResponseWriter, r *http.Request) {
	e := s.edition()
	if e == nil {
		refuseYet(w, r)
		return
	}
	h := w.Header()
	h.Set("ETag", e.tag)
	h.Set("Cache-Control", "no-cache")
	if matches(r, e.tag) {
		h.Add("Vary", "Accept-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	full, err := e.full()
	if err != nil {
		s.failed(w, r, err)
		return
	}
	if len(full) < packFrom || !unpacks(r) {
		send(w, r, http.StatusOK, full)
		return
	}
	packed, err := e.packed()
	if err != nil {
		s.failed(w, r, err)
		return
	}
	sendPacked(w, r, packed)
}

// refuseYet answers before there is a status. It may be there in a second.
func refuseYet(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "1")
	refuse(w, r, http.StatusServiceUnavailable, noStatus)
}

// matches reports whether the reader has this already.
func matches(r *http.Request, tag string) bool {
	for _, known := range r.Header.Values("If-None-Match") {
		for part := range strings.SplitSeq(known, ",") {
			part = strings.TrimSpace(part)
			if part == "*" || strings.TrimPrefix(part, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}
