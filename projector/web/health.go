package web

import "net/http"

// healthz says that the process lives. It depends on nothing: a process must not be
// killed because Redis is away.
func (s *site) healthz(w http.ResponseWriter, r *http.Request) {
	sendText(w, r, http.StatusOK, "ok")
}

// readyz says whether the process is of use yet.
func (s *site) readyz(w http.ResponseWriter, r *http.Request) {
	if ok, why := s.ready(); !ok {
		sendText(w, r, http.StatusServiceUnavailable, why)
		return
	}
	sendText(w, r, http.StatusOK, "ok")
}
