// Package health says how the service is: it asks its parts, and puts together
// what they answer. The service is degraded while something it depends on is
// out of reach, and unhealthy only when deliveries cannot be stored.
//
// The words are for the operator; /readyz, which is asked by load balancers, is
// internal/server's own. Counting over time is left to internal/metrics.
package health

import (
	"context"
	"fmt"
	"strings"
	"time"

	"assay/internal/cache"
	"assay/internal/guard"
	"assay/internal/store"
)

// Status is how something is.
type Status string

// The statuses.
const (
	Healthy   Status = "healthy"
	Degraded  Status = "degraded"
	Unhealthy Status = "unhealthy"
)

// oldestUsual is the age of the oldest job beyond which something is wrong: a
// review takes a minute, the retries of a short outage a few.
const oldestUsual = 15 * time.Minute

// checkTimeout bounds each question to the database.
const checkTimeout = 3 * time.Second

// Sources are where a Checker looks. Each may be nil: what is not there is not
// reported on.
type Sources struct {
	// Commit reports whether a delivery could be stored now.
	Commit  func(ctx context.Context) error
	Backlog func(ctx context.Context) (store.Backlog, error)
	// Breakers and Limits are those of the guarded dependencies.
	Breakers func() []guard.Stats
	Limits   func() []guard.Limit
	// Budgets are what GitHub allows each installation.
	Budgets func() []Budget
	Caches  func() []cache.Stats
	// Censor is given what errors said before it is shown.
	Censor func(string) string
}

// Budget is what is left of the requests that GitHub allows.
type Budget struct {
	Installation int64     `json:"installation"`
	Resource     string    `json:"resource"`
	Limit        int       `json:"limit"`
	Remaining    int       `json:"remaining"`
	Reset        time.Time `json:"reset"`
}

// Report is the answer of GET /api/health/detailed.
type Report struct {
	Status Status `json:"status"`
	Checks Checks `json:"checks"`
}

// Checks are the parts of a Report.
type Checks struct {
	Database        Check    `json:"database"`
	Queue           Queue    `json:"queue"`
	CircuitBreakers Breakers `json:"circuitBreakers"`
	GitHub          GitHub   `json:"github"`
	Caches          Caches   `json:"caches"`
}

// Check is how one part is, and in words why.
type Check struct {
	Status  Status `json:"status"`
	Message string `json:"message"`
}

// Check asks all sources. The report never fails: trouble is what it is for.
func (s Sources) Check(ctx context.Context) Report {
	r := Report{Checks: Checks{
		Database: s.database(ctx), Queue: s.queue(ctx), CircuitBreakers: s.breakers(), GitHub: s.github(), Caches: s.caches(),
	}}
	r.Status = worst(r.Checks.Database.Status, r.Checks.Queue.Status, r.Checks.CircuitBreakers.Status, r.Checks.GitHub.Status, r.Checks.Caches.Status)
	return r
}

func worst(all ...Status) Status {
	result := Healthy
	for _, s := range all {
		switch {
		case s == Unhealthy:
			return Unhealthy
		case s == Degraded:
			result = Degraded
		}
	}
	return result
}

