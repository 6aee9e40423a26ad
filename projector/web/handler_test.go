package web_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/conncord/conncord/projector/status"
	"github.com/conncord/conncord/projector/web"
)

// get asks a handler for a path, with header lines like "Name: value".
func get(h http.Handler, path string, header ...string) *http.Response {
	return request(h, http.MethodGet, path, header...)
}

func request(h http.Handler, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "http://localhost"+path, nil)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// body reads an answer to its end.
func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "conncord_up 1") })
	full := web.Handler(web.Config{Source: newSource(calm()), Metrics: metrics})
	empty := web.Handler(web.Config{Source: newSource(nil)})
	late := web.Handler(web.Config{Source: newSource(calm()), Ready: func() (bool, string) { return false, "This standby is 12 records behind." }})
	const text, json, html = "text/plain; charset=utf-8", "application/json", "text/html; charset=utf-8"
	for _, c := range []struct {
		name string
		of   http.Handler
		path string
		code int
		kind string
		says string
	}{
		{"lives", full, "/healthz", 200, text, "ok"},
		{"lives without data", empty, "/healthz", 200, text, "ok"},
		{"ready", full, "/readyz", 200, text, "ok"},
		{"not ready without data", empty, "/readyz", 503, text, web.NoStatus},
		{"not ready", late, "/readyz", 503, text, "This standby is 12 records behind."},
		{"metrics", full, "/metrics", 200, text, "conncord_up 1"},
		{"no metrics", empty, "/metrics", 404, text, "404 page not found"},
		{"status", full, "/api/status", 200, json, `"total_allocated":25`},
		{"no status", empty, "/api/status", 503, json, `{"error":"` + web.NoStatus + `"}`},
		{"containers", full, "/api/containers", 200, json, `"total":4`},
		{"no containers yet", empty, "/api/containers", 503, json, web.NoStatus},
		{"a container that is not there", full, "/api/containers/gone-1", 404, json, `There is no container \"gone-1\"`},
		{"no container yet", empty, "/api/containers/any", 503, json, web.NoStatus},
		{"history", full, "/api/history", 200, json, `"samples":[]`},
		{"no history yet", empty, "/api/history", 200, json, `{"samples":[],"leaders":[]}`},
		{"nothing in the API", full, "/api/nothing", 404, json, "There is nothing here."},
		{"page", full, "/", 200, html, "<!doctype html>"},
		{"page without data", empty, "/", 200, html, "<!doctype html>"},
		{"no other page", full, "/other", 404, text, "404 page not found"},
		{"script", full, "/assets/js/main.js", 200, "text/javascript; charset=utf-8", "import "},
		{"style", full, "/assets/css/base.css", 200, "text/css; charset=utf-8", ":root"},
		{"picture", full, "/assets/icon.svg", 200, "image/svg+xml", "<svg"},
		{"no such file", full, "/assets/js/../../doc.go", 307, "text/html; charset=utf-8", ""},
		{"no listing", full, "/assets/js/", 404, text, "There is no such file."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := get(c.of, c.path)
			text := body(t, r)
			if r.StatusCode != c.code || r.Header.Get("Content-Type") != c.kind || !strings.Contains(text, c.says) {
				t.Errorf("GET %s: %d, %s, want %d, %s with %q:\n%.500s", c.path, r.StatusCode, r.Header.Get("Content-Type"), c.code, c.kind, c.says, text)
			}
		})
	}
}

