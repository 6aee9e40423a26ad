package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// policy lets the page load what this package serves, and nothing else: no script
// or style in the text, no other host, no frame around it, no form.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; frame-ancestors 'none'; form-action 'none'"

// guard lets only readers through, under the given names, and puts the headers that
// protect browsers on every answer.
func guard(names []string, next http.Handler) http.Handler {
	hosts := make([]string, len(names))
	for i, name := range names {
		hosts[i] = hostOf(name)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if len(hosts) > 0 && !slices.Contains(hosts, hostOf(r.Host)) {
			refuse(w, r, http.StatusForbidden, fmt.Sprintf("This server is not called %.64q. Ask for it as %s.", hostOf(r.Host), strings.Join(hosts, ", ")))
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			refuse(w, r, http.StatusMethodNotAllowed, "Everything here is read only: use GET.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// LoopbackHosts returns the names that a server on this address may be addressed by
// if it is a loopback address, and nil, which stands for any, if it is not.
//
// A browser lets a page read what comes from the page's own host name. Whoever owns
// a name can have it mean 127.0.0.1 after their page was loaded, and so read what
// is served there. The name stays theirs, and so gives them away.
func LoopbackHosts(addr string) []string {
	if host := hostOf(addr); host != "localhost" {
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			return nil
		}
	}
	return []string{"localhost", "127.0.0.1", "::1"}
}

// hostOf returns the host of an address or a Host header, in lower case, without
// the port and the brackets of IPv6.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	return strings.ToLower(strings.Trim(address, "[]"))
}