func (s Sources) database(ctx context.Context) Check {
	if s.Commit == nil {
		return Check{Healthy, "not asked"}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := s.Commit(ctx); err != nil {
		return Check{Unhealthy, "deliveries cannot be stored: " + s.censored(err.Error())}
	}
	return Check{Healthy, "deliveries can be stored"}
}

func (s Sources) censored(text string) string {
	if s.Censor == nil {
		return text
	}
	return s.Censor(text)
}

// Queue is what waits for work.
type Queue struct {
	Check
	// Jobs counts unfinished jobs by state.
	Jobs             map[string]int `json:"jobs"`
	OldestAgeSeconds float64        `json:"oldestAgeSeconds"`
	DeadLetters      DeadLetters    `json:"deadLetters"`
	// AwaitingRuns are the runs that complete themselves when what they wait
	// for is back.
	AwaitingRuns int `json:"awaitingRuns"`
}

// DeadLetters counts what was given up in the last store.DeadWindow.
type DeadLetters struct {
	Deliveries int `json:"deliveries"`
	Runs       int `json:"runs"`
}

func (s Sources) queue(ctx context.Context) Queue {
	q := Queue{Check: Check{Healthy, "nothing waits"}, Jobs: map[string]int{}}
	if s.Backlog == nil {
		return q
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	b, err := s.Backlog(ctx)
	if err != nil {
		q.Check = Check{Degraded, "the queue cannot be read: " + s.censored(err.Error())}
		return q
	}
	q.Jobs, q.OldestAgeSeconds = b.Jobs, b.Oldest.Seconds()
	q.DeadLetters = DeadLetters{Deliveries: b.DeadDeliveries, Runs: b.DeadRuns}
	if n := b.Unfinished(); n > 0 {
		q.Message = fmt.Sprintf("%d unfinished, the oldest for %s", n, b.Oldest.Round(time.Second))
	}
	if q.AwaitingRuns = b.Awaiting; b.Awaiting > 0 {
		q.Message += fmt.Sprintf("; %d reviews wait for something outside", b.Awaiting)
	}
	if b.Oldest > oldestUsual {
		q.Status = Degraded
	}
	return q
}

// Breakers are the circuit breakers, by the names of what they guard.
type Breakers struct {
	Check
	Breakers map[string]Breaker `json:"breakers"`
}

// Breaker is one circuit breaker. Failures are those in a row.
type Breaker struct {
	Name        string       `json:"name"`
	State       guard.State  `json:"state"`
	Failures    int64        `json:"failures"`
	Since       time.Time    `json:"since"`
	NextProbe   time.Time    `json:"nextProbe,omitzero"`
	LastFailure string       `json:"lastFailure,omitempty"`
	Stats       BreakerStats `json:"stats"`
}

// BreakerStats are counts since the start of the process.
type BreakerStats struct {
	Total      uint64 `json:"total"`
	Failures   uint64 `json:"failures"`
	Successes  uint64 `json:"successes"`
	Rejections uint64 `json:"rejections"`
}

func (s Sources) breakers() Breakers {
	b := Breakers{Check: Check{Healthy, "all closed"}, Breakers: map[string]Breaker{}}
	if s.Breakers == nil {
		return b
	}
	var open []string
	for _, d := range s.Breakers() {
		b.Breakers[d.Name] = Breaker{
			Name: d.Name, State: d.State, Failures: d.FailuresInARow, Since: d.Since, NextProbe: d.NextProbe, LastFailure: s.censored(d.LastFailure),
			Stats: BreakerStats{Total: d.Total, Failures: d.Failures, Successes: d.Successes, Rejections: d.Rejections()},
		}
		if d.State != guard.Closed {
			open = append(open, d.Name)
		}
	}
	if len(open) > 0 {
		b.Check = Check{Degraded, "not closed: " + strings.Join(open, ", ")}
	}
	return b
}

// GitHub is what GitHub lets us do.
type GitHub struct {
	Check
	Budgets []Budget `json:"budgets"`
	// Limited are the keys, as installations, that are to be left alone.
	Limited []Limited `json:"limited"`
}

// Limited is a key whose rate limit is used up.
type Limited struct {
	Key   string    `json:"key"`
	Until time.Time `json:"until"`
}

func (s Sources) github() GitHub {
	g := GitHub{Check: Check{Healthy, "no limit is reached"}, Budgets: []Budget{}, Limited: []Limited{}}
	if s.Budgets != nil {
		g.Budgets = append(g.Budgets, s.Budgets()...)
	}
	if s.Limits != nil {
		for _, l := range s.Limits() {
			g.Limited = append(g.Limited, Limited(l))
		}
	}
	if n := len(g.Limited); n > 0 {
		g.Check = Check{Degraded, fmt.Sprintf("%d rate limited, the last until %s", n, g.Limited[0].Until.UTC().Format(time.TimeOnly))}
	}
	return g
}
