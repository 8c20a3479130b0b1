// Package metrics counts what the service does, for Prometheus. The parts of
// the service report through the small methods of [Metrics], which fit their
// hooks; what counts itself already (breakers, caches, the queue) is read at
// each scrape, by [Metrics.Watch].
//
// There is one table of metrics, definitions.go, of which docs/metrics.md is
// made. No label names a repository, a pull request or a person, and none has
// values that strangers choose. Serving the numbers to the operator alone is
// left to internal/server.
package metrics

import (
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"assay/internal/guard"
	"assay/review"
)

// other is the label of an agent that this build does not know by name.
const other = "other"

// Config has what Metrics are made of.
type Config struct {
	Version string
	// Agents are the names of this build's agents; agents of any other name
	// are counted together, so that no repository can make new series.
	Agents []string
	// Logger is told of scrapes that went wrong; nil discards.
	Logger *slog.Logger
}

// Metrics are the metrics of one process. They are safe for concurrent use.
type Metrics struct {
	cfg      Config
	registry *prometheus.Registry

	deliveries, runs, superseded, findings, transitions *prometheus.CounterVec
	ack, runDuration, runWait, agentDuration, github    *prometheus.HistogramVec
	inFlight                                            *prometheus.GaugeVec
}

// New makes metrics with a registry of their own.
func New(cfg Config) *Metrics {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{
		cfg: cfg, registry: prometheus.NewRegistry(),
		deliveries: deliveries.counter(), runs: runs.counter(), superseded: superseded.counter(), findings: findings.counter(),
		transitions: breakerTransitions.counter(),
		ack:         ackDuration.histogram(), runDuration: runDuration.histogram(), runWait: runWait.histogram(),
		agentDuration: agentDuration.histogram(), github: githubDuration.histogram(), inFlight: runsInFlight.gauge(),
	}
	build := buildInfo.gauge()
	build.WithLabelValues(cfg.Version, runtime.Version()).Set(1)
	m.registry.MustRegister(
		build, m.deliveries, m.runs, m.superseded, m.findings, m.transitions,
		m.ack, m.runDuration, m.runWait, m.agentDuration, m.github, m.inFlight,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	// Series that alerts look at are there before the first event: what is
	// absent is never above a threshold.
	for _, result := range results {
		m.deliveries.WithLabelValues(result)
	}
	m.superseded.WithLabelValues()
	m.inFlight.WithLabelValues()
	return m
}

// Handler answers scrapes. What cannot be read is left out, and logged.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: scrapeLog{m.cfg.Logger}, EnableOpenMetrics: true,
	})
}

type scrapeLog struct{ log *slog.Logger }

func (l scrapeLog) Println(v ...any) { l.log.Warn("a metric could not be read", "error", v) }

// The results of deliveries.
const (
	badSignature = "bad_signature"
	tooLarge     = "too_large"
	malformed    = "malformed"
	notStored    = "not_stored"
)

var results = []string{"accepted", "duplicate", "ignored", badSignature, tooLarge, malformed, notStored}

// Delivery counts a webhook request; it fits webhook.Config.OnResult.
func (m *Metrics) Delivery(code int, status string, took time.Duration) {
	m.deliveries.WithLabelValues(resultOf(code, status)).Inc()
	m.ack.WithLabelValues().Observe(took.Seconds())
}

func resultOf(code int, status string) string {
	switch {
	case code < http.StatusMultipleChoices && slices.Contains(results, status):
		return status
	case code == http.StatusUnauthorized:
		return badSignature
	case code == http.StatusRequestEntityTooLarge:
		return tooLarge
	case code >= http.StatusInternalServerError:
		return notStored
	default:
		return malformed
	}
}

// RunStarted counts a run that is being worked on, until done is called.
func (m *Metrics) RunStarted() (done func()) {
	gauge := m.inFlight.WithLabelValues()
	gauge.Inc()
	return gauge.Dec
}

// RunEnded counts a run that has its final status; it fits pipeline.Config.OnRun.
// Of a run that was reported, its agents and findings are counted too.
func (m *Metrics) RunEnded(r review.Run) {
	shown := review.Outcome{} // the judgement of a run that was ended is nobody's
	if r.Status == review.StatusDone {
		shown = r.Outcome
	}
	m.runs.WithLabelValues(string(r.Status), string(shown.Conclusion), string(shown.Health)).Inc()
	if r.Status == review.StatusSuperseded {
		m.superseded.WithLabelValues().Inc()
	}
	if r.StartedAt.IsZero() {
		return
	}
	m.runDuration.WithLabelValues(string(r.Status)).Observe(r.FinishedAt.Sub(r.StartedAt).Seconds())
	m.runWait.WithLabelValues().Observe(r.StartedAt.Sub(r.QueuedAt).Seconds())
	if r.Status != review.StatusDone {
		return
	}
	for _, a := range r.Agents {
		m.agentDuration.WithLabelValues(m.agent(a.Name), string(a.Status)).Observe(a.Duration().Seconds())
	}
	for _, f := range r.Findings {
		m.findings.WithLabelValues(m.agent(f.Agent), f.Severity.String()).Inc()
	}
}

func (m *Metrics) agent(name string) string {
	if slices.Contains(m.cfg.Agents, name) {
		return name
	}
	return other
}

// BreakerChanged counts a change of a breaker's state; it fits
// guard.Config.OnChange.
func (m *Metrics) BreakerChanged(c guard.Change) {
	m.transitions.WithLabelValues(c.Dependency, c.From.String(), c.To.String()).Inc()
}

// Transport measures requests to GitHub that next carries.
func (m *Metrics) Transport(next http.RoundTripper) http.RoundTripper {
	return transport{m.github, next}
}

type transport struct {
	duration *prometheus.HistogramVec
	next     http.RoundTripper
}

// RoundTrip sends req and measures until the answer's header is there.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	started := time.Now()
	resp, err := t.next.RoundTrip(req)
	status := "error"
	if err == nil {
		status = strconv.Itoa(resp.StatusCode)
	}
	t.duration.WithLabelValues(req.Method, status).Observe(time.Since(started).Seconds())
	return resp, err
}
