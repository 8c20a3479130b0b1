package reports

import (
	"time"

	"assay/review"
)

// samples are runs in every state, by name.
func samples() map[string]review.Run {
	at := time.Date(2026, 3, 4, 9, 30, 0, 0, time.UTC)
	base := review.Run{
		ID: "k3v9q2m7x4c8b1n6z5t0r2w4e6", Pipeline: "review", Event: "pull_request.opened", Attempt: 1,
		Repo: review.Repo{ID: 7, Owner: "octo", Name: "shop"},
		Pull: review.Pull{
			Number: 482, Title: "Capture authorised charges through the new gateway", Author: review.Actor{Login: "octavia"},
			BaseRef: "main", BaseSHA: "1111111111111111111111111111111111111111",
			HeadRef: "feat/gateway-capture", HeadSHA: "9f3c1ab0d2e4f60718293a4b5c6d7e8f90a1b2c3",
		},
		QueuedAt: at,
	}
	agent := func(name string, from, to time.Duration) review.AgentRun {
		a := review.AgentRun{Name: name, Status: review.AgentDone, Examined: 14, StartedAt: at.Add(from), FinishedAt: at.Add(to)}
		return a
	}
	with := func(f func(*review.Run)) review.Run {
		r := base
		f(&r)
		return r
	}
	done := func(f func(*review.Run)) review.Run {
		return with(func(r *review.Run) {
			r.Status, r.Files = review.StatusDone, 14
			r.StartedAt, r.FinishedAt = at.Add(1200*time.Millisecond), at.Add(50*time.Second)
			r.Agents = []review.AgentRun{
				agent("secrets", 2*time.Second, 2300*time.Millisecond),
				agent("workflows", 2*time.Second, 11800*time.Millisecond),
				agent("hygiene", 2*time.Second, 2040*time.Millisecond),
			}
			r.Outcome = review.Outcome{Verdict: review.Approve, Health: review.Complete, Conclusion: review.ConclusionSuccess, Reason: "no findings"}
			f(r)
		})
	}
	return map[string]review.Run{
		"queued": with(func(r *review.Run) { r.Status = review.StatusQueued }),
		"running": with(func(r *review.Run) {
			r.Status, r.StartedAt, r.Files = review.StatusRunning, at.Add(time.Second), 14
			r.Agents = []review.AgentRun{
				agent("secrets", 2*time.Second, 3*time.Second),
				{Name: "workflows", Status: review.AgentUnavailable, Reason: "timed out after 1s", StartedAt: at.Add(2 * time.Second), FinishedAt: at.Add(3 * time.Second)},
				{Name: "hygiene", Status: review.AgentRunning, StartedAt: at.Add(3 * time.Second)},
				{Name: "reviewer", Status: review.AgentWaiting},
			}
		}),
		"running-awaiting": with(func(r *review.Run) {
			r.Status, r.StartedAt, r.Files, r.AwaitUntil = review.StatusRunning, at.Add(time.Second), 14, at.Add(30*time.Minute)
			r.Findings = findings()[:1]
			r.Agents = []review.AgentRun{
				agent("secrets", 2*time.Second, 3*time.Second),
				{Name: "reviewer", Status: review.AgentUnavailable, Reason: "openai is unavailable: 503", Dependency: "openai", RetryAt: at.Add(2 * time.Minute), StartedAt: at.Add(2 * time.Second), FinishedAt: at.Add(3 * time.Second)},
			}
		}),
		"done-awaiting": done(func(r *review.Run) {
			r.Agents[0].Cached = true
			r.Agents = append(r.Agents,
				review.AgentRun{Name: "reviewer", Status: review.AgentUnavailable, Reason: "openai is unavailable", Dependency: "openai", RetryAt: at.Add(2 * time.Minute), StartedAt: at.Add(2 * time.Second), FinishedAt: at.Add(3 * time.Second)},
				review.AgentRun{Name: "second-opinion", Status: review.AgentUnavailable, Reason: "anthropic is rate limited", Dependency: "anthropic", RetryAt: at.Add(20 * time.Hour), StartedAt: at.Add(2 * time.Second), FinishedAt: at.Add(3 * time.Second)},
				review.AgentRun{Name: "third", Status: review.AgentUnavailable, Reason: "gemini is unavailable", Dependency: "gemini"},
			)
			r.Outcome = review.Outcome{Verdict: review.Comment, Health: review.Degraded, Conclusion: review.ConclusionNeutral, Reason: "a required agent was unavailable"}
		}),
		"done-clean":     done(func(*review.Run) {}),
		"done-recovered": done(func(r *review.Run) { r.Note = "delayed by 14 min: webhook lost, recovered" }),
		"done-findings": done(func(r *review.Run) {
			r.Findings = findings()
			r.Attempt = 2
			r.Agents[0].Findings, r.Agents[1].Findings, r.Agents[2].Findings = 1, 1, 3
			r.Outcome = review.Outcome{Verdict: review.RequestChanges, Health: review.Complete, Conclusion: review.ConclusionFailure, Reason: "1 critical finding, and the gate fails on high"}
			r.Coverage = []review.Coverage{
				{Agent: "secrets", Path: "payments/charge.go", Level: review.Full},
				{Agent: "hygiene", Path: "assets/logo.psd", Level: review.Skipped, Reason: "binary file of 31 MB"},
				{Agent: "hygiene", Path: "payments/charge.go", Level: review.Partial, Reason: "only the first 5000 lines"},
				{Agent: "workflows", Path: "payments/charge.go", Level: review.NotApplicable},
			}
			r.Problems = []review.Problem{{Path: ".github/assay.yml", Line: 7, Column: 3, Message: `unknown key "agnets": did you mean "agents"?`}}
		}),
		"done-degraded": done(func(r *review.Run) {
			r.Findings, r.Agents[0].Findings = findings()[:1], 1
			r.Agents[1].Status, r.Agents[1].Reason = review.AgentUnavailable, "no proof of work"
			r.Truncated = "GitHub lists 3,000 of 4,211 files"
			r.Outcome = review.Outcome{Verdict: review.Comment, Health: review.Degraded, Conclusion: review.ConclusionNeutral, Reason: "a required agent was unavailable"}
		}),
		"done-degraded-clean": done(func(r *review.Run) {
			r.Agents[0].Status, r.Agents[0].Reason = review.AgentUnavailable, "timed out after 2m"
			r.Outcome = review.Outcome{Verdict: review.ManualReview, Health: review.Degraded, Conclusion: review.ConclusionNeutral, Reason: "a required agent was unavailable"}
		}),
		"done-failed": done(func(r *review.Run) {
			for i := range r.Agents {
				r.Agents[i].Status, r.Agents[i].Reason = review.AgentUnavailable, "timed out after 2m"
			}
			r.Outcome = review.Outcome{Verdict: review.ManualReview, Health: review.Failed, Conclusion: review.ConclusionNeutral, Reason: "no agent gave a result"}
		}),
		"skipped":    with(func(r *review.Run) { r.Status, r.Reason = review.StatusSkipped, "the pull request is a draft" }),
		"superseded": with(func(r *review.Run) { r.Status, r.Reason = review.StatusSuperseded, "a newer push, 4d5e6f7" }),
		"cancelled":  with(func(r *review.Run) { r.Status, r.Reason = review.StatusCancelled, "the pull request was closed" }),
		"dead":       with(func(r *review.Run) { r.Status, r.Reason = review.StatusDead, "secrets timed out" }),
	}
}

