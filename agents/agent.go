// Package agents runs the agents that review a change and keeps them honest:
// each has a deadline, a panic is its own, its findings are checked as data,
// and without proof of work it does not count as having reviewed anything.
//
// An agent is told of a change and answers with findings and a receipt; each
// lives in a package of its own under this one. Which agents run, and what
// their findings mean for the pull request, belongs to strategy; how findings
// are shown, to reports. Nothing here writes to GitHub or holds a token.
package agents

import (
	"context"

	"assay/review"
)

// Agent examines a change. It only reads: it never writes to GitHub and never
// holds a token.
//
// Run must be safe for concurrent use and should end soon after ctx does. A
// Result beside an error is what the agent had when it stopped: the findings
// are shown, but the agent counts as unavailable. A panic in Run is recovered;
// one in a goroutine that the agent started itself cannot be.
type Agent interface {
	// Name is the agent's stable name, as "secrets": lower-case letters, digits
	// and hyphens.
	Name() string
	Run(ctx context.Context, in Input) (Result, error)
}

// Input is what an agent is given. It is read-only.
type Input struct {
	Change *review.Change
	// Prior are the findings of the agents in the stages before it.
	Prior []review.Finding
	// Policy is what the config tells this agent.
	Policy review.Policy
}

// Result is what an agent answers.
type Result struct {
	Findings []review.Finding
	// Coverage is the receipt: one entry for every file of the change. A file
	// without one counts as skipped. An agent that looks at more than the files
	// has one for review.Whole too.
	Coverage []review.Coverage
	// Note is what people should know of how the agent did its work, as a plain
	// phrase ("…was not looked up: …"). Mostly empty.
	Note string
	// Usage is what was spent on models.
	Usage review.Usage
}

// Rule describes one rule of an agent, for documentation and for reports that
// explain their rules (SARIF).
type Rule struct {
	// ID is "<agent>/<rule>", as it stands in findings.
	ID       string
	Severity review.Severity
	Category review.Category
	// What says what is found, Why why it matters, Fix what to do about it;
	// each in a plain sentence.
	What, Why, Fix string
	// Example shows what the rule finds and what it does not: code, with "bad:"
	// and "good:" on lines of their own before each; may be empty.
	Example string
	// Silence says how else than by config the rule is silenced, as by a
	// comment; may be empty.
	Silence string
	// HelpURL leads to more; may be empty.
	HelpURL string
	// Profile is the least profile in which the rule speaks; empty is quiet.
	Profile review.Profile
}
