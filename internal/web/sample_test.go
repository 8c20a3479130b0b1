package web

import (
	"context"
	"errors"
	"time"

	"assay/internal/fault"
	"assay/review"
)

// shelf keeps runs for tests.
type shelf struct {
	runs map[string]review.Run
	err  error
}

func (s shelf) Run(_ context.Context, id string) (review.Run, error) {
	if s.err != nil {
		return review.Run{}, s.err
	}
	run, ok := s.runs[id]
	if !ok {
		return review.Run{}, fault.New(fault.Gone, errors.New("no run "+id))
	}
	return run, nil
}

func (s shelf) Recent(_ context.Context, limit int) ([]review.Run, error) {
	var runs []review.Run
	for _, id := range []string{"findings", "degraded", "clean", "running", "queued", "skipped", "dead", "superseded", "cancelled"} {
		if r, ok := s.runs[id]; ok && len(runs) < limit {
			runs = append(runs, r)
		}
	}
	return runs, s.err
}

// sampleRuns are runs in each state, by ID.
func sampleRuns() map[string]review.Run {
	at := time.Date(2026, 3, 4, 9, 30, 0, 0, time.UTC)
	agent := func(name string, from, to, found int) review.AgentRun {
		return review.AgentRun{
			Name: name, Status: review.AgentDone, Findings: found, Examined: 14,
			StartedAt: at.Add(time.Duration(from) * time.Millisecond), FinishedAt: at.Add(time.Duration(to) * time.Millisecond),
		}
	}
	base := review.Run{
		Pipeline: "review", Event: "pull_request.synchronize", Attempt: 1, QueuedAt: at,
		Repo: review.Repo{Owner: "octo", Name: "shop"},
		Pull: review.Pull{
			Number: 482, Title: "Capture authorised charges through the new gateway", Author: review.Actor{Login: "octavia"},
			BaseRef: "main", HeadRef: "feat/gateway-capture", HeadSHA: "9f3c1ab0d2e4f60718293a4b5c6d7e8f90a1b2c3",
		},
	}
	runs := make(map[string]review.Run)
	add := func(id string, status review.Status, change func(*review.Run)) {
		r := base
		r.ID, r.Status = id, status
		change(&r)
		runs[id] = r
	}
	done := func(r *review.Run) {
		r.Files, r.StartedAt, r.FinishedAt = 14, at.Add(400*time.Millisecond), at.Add(112*time.Second)
		r.Agents = []review.AgentRun{
			agent("secrets", 500, 2800, 1), agent("workflows", 500, 10300, 1), agent("dependencies", 500, 3600, 0),
			agent("hygiene", 500, 740, 2), agent("pull-request", 500, 520, 1), agent("reviewer", 10300, 111000, 2),
		}
	}
	add("findings", review.StatusDone, func(r *review.Run) {
		done(r)
		r.Attempt = 2
		r.Findings = sampleFindings()
		r.Outcome = review.Outcome{Verdict: review.RequestChanges, Health: review.Complete, Conclusion: review.ConclusionFailure, Reason: "1 critical finding, and the gate fails on high"}
		r.Coverage = []review.Coverage{
			{Agent: "secrets", Path: "payments/charge.go", Level: review.Full},
			{Agent: "hygiene", Path: "assets/logo.psd", Level: review.Skipped, Reason: "binary file of 31 MB"},
			{Agent: "reviewer", Path: "payments/charge.go", Level: review.Partial, Reason: "only the changed hunks were read"},
		}
		r.Problems = []review.Problem{{Path: ".github/assay.yml", Line: 7, Column: 3, Message: `unknown key "agnets": did you mean "agents"?`}}
	})
	add("degraded", review.StatusDone, func(r *review.Run) {
		done(r)
		r.Agents[5].Status, r.Agents[5].Reason, r.Agents[5].Findings = review.AgentUnavailable, "the model's provider answered 503 three times; it is tried again at 09:45", 0
		r.Findings = sampleFindings()[4:]
		r.Outcome = review.Outcome{Verdict: review.Comment, Health: review.Degraded, Conclusion: review.ConclusionNeutral, Reason: "a required agent was unavailable"}
	})
	add("clean", review.StatusDone, func(r *review.Run) {
		done(r)
		for i := range r.Agents {
			r.Agents[i].Findings = 0
		}
		r.Coverage = []review.Coverage{{Agent: "secrets", Path: "payments/charge.go", Level: review.Full}}
		r.Outcome = review.Outcome{Verdict: review.Approve, Health: review.Complete, Conclusion: review.ConclusionSuccess, Reason: "no findings"}
	})
	add("running", review.StatusRunning, func(r *review.Run) {
		r.Files, r.StartedAt = 14, at.Add(400*time.Millisecond)
		r.Agents = []review.AgentRun{
			agent("secrets", 500, 2800, 1),
			{Name: "workflows", Status: review.AgentRunning, StartedAt: at.Add(1500 * time.Millisecond)},
			agent("hygiene", 500, 740, 0),
			{Name: "reviewer", Status: review.AgentWaiting},
		}
	})
	add("queued", review.StatusQueued, func(*review.Run) {})
	add("skipped", review.StatusSkipped, func(r *review.Run) { r.Reason = "the pull request is a draft" })
	add("superseded", review.StatusSuperseded, func(r *review.Run) { r.Reason = "a newer push, 4d5e6f7" })
	add("cancelled", review.StatusCancelled, func(r *review.Run) { r.Reason = "the pull request was closed" })
	add("dead", review.StatusDead, func(r *review.Run) { r.Reason = "GitHub answered 500 eight times" })
	return runs
}

