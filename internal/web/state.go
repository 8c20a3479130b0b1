package web

import (
	"fmt"
	"time"

	"assay/reports"
	"assay/review"
)

// state is how a run or an agent stands: a word, a colour and a shape, so that
// none of them is needed alone.
type state struct {
	word string
	// tone is a class of the style sheet: success, danger, attention, neutral.
	tone string
	// icon is a case of the template of the same name.
	icon string
}

func stateOf(run review.Run) state {
	switch run.Status {
	case review.StatusQueued:
		return state{"Queued", "neutral", "clock"}
	case review.StatusRunning:
		if !run.AwaitUntil.IsZero() {
			return state{"Waiting", "attention", "clock"}
		}
		return state{"Reviewing", "attention", "dot"}
	case review.StatusSkipped:
		return state{"Skipped", "neutral", "slash"}
	case review.StatusSuperseded:
		return state{"Superseded", "neutral", "slash"}
	case review.StatusCancelled:
		return state{"Cancelled", "neutral", "slash"}
	case review.StatusDead:
		return state{"Not reviewed", "attention", "warning"}
	}
	switch reports.Conclusion(run) {
	case review.ConclusionSuccess:
		return state{"Passed", "success", "check"}
	case review.ConclusionFailure:
		return state{"Failed", "danger", "cross"}
	case review.ConclusionActionRequired:
		return state{"Action required", "attention", "warning"}
	}
	if run.Outcome.Health != review.Complete {
		return state{"Incomplete", "attention", "warning"}
	}
	return state{"Neutral", "neutral", "square"}
}

// agentView is a row of the table of agents.
type agentView struct {
	anchor, name, reason     string
	state                    state
	findings, examined, took string
	bar                      bar
}

// bar is an agent's place in the waterfall, in hundredths of the run; no width
// means that there is none.
type bar struct {
	x, width float64
	label    string
}

func agentViews(run review.Run) []agentView {
	found := make(map[string][]review.Finding)
	for _, f := range run.Findings {
		found[f.Agent] = append(found[f.Agent], f)
	}
	from, to := timeline(run)
	views := make([]agentView, 0, len(run.Agents))
	for i, a := range run.Agents {
		v := agentView{anchor: fmt.Sprintf("a-%d", i+1), name: line(a.Name), reason: line(a.Reason), state: agentState(a), findings: "–", examined: "–", took: "–"}
		if a.Cached && v.reason == "" {
			v.reason = "known from before"
		}
		if a.Status == review.AgentDone {
			v.examined = countFiles(a.Examined)
			v.findings = "none"
			if a.Findings > 0 {
				v.findings = fmt.Sprint(a.Findings)
			}
			if n := len(found[a.Name]); n > 0 && n == a.Findings {
				v.findings = reports.Counts(found[a.Name])
			}
		}
		if a.Duration() > 0 {
			v.took = reports.Duration(a.Duration())
		}
		v.bar = barOf(a, from, to)
		views = append(views, v)
	}
	return views
}

func agentState(a review.AgentRun) state {
	switch a.Status {
	case review.AgentDone:
		return state{"done", "success", "check"}
	case review.AgentRunning:
		return state{"running", "attention", "dot"}
	case review.AgentUnavailable:
		if a.Awaited() {
			return state{"awaited", "attention", "clock"}
		}
		return state{"unavailable", "danger", "cross"}
	}
	return state{"waiting", "neutral", "clock"}
}

// timeline is the time from the first agent's start to the last known time.
func timeline(run review.Run) (from, to time.Time) {
	for _, a := range run.Agents {
		if !a.StartedAt.IsZero() && (from.IsZero() || a.StartedAt.Before(from)) {
			from = a.StartedAt
		}
		for _, t := range []time.Time{a.StartedAt, a.FinishedAt} {
			if t.After(to) {
				to = t
			}
		}
	}
	return from, to
}

// barOf places an agent between from and to. An agent that is still running
// reaches to the end of what is known.
func barOf(a review.AgentRun, from, to time.Time) bar {
	whole := to.Sub(from)
	if a.StartedAt.IsZero() || whole <= 0 {
		return bar{}
	}
	end := a.FinishedAt
	if end.IsZero() {
		end = to
	}
	const least = 0.75 // so that a quick agent is seen
	x := 100 * float64(a.StartedAt.Sub(from)) / float64(whole)
	width := max(100*float64(end.Sub(a.StartedAt))/float64(whole), least)
	x = min(x, 100-least)
	return bar{x: x, width: width, label: fmt.Sprintf("from %s to %s", reports.Duration(a.StartedAt.Sub(from)), reports.Duration(end.Sub(from)))}
}

// progress says how many agents have finished, also in hundredths.
func progress(run review.Run) (words string, percent int, tone string) {
	if len(run.Agents) == 0 {
		return "", 0, ""
	}
	done, tone := 0, "success"
	for _, a := range run.Agents {
		switch a.Status {
		case review.AgentDone:
			done++
		case review.AgentUnavailable:
			done++
			tone = "danger"
		}
	}
	return fmt.Sprintf("%d of %d finished", done, len(run.Agents)), 100 * done / len(run.Agents), tone
}

func countFiles(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