// TestGuard asks for everything in every wrong way: the headers are there whatever
// the answer is.
func TestGuard(t *testing.T) {
	t.Parallel()
	h := web.Handler(web.Config{Source: newSource(calm())})
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
		"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	}
	paths := []string{"/", "/assets/js/main.js", "/healthz", "/readyz", "/metrics", "/api/status", "/api/containers", "/api/containers/x", "/api/history", "/api/events", "/nothing"}
	for _, path := range paths {
		for _, method := range []string{"HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"} {
			r := request(h, method, path)
			got := map[string]string{}
			for name := range want {
				got[name] = r.Header.Get(name)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", method, path, diff)
			}
			text := body(t, r)
			switch {
			case method == "HEAD":
				if text != "" && path != "/nothing" && path != "/metrics" { // net/http cuts the body of those two
					t.Errorf("HEAD %s has a body: %.100q", path, text)
				}
			case r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD" || !strings.Contains(text, "read only"):
				t.Errorf("%s %s: %d, Allow %q: %s", method, path, r.StatusCode, r.Header.Get("Allow"), text)
			}
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen, host string
		code         int
	}{
		{"127.0.0.1:8080", "localhost:8080", 200},
		{"127.0.0.1:8080", "127.0.0.1:8080", 200},
		{"127.0.0.1:8080", "LocalHost", 200},
		{"[::1]:8080", "[::1]:8080", 200},
		{"localhost:8080", "[::1]", 200},
		{"127.0.0.1:8080", "rebound.example:8080", 403},
		{"localhost:8080", "localhost.rebound.example", 403},
		{"127.0.0.1:8080", "", 403},
		{":8080", "conncord.internal", 200},
		{"0.0.0.0:8080", "conncord.internal:8080", 200},
		{"10.0.0.7:8080", "conncord.internal", 200},
	} {
		h := web.Handler(web.Config{Source: newSource(calm()), Hosts: web.LoopbackHosts(c.listen)})
		r := httptest.NewRequest("GET", "/api/status", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code {
			t.Errorf("at %s, asked for as %q: %d, want %d: %s", c.listen, c.host, w.Code, c.code, w.Body)
		}
	}
}

func TestNamedHosts(t *testing.T) {
	t.Parallel()
	h := web.Handler(web.Config{Source: newSource(calm()), Hosts: []string{"Conncord.Example:443", "[fd00::7]"}})
	for host, code := range map[string]int{"conncord.example": 200, "CONNCORD.example:8080": 200, "[fd00::7]:8080": 200, "localhost": 403} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != code {
			t.Errorf("asked for as %q: %d, want %d: %s", host, w.Code, code, w.Body)
		}
	}
}

func TestStatusIsTheWholeStatus(t *testing.T) {
	t.Parallel()
	src := newSource(busy())
	h := web.Handler(web.Config{Source: src})
	r := get(h, "/api/status")
	got, err := status.Decode([]byte(body(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(src.Status(), got); diff != "" {
		t.Errorf("the status (-want +got):\n%s", diff)
	}

	tag := r.Header.Get("ETag")
	for _, known := range []string{tag, `"other", ` + tag, strings.TrimPrefix(tag, "W/"), "*"} {
		again := get(h, "/api/status", "If-None-Match: "+known)
		if text := body(t, again); again.StatusCode != 304 || text != "" {
			t.Errorf("with If-None-Match %s: %d and %d bytes, want 304 and none", known, again.StatusCode, len(text))
		}
	}
	next := busy()
	next.UpdatedAt = next.UpdatedAt.Add(time.Second)
	src.show(next)
	if r := get(h, "/api/status", "If-None-Match: "+tag); r.StatusCode != 200 || r.Header.Get("ETag") == tag {
		t.Errorf("after a change: %d with ETag %s, want 200 with another than %s", r.StatusCode, r.Header.Get("ETag"), tag)
	}
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	t.Parallel()
	src := newSource(crowd(500))
	src.samples = hourOf(src.status, time.Hour)
	h := web.Handler(web.Config{Source: src})
	for _, path := range []string{"/api/status", "/api/containers", "/api/history", "/assets/js/main.js"} {
		plain := body(t, get(h, path))
		packed := get(h, path, "Accept-Encoding: br, gzip;q=0.8")
		if packed.Header.Get("Content-Encoding") != "gzip" || packed.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: Content-Encoding %q, Vary %q", path, packed.Header.Get("Content-Encoding"), packed.Header.Get("Vary"))
			continue
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(plain, string(unpacked)); diff != "" {
			t.Errorf("%s compressed says something else (-plain +compressed):\n%.1000s", path, diff)
		}
		if r := get(h, path, "Accept-Encoding: gzip;q=0"); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed for one who refuses it", path)
		}
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	src := newSource(calm())
	src.samples, src.leaders = hourOf(src.status, time.Minute), reign(src.status)
	var got struct {
		Samples []status.Sample
		Leaders []status.Leadership
	}
	if err := json.Unmarshal([]byte(body(t, get(web.Handler(web.Config{Source: src}), "/api/history"))), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(src.samples, got.Samples); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(src.leaders, got.Leaders); diff != "" {
		t.Errorf("leaders (-want +got):\n%s", diff)
	}
}

// TestNothingInline looks for what the policy forbids, so that it is not only found
// by those who see a page without it.
func TestNothingInline(t *testing.T) {
	t.Parallel()
	page := body(t, get(web.Handler(web.Config{Source: newSource(nil)}), "/"))
	for _, forbidden := range []string{"<style", " style=", " onclick=", " onload=", "javascript:", "http://", "https://", "<script>"} {
		if strings.Contains(page, forbidden) {
			t.Errorf("the page has %q", forbidden)
		}
	}
}
