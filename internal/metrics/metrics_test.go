package metrics

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"assay/internal/cache"
	"assay/internal/guard"
	"assay/internal/store"
	"assay/review"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func doneRun() review.Run {
	return review.Run{
		Status: review.StatusDone, QueuedAt: start, StartedAt: start.Add(2 * time.Second), FinishedAt: start.Add(9 * time.Second),
		Outcome: review.Outcome{Conclusion: review.ConclusionFailure, Health: review.Degraded},
		Agents: []review.AgentRun{
			{Name: "secrets", Status: review.AgentDone, StartedAt: start, FinishedAt: start.Add(40 * time.Millisecond)},
			{Name: "octo-org/private", Status: review.AgentUnavailable},
		},
		Findings: []review.Finding{{Agent: "secrets", Severity: review.Critical}, {Agent: "secrets", Severity: review.Critical}, {Agent: "octo-org/private", Severity: review.Low}},
	}
}

// full are metrics in which everything has happened.
func full(t *testing.T) *Metrics {
	t.Helper()
	m := New(Config{Version: "v1", Agents: []string{"secrets"}})
	m.Delivery(202, "accepted", 3*time.Millisecond)
	m.RunStarted()
	m.RunEnded(doneRun())
	m.RunEnded(review.Run{Status: review.StatusSuperseded, QueuedAt: start, Outcome: review.Outcome{Conclusion: review.ConclusionSuccess}})
	m.BreakerChanged(guard.Change{Dependency: "github.rest", From: guard.Closed, To: guard.Open})
	carry := m.Transport(roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.URL.Path == "/down" {
			return nil, errors.New("refused")
		}
		return &http.Response{StatusCode: 403}, nil
	}))
	for _, path := range []string{"/repos/octo-org/private", "/down"} {
		if resp, err := carry.RoundTrip(httptest.NewRequest("GET", path, nil)); (err == nil) != (resp != nil) {
			t.Errorf("%s: %v, %v", path, resp, err)
		}
	}
	m.Watch(Sources{
		Backlog: func(context.Context) (store.Backlog, error) {
			return store.Backlog{Jobs: map[string]int{"available": 4}, Oldest: 90 * time.Second, DeadDeliveries: 1, DeadRuns: 2}, nil
		},
		ReviewGap: func(context.Context) (time.Duration, error) { return 14 * time.Minute, nil },
		Breakers: func() []guard.Stats {
			return []guard.Stats{{
				Name: "github.rest", State: guard.Open, Unavailable: 2 * time.Second, InFlight: 3, Successes: 11, Failures: 5, Limited: 2, Excluded: 1,
				RejectedOpen: 7, RejectedLimited: 6, RejectedFull: 4, Retries: 8, RetriesDenied: 9,
			}}
		},
		Caches: func() []cache.Stats {
			return []cache.Stats{{Name: "config", Size: 2, Bytes: 300, Hits: 5, Misses: 3, Stale: 1, ErrorHits: 2, Loads: 3, Errors: 1, Shared: 4, Evictions: 6}}
		},
	})
	return m
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Errorf("a scrape answers %d: %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func TestScrape(t *testing.T) {
	text := scrape(t, full(t))
	for _, want := range []string{
		`assay_build_info{goversion="go`, `,version="v1"} 1`,
		`assay_deliveries_total{result="accepted"} 1`, `assay_deliveries_total{result="not_stored"} 0`,
		`assay_webhook_ack_duration_seconds_bucket{le="0.0025"} 0`, `assay_webhook_ack_duration_seconds_bucket{le="0.005"} 1`,
		`assay_runs_total{conclusion="failure",health="degraded",status="done"} 1`, `assay_runs_total{conclusion="",health="",status="superseded"} 1`,
		`assay_run_duration_seconds_sum{status="done"} 7`, `assay_run_wait_seconds_sum 2`, `assay_run_wait_seconds_count 1`,
		`assay_runs_in_flight 1`, `assay_superseded_total 1`,
		`assay_agent_duration_seconds_sum{agent="secrets",status="done"} 0.04`, `assay_agent_duration_seconds_count{agent="other",status="unavailable"} 1`,
		`assay_findings_total{agent="secrets",severity="critical"} 2`, `assay_findings_total{agent="other",severity="low"} 1`,
		`assay_queue_depth{state="available"} 4`, `assay_queue_oldest_age_seconds 90`, `assay_review_gap_seconds 840`,
		`assay_dead_letters{kind="delivery"} 1`, `assay_dead_letters{kind="run"} 2`,
		`assay_breaker_state{dependency="github.rest"} 1`, `assay_breaker_transitions_total{dependency="github.rest",from="CLOSED",to="OPEN"} 1`,
		`assay_breaker_not_closed_seconds_total{dependency="github.rest"} 2`, `assay_dependency_in_flight{dependency="github.rest"} 3`,
		`assay_dependency_attempts_total{dependency="github.rest",outcome="success"} 11`, `assay_dependency_attempts_total{dependency="github.rest",outcome="failure"} 5`,
		`assay_dependency_attempts_total{dependency="github.rest",outcome="limited"} 2`, `assay_dependency_attempts_total{dependency="github.rest",outcome="excluded"} 1`,
		`assay_dependency_rejections_total{dependency="github.rest",reason="open"} 7`, `assay_dependency_rejections_total{dependency="github.rest",reason="limited"} 6`,
		`assay_dependency_rejections_total{dependency="github.rest",reason="full"} 4`,
		`assay_dependency_retries_total{dependency="github.rest",result="made"} 8`, `assay_dependency_retries_total{dependency="github.rest",result="denied"} 9`,
		`assay_cache_requests_total{cache="config",result="hit"} 5`, `assay_cache_requests_total{cache="config",result="miss"} 3`,
		`assay_cache_requests_total{cache="config",result="stale"} 1`, `assay_cache_requests_total{cache="config",result="error"} 2`,
		`assay_cache_loads_total{cache="config"} 3`, `assay_cache_load_errors_total{cache="config"} 1`, `assay_cache_shared_loads_total{cache="config"} 4`,
		`assay_cache_evictions_total{cache="config"} 6`, `assay_cache_entries{cache="config"} 2`, `assay_cache_size_bytes{cache="config"} 300`,
		`assay_github_request_duration_seconds_count{method="GET",status="403"} 1`, `assay_github_request_duration_seconds_count{method="GET",status="error"} 1`,
		"\ngo_goroutines ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the scrape lacks %s", want)
		}
	}
	// Names of agents can come from repositories.
	if strings.Contains(text, "octo-org") {
		t.Error("the scrape names a repository")
	}
}

