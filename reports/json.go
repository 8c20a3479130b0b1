package reports

import (
	"encoding/json"
	"io"
	"time"

	"assay/review"
)

// jsonReport is the JSON format. Fields are added, never renamed or removed;
// lists are never null.
type jsonReport struct {
	Verdict    review.Verdict    `json:"verdict"`
	Health     review.Health     `json:"health"`
	Conclusion review.Conclusion `json:"conclusion"`
	// Reason is why: of the verdict, or of a run that came to none.
	Reason     string        `json:"reason"`
	Title      string        `json:"title"`
	Status     review.Status `json:"status"`
	Run        string        `json:"run"`
	URL        string        `json:"url,omitempty"`
	Pipeline   string        `json:"pipeline"`
	Event      string        `json:"event"`
	Attempt    int           `json:"attempt"`
	Note       string        `json:"note,omitempty"`
	Repository string        `json:"repository,omitempty"`
	Pull       jsonPull      `json:"pull_request"`
	Files      int           `json:"files"`
	Truncated  string        `json:"truncated,omitempty"`
	Findings   []jsonFinding `json:"findings"`
	// Suppressed are the findings that the config holds back.
	Suppressed []jsonFinding     `json:"suppressed,omitempty"`
	Coverage   []review.Coverage `json:"coverage"`
	Agents     []jsonAgent       `json:"agents"`
	Problems   []review.Problem  `json:"problems"`
	// ConfigChange says what the change will make of the config.
	ConfigChange string    `json:"config_change,omitempty"`
	QueuedAt     time.Time `json:"queued_at,omitzero"`
	StartedAt    time.Time `json:"started_at,omitzero"`
	FinishedAt   time.Time `json:"finished_at,omitzero"`
	// AwaitUntil is until when the check is kept open for agents that wait.
	AwaitUntil time.Time `json:"await_until,omitzero"`
}

type jsonPull struct {
	Number  int    `json:"number"`
	Title   string `json:"title"`
	Author  string `json:"author"`
	BaseSHA string `json:"base_sha"`
	HeadRef string `json:"head_ref"`
	HeadSHA string `json:"head_sha"`
}

type jsonFinding struct {
	ID        string          `json:"id"`
	Agent     string          `json:"agent"`
	Rule      string          `json:"rule"`
	Severity  review.Severity `json:"severity"`
	Category  review.Category `json:"category"`
	Path      string          `json:"path"`
	StartLine int             `json:"start_line"`
	EndLine   int             `json:"end_line"`
	Message   string          `json:"message"`
	Evidence  string          `json:"evidence,omitempty"`
	Fix       *review.Fix     `json:"fix,omitempty"`
	HelpURL   string          `json:"help_url,omitempty"`
	// Dismissed is there when the verdict was made without the finding.
	Dismissed *review.Dismissed `json:"dismissed,omitempty"`
	// Suppressed is there on findings that the config holds back.
	Suppressed *review.Suppressed `json:"suppressed,omitempty"`
}

type jsonAgent struct {
	Name       string             `json:"name"`
	Status     review.AgentStatus `json:"status"`
	Reason     string             `json:"reason"`
	Findings   int                `json:"findings"`
	Examined   int                `json:"examined"`
	DurationMS int64              `json:"duration_ms"`
	StartedAt  time.Time          `json:"started_at,omitzero"`
	FinishedAt time.Time          `json:"finished_at,omitzero"`
	Dependency string             `json:"dependency,omitempty"`
	RetryAt    time.Time          `json:"retry_at,omitzero"`
	Usage      review.Usage       `json:"usage,omitzero"`
	Cached     bool               `json:"cached,omitempty"`
}

// JSON writes the whole run as one JSON object.
func JSON(w io.Writer, run review.Run, o Options) error {
	reason := run.Reason
	if reason == "" {
		reason = run.Outcome.Reason
	}
	r := jsonReport{
		Verdict: run.Outcome.Verdict, Health: run.Outcome.Health, Conclusion: Conclusion(run), Reason: reason,
		Title: Title(run), Status: run.Status, Run: run.ID, URL: o.RunURL,
		Pipeline: run.Pipeline, Event: run.Event, Attempt: run.Attempt, Note: run.Note,
		Pull: jsonPull{
			Number: run.Pull.Number, Title: run.Pull.Title, Author: run.Pull.Author.Login,
			BaseSHA: run.Pull.BaseSHA, HeadRef: run.Pull.HeadRef, HeadSHA: run.Pull.HeadSHA,
		},
		Files: run.Files, Truncated: run.Truncated,
		Findings: make([]jsonFinding, 0, len(run.Findings)),
		Coverage: append([]review.Coverage{}, run.Coverage...),
		Agents:   make([]jsonAgent, 0, len(run.Agents)),
		Problems: append([]review.Problem{}, run.Problems...), ConfigChange: run.ConfigChange,
		QueuedAt: run.QueuedAt.UTC(), StartedAt: run.StartedAt.UTC(), FinishedAt: run.FinishedAt.UTC(),
	}
	if run.Status == review.StatusRunning {
		r.AwaitUntil = run.AwaitUntil.UTC()
	}
	if run.Repo.Owner != "" {
		r.Repository = run.Repo.String()
	}
	for _, f := range Sorted(run.Findings) {
		r.Findings = append(r.Findings, jsonFinding(f))
	}
	for _, f := range Sorted(run.Suppressed) {
		r.Suppressed = append(r.Suppressed, jsonFinding(f))
	}
	for _, a := range run.Agents {
		r.Agents = append(r.Agents, jsonAgent{
			Name: a.Name, Status: a.Status, Reason: a.Reason, Findings: a.Findings, Examined: a.Examined,
			DurationMS: a.Duration().Milliseconds(), StartedAt: a.StartedAt.UTC(), FinishedAt: a.FinishedAt.UTC(),
			Dependency: a.Dependency, RetryAt: a.RetryAt.UTC(), Usage: a.Usage, Cached: a.Cached,
		})
	}
	return encode(w, r)
}

// encode writes v as indented JSON. Code is kept readable: the formats are
// never put inside a page.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
