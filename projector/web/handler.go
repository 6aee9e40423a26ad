package web

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/conncord/conncord/projector/status"
)

// A Source is where the view comes from. Its methods may be called concurrently,
// and what they return is not changed afterwards.
type Source interface {
	// Status returns the newest status; nil before there is any.
	Status() *status.Status

	// Changed returns a channel that is closed when Status has changed. Ask again
	// for the next change.
	Changed() <-chan struct{}

	// Samples returns the last hour, oldest first.
	Samples() []status.Sample

	// Leaders returns the newest leaderships, the newest last.
	Leaders() []status.Leadership
}

// A Config says what a Handler shows.
type Config struct {
	// Source is required.
	Source Source

	// Ready says whether this process is of use yet, and in one sentence why not.
	// Nil: it is as soon as there is a status.
	Ready func() (ok bool, why string)

	// Metrics answers /metrics. Nil: there are none.
	Metrics http.Handler

	// Hosts are the names under which the server may be addressed; ports do not
	// count.
	// Empty: any. See LoopbackHosts.
	Hosts []string

	// Logger is told what went wrong on this side. Nil: slog.Default.
	Logger *slog.Logger
}

// noStatus is what is said before there is a status.
const noStatus = "No status yet: the arbiter has not read the history."

// A site answers the requests.
type site struct {
	source  Source
	ready   func() (bool, string)
	logger  *slog.Logger
	press   press
	streams streams
}

// Handler returns a handler for everything: the page, the API, and what probes and
// Prometheus ask for. It panics without a Source.
func Handler(cfg Config) http.Handler {
	if cfg.Source == nil {
		panic(errors.New("web: Config.Source is nil: give the projector"))
	}
	s := &site{source: cfg.Source, ready: cfg.Ready, logger: cfg.Logger}
	if s.ready == nil {
		s.ready = func() (bool, string) { return cfg.Source.Status() != nil, noStatus }
	}
	if s.logger == nil {
		s.logger = slog.Default()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", s.healthz)
	mux.HandleFunc("/readyz", s.readyz)
	mux.HandleFunc("/api/status", s.status)
	mux.HandleFunc("/api/containers", s.containers)
	mux.HandleFunc("/api/containers/{id}", s.container)
	mux.HandleFunc("/api/history", s.history)
	mux.HandleFunc("/api/events", s.events)
	mux.HandleFunc("/api/", nothingHere)
	mux.HandleFunc("/{$}", s.page)
	mux.HandleFunc("/assets/", s.asset)
	if cfg.Metrics != nil {
		mux.Handle("/metrics", cfg.Metrics)
	}
	return guard(cfg.Hosts, mux)
}

// nothingHere answers those who look for data where none is.
func nothingHere(w http.ResponseWriter, r *http.Request) {
	refuse(w, r, http.StatusNotFound, "There is nothing here. There are /api/status, /api/containers, /api/history and /api/events.")
}
