// Package pullrequest is the agent that looks at a pull request as something
// people must read: its title, its description, its size, and whether tests
// come with the code.
//
// All it says is info or low, and it is made to be quiet: each threshold is
// one that a few in a hundred ordinary commits pass. What the code does is left
// to others.
package pullrequest

import (
	"context"
	"fmt"

	"assay/agents"
	"assay/review"
)

// Name is the agent's name.
const Name = "pull-request"

// The rules.
const (
	ruleTitleEmpty = Name + "/title-empty"
	ruleTitleWIP   = Name + "/title-wip"
	ruleTitleVague = Name + "/title-vague"
	ruleTitleLong  = Name + "/title-long"
	ruleNoText     = Name + "/description-missing"
	ruleSize       = Name + "/size"
	ruleTests      = Name + "/tests-missing"
)

// Rules describes the agent's rules.
func Rules() []agents.Rule {
	return []agents.Rule{
		{
			ID: ruleTitleEmpty, Severity: review.Low, Category: review.Process, What: "The pull request has no title.",
			Why: "The title is what the history and the release notes show.", Fix: "Say in a few words what the change does.",
		},
		{
			ID: ruleTitleWIP, Severity: review.Info, Category: review.Process, What: "The title says that the work is not done, but the pull request is no draft.",
			Why: "Reviewers are asked too early, and it can be merged by accident.", Fix: "Convert it to a draft, or change the title.",
		},
		{
			ID: ruleTitleVague, Severity: review.Info, Category: review.Process, What: "The title does not say what changes.",
			Why: "Nobody finds the change again by it.", Fix: "Name what is fixed or updated.",
		},
		{
			ID: ruleTitleLong, Severity: review.Info, Category: review.Process, What: "The title is very long.",
			Why: "GitHub and git cut it.", Fix: "Move details to the description.",
		},
		{
			ID: ruleNoText, Severity: review.Low, Category: review.Process, What: "A big change has no description.",
			Why: "Reviewers must guess why it is made and how it was tried.", Fix: "Say what changes, why, and how it was tested.",
		},
		{
			ID: ruleSize, Severity: review.Info, Category: review.Process, What: "The change is big.",
			Why: "Reviews of big changes find less and take longer.", Fix: "Split it, if it has parts that stand by themselves.",
		},
		{
			ID: ruleTests, Severity: review.Info, Category: review.Maintainability, What: "Code is added without tests.",
			Why: "What no test holds breaks without notice.", Fix: "Add or change a test, or say why none is needed.",
		},
	}
}

// Config sets the thresholds. The zero value has the quiet defaults.
type Config struct {
	// MaxTitle is the longest title, in characters; 0 is 120.
	MaxTitle int
	// NeedsDescription is the number of added lines from which a description
	// is missed; 0 is 100.
	NeedsDescription int
	// Big is the number of added lines from which a change is called big; 0 is
	// 500, which 2 in 100 of 1,500 commits measured passed. Three times as many
	// are a finding of low severity.
	Big int
	// NeedsTests is the number of added lines of code from which tests are
	// missed; 0 is 40.
	NeedsTests int
}

// Agent looks at pull requests. It is safe for concurrent use.
type Agent struct {
	cfg   Config
	rules map[string]agents.Rule
}

// New returns the agent with the defaults.
func New() *Agent {
	a, err := NewWith(Config{})
	if err != nil {
		panic(err) // the zero Config is valid
	}
	return a
}

// NewWith returns the agent with thresholds of one's own.
func NewWith(cfg Config) (*Agent, error) {
	for _, f := range []struct {
		name  string
		value *int
		usual int
	}{
		{"MaxTitle", &cfg.MaxTitle, 120},
		{"NeedsDescription", &cfg.NeedsDescription, 100},
		{"Big", &cfg.Big, 500},
		{"NeedsTests", &cfg.NeedsTests, 40},
	} {
		if *f.value < 0 {
			return nil, fmt.Errorf("%s is %d: use 0 for the default, or more", f.name, *f.value)
		}
		if *f.value == 0 {
			*f.value = f.usual
		}
	}
	a := &Agent{cfg: cfg, rules: make(map[string]agents.Rule)}
	for _, r := range Rules() {
		a.rules[r.ID] = r
	}
	return a, nil
}

// Name implements agents.Agent.
func (a *Agent) Name() string { return Name }

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	var out agents.Result
	var m measure
	for _, f := range in.Change.Files {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("look at the pull request: %w", err)
		}
		m.add(f)
		c := review.Coverage{Path: f.Path, Level: review.Full}
		if f.Unread != "" {
			c.Level, c.Reason = review.Partial, "only its size was counted: "+f.Unread
		}
		out.Coverage = append(out.Coverage, c)
	}
	out.Findings = append(out.Findings, a.words(in.Change.Pull, m)...)
	out.Findings = append(out.Findings, a.size(in.Change, m)...)
	return out, ctx.Err()
}

// finding is a finding about the pull request as a whole. The evidence is what
// tells it from another of its kind, never a count that moves with each push.
func (a *Agent) finding(rule, message string) review.Finding {
	r := a.rules[rule]
	return review.Finding{Rule: rule, Severity: r.Severity, Category: r.Category, Message: message}
}