// findings are one of each severity, with everything a finding can have.
func findings() []review.Finding {
	fs := []review.Finding{
		{
			Agent: "secrets", Rule: "secrets/github-pat", Severity: review.Critical, Category: review.Security,
			Path: "payments/charge.go", StartLine: 13, EndLine: 13,
			Message:  "A GitHub personal access token is committed. Revoke it, then read it from the environment.",
			Evidence: "const token = \"ghp_****************\"", HelpURL: "https://docs.github.com/code-security",
			Fix: &review.Fix{Replacement: "var token = os.Getenv(\"GITHUB_TOKEN\")"},
		},
		{
			Agent: "workflows", Rule: "workflows/expression", Severity: review.High, Category: review.Security,
			Path: ".github/workflows/ci.yml", StartLine: 20, EndLine: 22,
			Message:  "`github.event.issue.title` is put into a shell script as it is. Pass it through `env` | not text.",
			Evidence: "- run: |\n    echo \"${{ github.event.issue.title }}\"\n    make",
		},
		{
			Agent: "hygiene", Rule: "hygiene/conflict-marker", Severity: review.Medium, Category: review.Correctness,
			Path: "docs/read me.md", StartLine: 4, EndLine: 6, Message: "A merge conflict was committed.",
			Evidence: "<<<<<<< HEAD\n```sh\n=======", Fix: &review.Fix{},
		},
		{Agent: "hygiene", Rule: "hygiene/large-file", Severity: review.Low, Category: review.Maintainability, Path: "assets/logo.psd", Message: "A file of 31 MB is added."},
		{Agent: "pull-request", Rule: "pull-request/description", Severity: review.Info, Category: review.Process, Message: "The description is empty."},
	}
	review.Fingerprint(fs)
	return fs
}

func sampleOptions() Options {
	return Options{RunURL: "https://assay.example/runs/k3v9q2m7x4c8b1n6z5t0r2w4e6", GitHubURL: "https://github.com", Version: "1.2.3"}
}