// TestDefinitions holds the table to what is exported: every metric of ours is
// in it, once, with its labels and type, and nothing else is.
func TestDefinitions(t *testing.T) {
	families, err := full(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exported := make(map[string]bool)
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "assay_") {
			continue
		}
		exported[f.GetName()] = true
		for _, d := range Definitions() {
			if d.Name != f.GetName() {
				continue
			}
			if !strings.EqualFold(f.GetType().String(), string(d.Kind)) || f.GetHelp() != d.Help || len(f.GetMetric()[0].GetLabel()) != len(d.Labels) {
				t.Errorf("%s is exported as %s with labels %v", d.Name, f.GetType(), f.GetMetric()[0].GetLabel())
			}
		}
	}
	for _, d := range Definitions() {
		if !exported[d.Name] {
			t.Errorf("%s is not exported, or defined twice", d.Name)
		}
		delete(exported, d.Name)
	}
	for name := range exported {
		t.Errorf("%s is not in the table", name)
	}
}

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(full(t).registry)
	if err != nil {
		t.Fatal(err)
	}
	text := scrape(t, full(t))
	var ours strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, "assay_") {
			ours.WriteString(line)
		}
	}
	more, err := promlint.New(strings.NewReader(ours.String())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(problems, more...) {
		if strings.HasPrefix(p.Metric, "assay_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestResults(t *testing.T) {
	for _, tt := range []struct {
		code         int
		status, want string
	}{
		{202, "accepted", "accepted"},
		{200, "duplicate", "duplicate"},
		{200, "ignored", "ignored"},
		{400, "error", "malformed"},
		{401, "error", "bad_signature"},
		{405, "error", "malformed"},
		{413, "error", "too_large"},
		{415, "error", "malformed"},
		{503, "error", "not_stored"},
		{200, "something new", "malformed"},
	} {
		if got := resultOf(tt.code, tt.status); got != tt.want {
			t.Errorf("%d %s is %q, want %q", tt.code, tt.status, got, tt.want)
		}
	}
}

// TestScrapeWithoutDatabase holds that what cannot be read does not take the
// rest with it.
func TestScrapeWithoutDatabase(t *testing.T) {
	var log bytes.Buffer
	m := New(Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	m.Watch(Sources{Backlog: func(context.Context) (store.Backlog, error) { return store.Backlog{}, errors.New("disk is gone") }})
	text := scrape(t, m)
	if !strings.Contains(text, "assay_runs_in_flight 0") || strings.Contains(text, "assay_queue_depth{") {
		t.Errorf("scrape %s", text)
	}
	if !strings.Contains(log.String(), "disk is gone") || strings.Contains(text, "disk is gone") {
		t.Errorf("log %s", log.String())
	}
}

func TestInFlight(t *testing.T) {
	m := New(Config{})
	done, also := m.RunStarted(), m.RunStarted()
	done()
	if text := scrape(t, m); !strings.Contains(text, "assay_runs_in_flight 1\n") {
		t.Error("want one run in flight")
	}
	also()
}

func TestMarkdown(t *testing.T) {
	const path = "../../docs/metrics.md"
	if *update {
		if err := os.WriteFile(path, []byte(Markdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(text), Markdown()); d != "" {
		t.Errorf("%s is not up to date (run go test with -update): %s", path, d)
	}
}
