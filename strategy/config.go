package strategy

import (
	"slices"
	"time"

	"assay/review"
)

// Config is a whole config file, checked, with every default filled in. It is
// read-only once made and may be shared.
type Config struct {
	// Version is the version of the language: always 1.
	Version int
	// Pipelines are in the order of the file; their names are unique.
	Pipelines []Pipeline
	// Ignore are globs of paths that no pipeline looks at.
	Ignore []string
	// Notices are places where the file is valid but this version does less
	// than its author may expect. Unlike problems they keep the file in force.
	Notices []review.Problem
}

// Pipeline is a named entry of the config.
type Pipeline struct {
	Name        string
	Description string
	// On are the events that start the pipeline, as "name.action".
	On       []string
	Strategy Strategy
	// Agents are names of agents; with Sequential in the order they run.
	Agents  []string
	Timeout time.Duration
	Gate    Gate
	Report  Report
	// Drafts says that draft pull requests are reviewed too.
	Drafts bool
	// SkipLabels are labels that keep a pull request from being reviewed.
	SkipLabels []string
}

// Strategy is how a pipeline's agents run.
type Strategy string

// The strategies. With Sequential each agent is given the findings before it.
const (
	Parallel   Strategy = "parallel"
	Sequential Strategy = "sequential"
)

// Gate says when a check fails. Its zero value is advisory: it never fails.
type Gate struct {
	// FailOn is the least severity that fails the check;
	// review.SeverityNone never does.
	FailOn review.Severity `json:"fail_on"`
	// OnUnavailable concludes the check of a change that was not reviewed
	// whole: an agent was unavailable, or files were not read. Empty is
	// UnavailableNeutral.
	OnUnavailable OnUnavailable `json:"on_unavailable"`
	// RetryFor keeps the check open for so long when what an agent needs is out
	// of reach, so that the review may complete; OnUnavailable concludes it
	// after that. With 0 it is concluded at once. Either way the review
	// completes itself when what was missing is back.
	RetryFor time.Duration `json:"retry_for,omitempty"`
}

// OnUnavailable is what a check becomes when the review is not whole.
type OnUnavailable string

// The choices. UnavailableFail blocks merging where the check is required,
// outages included; UnavailableNeutral does not.
const (
	UnavailableNeutral OnUnavailable = "neutral"
	UnavailableFail    OnUnavailable = "fail"
)

// Report says what is written besides the check run.
type Report struct {
	Comment CommentWhen `json:"comment"`
}

// CommentWhen is when the summary comment is written.
type CommentWhen string

// The choices.
const (
	CommentFindings CommentWhen = "findings"
	CommentAlways   CommentWhen = "always"
	CommentNever    CommentWhen = "never"
)

// Vocabulary is what a config may choose from: the operator's side of the
// bargain.
type Vocabulary struct {
	// Agents are the names of the agents this service has.
	Agents []string
	// Default are the agents of the built-in pipeline. Empty means those of
	// the deterministic agents (secrets, workflows, hygiene, pull-request)
	// that are in Agents.
	Default []string
}

func (v Vocabulary) defaultAgents() []string {
	if len(v.Default) > 0 {
		return slices.Clone(v.Default)
	}
	var names []string
	for _, name := range []string{"secrets", "workflows", "hygiene", "pull-request"} {
		if slices.Contains(v.Agents, name) {
			names = append(names, name)
		}
	}
	return names
}

// Default is the config of a repository that has none, or whose own has
// problems: one quiet pipeline on pull requests. Drafts wait until they are
// marked ready for review: nobody has asked for an opinion yet, and a draft
// cannot be merged.
func Default(v Vocabulary) *Config {
	return &Config{Version: 1, Pipelines: []Pipeline{defaultPipeline("review", v)}}
}

// defaultPipeline is also what fills in the keys that a pipeline of a file
// leaves out.
func defaultPipeline(name string, v Vocabulary) Pipeline {
	return Pipeline{
		Name: name,
		On: []string{
			"pull_request.opened", "pull_request.reopened",
			"pull_request.synchronize", "pull_request.ready_for_review",
		},
		Strategy: Parallel,
		Agents:   v.defaultAgents(),
		Timeout:  10 * time.Minute,
		Gate:     Gate{FailOn: review.High, OnUnavailable: UnavailableNeutral},
		Report:   Report{Comment: CommentFindings},
	}
}
