package metrics

import (
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// maxScrapes bounds scrapes that run at once: two Prometheus servers, and
	// people who look. More get a 503.
	maxScrapes = 8

	// scrapeTimeout bounds one scrape: the shortest timeout that Prometheus is
	// commonly set to. One takes a few milliseconds.
	scrapeTimeout = 5 * time.Second
)

// A Config says what a handler shows. Budget and Source must be set.
type Config struct {
	Budget  string
	Source  Source
	Arbiter Arbiter      // nil: the process has none
	Version string       // of the program
	Logger  *slog.Logger // for scrapes that fail; nil: slog.Default()
}

// Handler serves the budget's metrics, and those of the Go runtime and the
// process, all with the label budget.
func Handler(cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(New(cfg.Budget, cfg.Source, cfg.Arbiter))
	prometheus.WrapRegistererWith(prometheus.Labels{"budget": cfg.Budget}, registry).MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(cfg.Version),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes,
		Timeout:             scrapeTimeout,
	})
}

// buildInfo is always 1: its labels say what the program was built from.
func buildInfo(version string) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "conncord_build_info",
		Help:        "Always 1: the labels say which version of the program this is, and by which Go it was built.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	info.Set(1)
	return info
}
