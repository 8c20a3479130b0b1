package review

import "time"

// Run is one execution of one pipeline for one head SHA, with all that came of
// it. It is what reports are rendered from.
type Run struct {
	// ID is 26 characters that nobody can guess (crypto/rand).
	ID           string `json:"id"`
	Pipeline     string `json:"pipeline"`
	Event        string `json:"event"`
	Delivery     string `json:"delivery,omitempty"`
	Installation int64  `json:"installation,omitempty"`
	Repo         Repo   `json:"repo"`
	Pull         Pull   `json:"pull"`
	// Issue is what the run is about where that is an issue; nil otherwise.
	// Such a run has no check run: Pull is the default branch.
	Issue *Issue `json:"issue,omitempty"`
	// Attempt counts from 1 and grows with each re-run of the same head.
	Attempt int    `json:"attempt"`
	Status  Status `json:"status"`
	// Reason says why the run was skipped, superseded, cancelled or failed.
	Reason string `json:"reason,omitempty"`
	// Note is what else people should know of how the run came about, as a
	// plain phrase: "delayed by 14 min: webhook lost, recovered". Mostly empty.
	Note       string    `json:"note,omitempty"`
	QueuedAt   time.Time `json:"queued_at,omitzero"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	// AwaitUntil is until when a running run keeps its check open for agents
	// that wait for something outside; zero for one that does not.
	AwaitUntil time.Time `json:"await_until,omitzero"`

	Outcome  Outcome   `json:"outcome,omitzero"`
	Findings []Finding `json:"findings,omitempty"`
	// Suppressed are the findings that the config holds back. They are not among
	// Findings, and the outcome is made without them.
	Suppressed []Finding  `json:"suppressed,omitempty"`
	Coverage   []Coverage `json:"coverage,omitempty"`
	Agents     []AgentRun `json:"agents,omitempty"`
	// Files is the number of files in the change.
	Files int `json:"files,omitempty"`
	// Ignored is how many of Files the config left out of the review.
	Ignored int `json:"ignored,omitempty"`
	// Truncated says why the change was not read whole; empty when it was.
	Truncated string `json:"truncated,omitempty"`
	// Problems are mistakes in the config, by file and line. A file with any is
	// left out whole.
	Problems []Problem `json:"problems,omitempty"`
	// ConfigChange says in plain sentences what the change will make of the
	// config; empty where it does not touch it.
	ConfigChange string `json:"config_change,omitempty"`
}

// Status is where a run is in its life.
type Status string

// The statuses. All but Queued and Running are final.
const (
	StatusQueued     Status = "queued"
	StatusRunning    Status = "running"
	StatusDone       Status = "done"
	StatusSkipped    Status = "skipped"
	StatusSuperseded Status = "superseded"
	StatusCancelled  Status = "cancelled"
	// StatusDead is a run that failed for good: a dead letter.
	StatusDead Status = "dead"
)

// Final reports whether the status will not change any more.
func (s Status) Final() bool { return s != StatusQueued && s != StatusRunning }

// AgentRun is how one agent did in a run.
type AgentRun struct {
	Name   string      `json:"name"`
	Status AgentStatus `json:"status"`
	// Reason says why the agent was not done. When it was, Reason is empty, or
	// says what of its findings was left out.
	Reason     string    `json:"reason,omitempty"`
	Findings   int       `json:"findings"`
	Examined   int       `json:"examined"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
	// Dependency names what an unavailable agent could not reach ("openai",
	// "github"); empty where waiting does not help. RetryAt is when it may be
	// reached again, as far as is known.
	Dependency string    `json:"dependency,omitempty"`
	RetryAt    time.Time `json:"retry_at,omitzero"`
	// Usage is what the agent spent on models; zero for one that uses none.
	Usage Usage `json:"usage,omitzero"`
	// Cached says that the answer was known from an earlier run.
	Cached bool `json:"cached,omitempty"`
}

// Awaited reports whether the agent gave no result for want of something
// outside, and is run again when that is back.
func (a AgentRun) Awaited() bool { return a.Status == AgentUnavailable && a.Dependency != "" }

// Duration is how long the agent ran; 0 while it has not finished.
func (a AgentRun) Duration() time.Duration {
	if a.FinishedAt.IsZero() || a.StartedAt.IsZero() {
		return 0
	}
	return a.FinishedAt.Sub(a.StartedAt)
}

// AgentStatus is where an agent is in a run.
type AgentStatus string

// The statuses. AgentUnavailable is an agent that errored, timed out, panicked
// or gave no proof of work: never counted as reviewed.
const (
	AgentWaiting     AgentStatus = "waiting"
	AgentRunning     AgentStatus = "running"
	AgentDone        AgentStatus = "done"
	AgentUnavailable AgentStatus = "unavailable"
)

// Problem is a mistake in a config file.
type Problem struct {
	// Layer says whose file it is: "operator" or "organisation"; empty for the
	// repository's own.
	Layer   string `json:"layer,omitempty"`
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// Count counts findings by severity, indexed by Severity.
func Count(findings []Finding) (counts [Critical + 1]int) {
	for _, f := range findings {
		if f.Severity >= SeverityNone && f.Severity <= Critical {
			counts[f.Severity]++
		}
	}
	return counts
}
