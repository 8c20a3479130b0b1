package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"assay/internal/cache"
	"assay/internal/guard"
	"assay/internal/store"
)

// scrapeTimeout bounds what a scrape may ask of the database.
const scrapeTimeout = 3 * time.Second

// Sources count by themselves and are read at each scrape. Each may be nil.
type Sources struct {
	Backlog   func(ctx context.Context) (store.Backlog, error)
	ReviewGap func(ctx context.Context) (time.Duration, error)
	Breakers  func() []guard.Stats
	Caches    func() []cache.Stats
}

// Watch reads the sources at each scrape from now on. It is called once.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(watcher{s}) }

type watcher struct{ Sources }

// watched are the metrics that come from sources.
var watched = []Definition{
	queueDepth, queueOldest, deadLetters, reviewGap,
	breakerState, breakerDown, calls, rejections, retries, callsInFlight,
	cacheRequests, cacheLoads, cacheErrors, cacheShared, cacheEvictions, cacheEntries, cacheSize,
}

// Describe names the metrics of the sources.
func (w watcher) Describe(out chan<- *prometheus.Desc) {
	for _, d := range watched {
		out <- d.desc()
	}
}

// Collect reads the sources.
func (w watcher) Collect(out chan<- prometheus.Metric) {
	if w.Backlog != nil {
		w.backlog(out)
	}
	if w.ReviewGap != nil {
		w.gap(out)
	}
	if w.Breakers != nil {
		for _, s := range w.Breakers() {
			dependency(out, s)
		}
	}
	if w.Caches != nil {
		for _, s := range w.Caches() {
			cached(out, s)
		}
	}
}

func (w watcher) backlog(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	b, err := w.Backlog(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(queueDepth.desc(), err)
		return
	}
	for state, n := range b.Jobs {
		out <- queueDepth.at(float64(n), state)
	}
	out <- queueOldest.at(b.Oldest.Seconds())
	out <- deadLetters.at(float64(b.DeadDeliveries), "delivery")
	out <- deadLetters.at(float64(b.DeadRuns), "run")
}

func (w watcher) gap(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gap, err := w.ReviewGap(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(reviewGap.desc(), err)
		return
	}
	out <- reviewGap.at(gap.Seconds())
}

func dependency(out chan<- prometheus.Metric, s guard.Stats) {
	out <- breakerState.at(float64(s.State), s.Name)
	out <- breakerDown.at(s.Unavailable.Seconds(), s.Name)
	out <- callsInFlight.at(float64(s.InFlight), s.Name)
	calls.each(out, s.Name, counts{"success": s.Successes, "failure": s.Failures, "limited": s.Limited, "excluded": s.Excluded})
	rejections.each(out, s.Name, counts{"open": s.RejectedOpen, "limited": s.RejectedLimited, "full": s.RejectedFull})
	retries.each(out, s.Name, counts{"made": s.Retries, "denied": s.RetriesDenied})
}

func cached(out chan<- prometheus.Metric, s cache.Stats) {
	cacheRequests.each(out, s.Name, counts{"hit": s.Hits, "miss": s.Misses, "stale": s.Stale, "error": s.ErrorHits})
	out <- cacheLoads.at(float64(s.Loads), s.Name)
	out <- cacheErrors.at(float64(s.Errors), s.Name)
	out <- cacheShared.at(float64(s.Shared), s.Name)
	out <- cacheEvictions.at(float64(s.Evictions), s.Name)
	out <- cacheEntries.at(float64(s.Size), s.Name)
	out <- cacheSize.at(float64(s.Bytes), s.Name)
}

// at is the metric's value at this scrape.
func (d Definition) at(value float64, labels ...string) prometheus.Metric {
	kind := prometheus.GaugeValue
	if d.Kind == Counter {
		kind = prometheus.CounterValue
	}
	return prometheus.MustNewConstMetric(d.desc(), kind, value, labels...)
}

// counts are values by the last label.
type counts map[string]uint64

func (d Definition) each(out chan<- prometheus.Metric, name string, values counts) {
	for label, n := range values {
		out <- d.at(float64(n), name, label)
	}
}