func sampleFindings() []review.Finding {
	fs := []review.Finding{
		{
			Agent: "secrets", Rule: "secrets/github-pat", Severity: review.Critical, Category: review.Security, Path: "payments/charge.go", StartLine: 13, EndLine: 13,
			Message:  "A GitHub personal access token is committed. Revoke it, then read it from the environment.",
			Evidence: "const token = \"ghp_****************\"", HelpURL: "https://docs.github.com/code-security", Fix: &review.Fix{Replacement: "var token = os.Getenv(\"GITHUB_TOKEN\")"},
		},
		{
			Agent: "reviewer", Rule: "reviewer/sql-injection", Severity: review.High, Category: review.Security, Path: "payments/store.go", StartLine: 41, EndLine: 44,
			Message:  "`id` comes from the request and is put into the query as text. Pass it as an argument of `QueryContext`.",
			Evidence: "func (s *Store) Charge(ctx context.Context, id string) (*Charge, error) {\n\tq := fmt.Sprintf(\"SELECT * FROM charges WHERE id = '%s'\", id)\n\trow := s.db.QueryRowContext(ctx, q)\n\treturn scan(row)",
		},
		{
			Agent: "workflows", Rule: "workflows/expression", Severity: review.High, Category: review.Security, Path: ".github/workflows/ci.yml", StartLine: 20, EndLine: 21,
			Message: "The title of an issue is put into a shell script as it is. Pass it through `env`.", Evidence: "- run: |\n    echo \"${{ github.event.issue.title }}\"",
		},
		{
			Agent: "reviewer", Rule: "reviewer/no-timeout", Severity: review.Medium, Category: review.Correctness, Path: "payments/client.go", StartLine: 8, EndLine: 9,
			Message: "The client waits for ever when the gateway does not answer.", Evidence: "http.Client{}",
			Fix: &review.Fix{Replacement: "var client = &http.Client{Timeout: 10 * time.Second}"},
		},
		{
			Agent: "hygiene", Rule: "hygiene/conflict-marker", Severity: review.Medium, Category: review.Correctness, Path: "docs/gateway.md", StartLine: 4, EndLine: 6,
			Message: "A merge conflict was committed.", Evidence: "<<<<<<< HEAD\nold\n=======", Fix: &review.Fix{},
		},
		{Agent: "hygiene", Rule: "hygiene/large-file", Severity: review.Low, Category: review.Maintainability, Path: "assets/logo.psd", Message: "A file of 31 MB is added."},
		{Agent: "pull-request", Rule: "pull-request/description", Severity: review.Info, Category: review.Process, Message: "The description is empty."},
	}
	review.Fingerprint(fs)
	return fs
}
