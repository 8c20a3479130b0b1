package strategy

import (
	"slices"
	"time"

	"assay/review"
)

// Config is what all layers together say, checked, with every default filled
// in. It is read-only once made and may be shared.
type Config struct {
	// Version is the version of the language: always 1.
	Version int
	// Pipelines are in the order of the layers' files, the lower layer's first;
	// their names are unique. One called "default" catches what no other runs
	// on.
	Pipelines []Pipeline
	// Disabled are the names of pipelines that were taken away by
	// "enabled: false".
	Disabled []string
	// Agents are what the config says of agents, and the agents that it makes.
	Agents []Agent
	// Rules are the team's rules, for the agent "rules".
	Rules []review.TeamRule
	// Ignore are globs of paths that no pipeline looks at.
	Ignore []string
	// Instructions are words to agents on some paths.
	Instructions []review.PathInstruction
	// Suppress are the findings that the team has decided to live with.
	Suppress []Suppression
	// Schedules are the schedules that the config defines, beside the built-in
	// ones "daily" and "weekly".
	Schedules []Schedule
	// Operator is what the operator's file alone may say.
	Operator OperatorSettings
	// Notices are places where the file is valid but does less than its author
	// may expect. Unlike problems they keep the file in force.
	Notices []review.Problem

	// origins are the places of the keys that some layer gives.
	origins map[string]Origin
	known   Vocabulary
}

// Pipeline is a named entry of the config.
type Pipeline struct {
	Name        string
	Description string
	// On are the events that start the pipeline, as "name.action".
	On []string
	// When is a condition for it to run; nil is none.
	When     *Condition
	Strategy Strategy
	// Agents are names of agents; with Sequential in the order they run.
	Agents []string
	// Stages are the agents in groups that run one after the other; nil unless
	// Strategy is Staged, and Agents are all of them then.
	Stages [][]string
	// StopOn ends the run after a stage with a finding so severe;
	// review.SeverityNone never does.
	StopOn  review.Severity
	Timeout time.Duration
	// Budget bounds what the agents may spend together on one run.
	Budget review.Budget
	Gate   Gate
	Report Report
	Filter Filter

	// disabled is "enabled: false" while layers are put together.
	disabled bool
	// policies are what the agents are told, made once for all plans.
	policies map[string]review.Policy
}

// Filter says which pull requests a pipeline looks at. Its zero value looks at
// all but drafts. What speaks of pull requests does not hold back a pipeline
// that an event on commits or an issue starts.
type Filter struct {
	// Drafts says that draft pull requests are reviewed too.
	Drafts  bool
	Labels  LabelFilter
	Authors AuthorFilter
	// Branches are globs of base branches; none means all.
	Branches []string
	Title    TitleFilter
	Paths    PathFilter
}

// LabelFilter looks at labels, in whichever case they are written.
type LabelFilter struct {
	// Require are labels of which a pull request needs one.
	Require []string
	// Skip are labels that keep a pull request from being reviewed.
	Skip []string
}

// AuthorFilter looks at the author. Logins are compared in whichever case, and
// "*" stands for any letters.
type AuthorFilter struct {
	Only, Skip []string
	// SkipBots leaves out what bots have opened.
	SkipBots bool
}

// TitleFilter looks at the title.
type TitleFilter struct {
	// Skip are words that keep a pull request from being reviewed while its
	// title has them, in whichever case.
	Skip []string
}

// PathFilter makes a pipeline run only when a changed file matches Only, or
// Only is empty, and does not match Ignore. Both are globs.
type PathFilter struct {
	Only, Ignore []string
}

// Strategy is how a pipeline's agents run.
type Strategy string

// The strategies. With Sequential each agent is given the findings before it,
// with Staged each of a stage those of the stages before.
const (
	Parallel   Strategy = "parallel"
	Sequential Strategy = "sequential"
	Staged     Strategy = "stages"
)

// Agent is what the config says of an agent.
type Agent struct {
	Name string
	// Uses is the kind of an agent that the config makes, KindLLM, KindCommand or a path as
	// ".github/agents/api.agent.md"; empty for one that the service has.
	Uses   string
	Policy review.Policy
}

// Kinds of agents that a config may make, where the service has them.
const (
	// KindLLM is a model with instructions of the team's.
	KindLLM = "llm"
	// KindCommand is one of the operator's commands.
	KindCommand = "command"
	// KindFile is an agent in a file of the repository, named by its path.
	KindFile = "file"
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
	// RequireCoverage fails the check when too few files were examined.
	RequireCoverage RequireCoverage `json:"require_coverage,omitzero"`
}

// RequireCoverage demands that files are examined fully by at least one agent,
// and by none only in part.
type RequireCoverage struct {
	// Percent of the files, 0 to 100; 0 demands nothing.
	Percent int `json:"percent"`
	// Paths are globs of the files that count; none means all.
	Paths []string `json:"paths,omitempty"`
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
	// Inline is the least severity that is commented on its line;
	// review.SeverityNone never is.
	Inline review.Severity `json:"inline"`
	// MaxInline is how many such comments one run makes at most.
	MaxInline int `json:"max_inline"`
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
	// secrets, workflows, dependencies, hygiene, pull-request and reviewer that
	// are in Agents; the last is there where the operator has configured a model.
	Default []string
	// Kinds are the kinds of agents that a config may make: KindLLM, KindCommand,
	// KindFile.
	Kinds []string
	// KindOf are the kinds of agents in Agents that a config may set up anew
	// ("reviewer": KindLLM).
	KindOf map[string]string
	// Instructed are the agents in Agents that read the team's words; nil means
	// that all of them are told.
	Instructed []string
	// Models are the operator's aliases of models, beside those of the
	// operator's file. "default" may always be named.
	Models []string
	// Tools are what an agent may be allowed to use; none means that any name
	// is taken.
	Tools []string
	// Rules are the IDs of the rules of agents, as "secrets/github-pat". The
	// rules of an agent without any here are not checked.
	Rules []string
	// Breakers and Caches are the names that operator.breakers and
	// operator.caches may have; none means that any name is taken.
	Breakers, Caches []string
}

// reads reports whether the agent is told the team's words.
func (v Vocabulary) reads(agent string) bool {
	return v.Instructed == nil || slices.Contains(v.Instructed, agent)
}

func (v Vocabulary) defaultAgents() []string {
	if len(v.Default) > 0 {
		return slices.Clone(v.Default)
	}
	var names []string
	for _, name := range []string{"secrets", "workflows", "dependencies", "hygiene", "pull-request", "reviewer"} {
		if slices.Contains(v.Agents, name) {
			names = append(names, name)
		}
	}
	return names
}

// Default is the config of a repository where no layer says anything: one
// quiet pipeline on pull requests. Drafts wait until they are marked ready for
// review: nobody has asked for an opinion yet, and a draft cannot be merged.
func Default(v Vocabulary) *Config {
	return &Config{Version: 1, Pipelines: []Pipeline{defaultPipeline("review", v)}, known: v}
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
		Report:   Report{Comment: CommentFindings, Inline: review.Medium, MaxInline: 10},
	}
}
