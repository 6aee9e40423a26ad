package web_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/conncord/conncord/projector/web"
)

// A server serves the page on an address that it keeps when it is started again.
type server struct {
	t      *testing.T
	addr   string
	source *source
	stop   func()
}

func serve(t *testing.T, source *source) *server {
	t.Helper()
	s := &server{t: t, addr: "127.0.0.1:0", source: source, stop: func() {}}
	s.start()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) url() string { return "http://" + s.addr + "/" }

// start begins to serve. What stop ends is waited for.
func (s *server) start() {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{
		Handler:     web.Handler(web.Config{Source: s.source, Hosts: web.LoopbackHosts(s.addr)}),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(listener) }()
	s.stop = func() {
		cancel()
		limited, end := context.WithTimeout(context.Background(), patience)
		defer end()
		if err := srv.Shutdown(limited); err != nil {
			s.t.Errorf("shut down: %v", err)
		}
		<-done
		s.stop = func() {}
	}
}
