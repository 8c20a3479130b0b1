package web

import (
	"strings"
	"testing"
	"time"

	"assay/review"
)

// TestAwaitedAgents holds that the page says which agent is missing, why, when
// it is tried again, and what was known from before.
func TestAwaitedAgents(t *testing.T) {
	at := time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC)
	run := sampleRuns()["clean"]
	run.Outcome = review.Outcome{Verdict: review.Comment, Health: review.Degraded, Conclusion: review.ConclusionNeutral, Reason: "a required agent was unavailable"}
	run.Agents = []review.AgentRun{
		{Name: "secrets", Status: review.AgentDone, Cached: true},
		{Name: "reviewer", Status: review.AgentUnavailable, Reason: "openai is unavailable", Dependency: "openai", RetryAt: at.Add(2 * time.Minute), FinishedAt: at},
	}
	runs := shelf{runs: map[string]review.Run{run.ID: run}}
	text := words(parse(t, get(t, runs, "/runs/"+run.ID)))
	for _, want := range []string{"reviewer gave no result: openai is unavailable; tried again from 14:32 UTC on, and as soon as openai is back", "known from before"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	run.Status, run.AwaitUntil = review.StatusRunning, at.Add(30*time.Minute)
	runs.runs[run.ID] = run
	if text := words(parse(t, get(t, runs, "/runs/"+run.ID))); !strings.Contains(text, "Waiting for openai, until 15:00 UTC") {
		t.Errorf("the page does not say that the check is kept open:\n%s", text)
	}
}
