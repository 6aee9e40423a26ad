package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// packFrom is the size from which a body is compressed: what fits into one packet
// does not get there sooner.
const packFrom = 1400

// answer sends a body that is made anew for each request, compressed where it is
// large and the reader can unpack it.
func answer(w http.ResponseWriter, r *http.Request, body []byte) {
	if len(body) >= packFrom && unpacks(r) {
		packed, err := pack(body)
		if err == nil {
			sendPacked(w, r, packed)
			return
		}
	}
	send(w, r, http.StatusOK, body)
}

// refuse says in one sentence why there is no answer.
func refuse(w http.ResponseWriter, r *http.Request, code int, sentence string) {
	if !strings.HasPrefix(r.URL.Path, "/api/") {
		sendText(w, r, code, sentence)
		return
	}
	body, err := json.Marshal(map[string]string{"error": sentence})
	if err != nil {
		panic(err) // a map of two strings can be encoded
	}
	send(w, r, code, body)
}

// failed answers when a value could not be encoded, which is a mistake on this side.
func (s *site) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.logger.Error("an answer could not be made", "path", r.URL.Path, "error", err)
	refuse(w, r, http.StatusInternalServerError, "The answer could not be made: see the arbiter's log.")
}

func send(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	sendBytes(w, r, code, body)
}

func sendText(w http.ResponseWriter, r *http.Request, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	sendBytes(w, r, code, []byte(text+"\n"))
}

func sendPacked(w http.ResponseWriter, r *http.Request, packed []byte) {
	w.Header().Set("Content-Encoding", "gzip")
	send(w, r, http.StatusOK, packed)
}

// sendBytes ignores that the reader has gone: there is nobody to tell.
func sendBytes(w http.ResponseWriter, r *http.Request, code int, body []byte) {
	h := w.Header()
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Add("Vary", "Accept-Encoding")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func pack(body []byte) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	if _, err = z.Write(body); err == nil {
		err = z.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return b.Bytes(), nil
}

// unpacks reports whether the reader understands gzip.
func unpacks(r *http.Request) bool {
	for _, accepted := range r.Header.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(accepted, ",") {
			name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.TrimSpace(name) != "gzip" {
				continue
			}
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return weight == "" || err != nil || q > 0
		}
	}
	return false
}
