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
	if unchanged(w, r, e.tag) {
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

// unchanged names the version of what is asked for, to be asked for each time, and
// reports whether it has answered that the reader has it.
func unchanged(w http.ResponseWriter, r *http.Request, tag string) bool {
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache")
	if !matches(r, tag) {
		return false
	}
	h.Add("Vary", "Accept-Encoding")
	w.WriteHeader(http.StatusNotModified)
	return true
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
