package metrics

import "github.com/prometheus/client_golang/prometheus"

// Kind is the type of a metric.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Definition describes a metric. Everything that is said about it, to
// Prometheus and in docs/metrics.md, is said from here.
type Definition struct {
	Name, Help string
	Kind       Kind
	Labels     []string
	// Buckets are those of a histogram, in seconds.
	Buckets []float64
}

// Buckets. GitHub waits 10 s for an answer; a review takes from a second to
// the timeout of its pipeline; an agent's time is between a millisecond and that.
var (
	ackBuckets   = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	runBuckets   = []float64{.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800}
	agentBuckets = []float64{.001, .005, .025, .1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
	callBuckets  = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20}
)

// The metrics, in the order of the reference. No label has values that
// strangers choose: no repositories, no pull requests, no users.
var (
	buildInfo = Definition{"assay_build_info", "Always 1; the labels say what runs.", Gauge, []string{"version", "goversion"}, nil}

	deliveries  = Definition{"assay_deliveries_total", "Webhook requests by their answer: accepted, duplicate, ignored, bad_signature, too_large, malformed, or not_stored (503).", Counter, []string{"result"}, nil}
	ackDuration = Definition{"assay_webhook_ack_duration_seconds", "How long a webhook request took to be answered, the commit to the disk included.", Histogram, nil, ackBuckets}

	runs          = Definition{"assay_runs_total", "Runs that were worked on to their end, by status; of those that are done, also by the conclusion of their check and the health of the review.", Counter, []string{"status", "conclusion", "health"}, nil}
	runDuration   = Definition{"assay_run_duration_seconds", "From the start of a run to its end.", Histogram, []string{"status"}, runBuckets}
	runWait       = Definition{"assay_run_wait_seconds", "From a run's being decided on to its start: waiting for a worker, or for quick pushes to end.", Histogram, nil, runBuckets}
	runsInFlight  = Definition{"assay_runs_in_flight", "Runs that this process works on.", Gauge, nil, nil}
	superseded    = Definition{"assay_superseded_total", "Runs that a later push ended.", Counter, nil, nil}
	agentDuration = Definition{"assay_agent_duration_seconds", "How long an agent took in a run that was reported, by how it ended: done or unavailable.", Histogram, []string{"agent", "status"}, agentBuckets}
	findings      = Definition{"assay_findings_total", "Findings of runs that were reported.", Counter, []string{"agent", "severity"}, nil}

	queueDepth  = Definition{"assay_queue_depth", "Unfinished jobs by state: available, running, retryable, scheduled.", Gauge, []string{"state"}, nil}
	queueOldest = Definition{"assay_queue_oldest_age_seconds", "Age of the oldest unfinished job: how long somebody has been waiting. The one metric to alert on.", Gauge, nil, nil}
	deadLetters = Definition{"assay_dead_letters", "Deliveries and runs that were given up in the last 7 days.", Gauge, []string{"kind"}, nil}

	reviewGap = Definition{"assay_review_gap_seconds", "For how long the open head that has waited longest has been without a finished check; 0 when none waits.", Gauge, nil, nil}

	breakerState       = Definition{"assay_breaker_state", "State of the circuit breaker: 0 closed, 1 open, 2 half-open.", Gauge, []string{"dependency"}, nil}
	breakerTransitions = Definition{"assay_breaker_transitions_total", "Changes of the circuit breaker's state.", Counter, []string{"dependency", "from", "to"}, nil}
	breakerDown        = Definition{"assay_breaker_not_closed_seconds_total", "For how long the circuit breaker was not closed, all in all.", Counter, []string{"dependency"}, nil}
	calls              = Definition{"assay_dependency_attempts_total", "Attempts of outside calls by outcome: success, failure, limited, or excluded (counts as neither).", Counter, []string{"dependency", "outcome"}, nil}
	rejections         = Definition{"assay_dependency_rejections_total", "Outside calls that were not made, by reason: open (the breaker), limited (the rate limit), full (the bulkhead).", Counter, []string{"dependency", "reason"}, nil}
	retries            = Definition{"assay_dependency_retries_total", "Attempts beyond calls' first, and those that the retry budget denied.", Counter, []string{"dependency", "result"}, nil}
	callsInFlight      = Definition{"assay_dependency_in_flight", "Outside calls that hold a place in the bulkhead.", Gauge, []string{"dependency"}, nil}

	cacheRequests  = Definition{"assay_cache_requests_total", "Requests to a cache by result: hit, miss, stale (an old value for want of a new one), error (a remembered failure).", Counter, []string{"cache", "result"}, nil}
	cacheLoads     = Definition{"assay_cache_loads_total", "Loads of missing values.", Counter, []string{"cache"}, nil}
	cacheErrors    = Definition{"assay_cache_load_errors_total", "Loads that failed.", Counter, []string{"cache"}, nil}
	cacheShared    = Definition{"assay_cache_shared_loads_total", "Requests that waited for a load under way instead of making their own.", Counter, []string{"cache"}, nil}
	cacheEvictions = Definition{"assay_cache_evictions_total", "Entries that left a cache for want of room.", Counter, []string{"cache"}, nil}
	cacheEntries   = Definition{"assay_cache_entries", "Entries in a cache.", Gauge, []string{"cache"}, nil}
	cacheSize      = Definition{"assay_cache_size_bytes", "Weight of the entries in a cache, where it is measured.", Gauge, []string{"cache"}, nil}

	githubDuration = Definition{"assay_github_request_duration_seconds", "Requests to GitHub's API by method and status; the status is error where no answer came.", Histogram, []string{"method", "status"}, callBuckets}
)

// Definitions are all metrics, in the order of the reference.
func Definitions() []Definition {
	return []Definition{
		buildInfo,
		deliveries, ackDuration,
		runs, runDuration, runWait, runsInFlight, superseded, agentDuration, findings,
		queueDepth, queueOldest, deadLetters, reviewGap,
		breakerState, breakerTransitions, breakerDown, calls, rejections, retries, callsInFlight,
		cacheRequests, cacheLoads, cacheErrors, cacheShared, cacheEvictions, cacheEntries, cacheSize,
		githubDuration,
	}
}

func (d Definition) counter() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.Name, Help: d.Help}, d.Labels)
}

func (d Definition) gauge() *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.Name, Help: d.Help}, d.Labels)
}

func (d Definition) histogram() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: d.Name, Help: d.Help, Buckets: d.Buckets}, d.Labels)
}

// desc is for metrics that are read from elsewhere at each scrape.
func (d Definition) desc() *prometheus.Desc {
	return prometheus.NewDesc(d.Name, d.Help, d.Labels, nil)
}
