// Package repohealth is the agent that looks at a repository as a whole, for
// schedules and health checks: what every repository should have, how its
// default branch is guarded, and what should not be in its tree.
//
// It reads the tree, a few files and review.Host's setup, and nothing of
// history. What is in workflows, manifests and code is left to the agents for
// those.
package repohealth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"assay/agents"
	"assay/internal/fault"
	"assay/review"
)

// maxEach is how many findings are made of one rule; a further one counts the
// rest.
const maxEach = 20

// Agent looks after the health of repositories. It is safe for concurrent use.
type Agent struct{ rules map[string]agents.Rule }

// New returns the agent.
func New() *Agent {
	a := &Agent{rules: make(map[string]agents.Rule)}
	for _, r := range Rules() {
		a.rules[r.ID] = r
	}
	return a
}

// Name implements agents.Agent.
func (a *Agent) Name() string { return Name }

// Rules implements agents.Describer.
func (a *Agent) Rules() []agents.Rule { return Rules() }

// Run implements agents.Agent. Its proof of work is the receipt for
// review.Whole, which is partial when something could not be learnt.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	for name := range in.Policy.Options {
		return agents.Result{}, fault.New(fault.Invalid, fmt.Errorf("option %q: the agent has no options", name))
	}
	if in.Change.Tree == nil {
		return agents.Result{}, fault.New(fault.Invalid, errors.New("the files of the repository cannot be listed here"))
	}
	e := &exam{agent: a, change: in.Change, policy: in.Policy, counts: make(map[string]int)}
	if err := e.readSetup(ctx); err != nil {
		return agents.Result{}, err
	}
	if e.setup.Archived {
		return agents.Result{Coverage: receipts(in.Change, review.NotApplicable, "the repository is archived")}, nil
	}
	err := e.examine(ctx)
	level := review.Full
	if len(e.gaps) > 0 {
		level = review.Partial
	}
	out := agents.Result{Findings: e.results(), Coverage: receipts(in.Change, level, strings.Join(e.gaps, "; "))}
	return out, err
}

func receipts(change *review.Change, level review.Level, reason string) []review.Coverage {
	all := []review.Coverage{{Path: review.Whole, Level: level, Reason: reason}}
	for _, f := range change.Files {
		all = append(all, review.Coverage{Path: f.Path, Level: review.NotApplicable, Reason: "the agent looks at the repository as a whole, not at the change"})
	}
	return all
}

// exam is one run of the agent.
type exam struct {
	agent  *Agent
	change *review.Change
	policy review.Policy
	setup  review.Setup
	// asked says that setup is known, but for what its Unknown names.
	asked bool
	tree  tree
	found []review.Finding
	// counts are the findings by rule, those left out among them.
	counts map[string]int
	// gaps say as plain phrases what could not be looked at.
	gaps []string
}

func (e *exam) readSetup(ctx context.Context) error {
	if e.change.Host == nil {
		e.gaps = append(e.gaps, "how the repository is set up on GitHub is not known here")
		return nil
	}
	setup, err := e.change.Host.Setup(ctx)
	if err != nil {
		return fmt.Errorf("ask how the repository is set up: %w", err)
	}
	e.setup, e.asked = setup, true
	e.gaps = append(e.gaps, setup.Unknown...)
	return nil
}

func (e *exam) examine(ctx context.Context) error {
	entries, err := e.change.Tree.List(ctx, review.Head)
	if errors.Is(err, review.ErrTooLarge) {
		e.gaps = append(e.gaps, "the repository has more files than can be listed")
		e.protection(false)
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the files of the repository: %w", err)
	}
	e.tree = newTree(entries)
	e.protection(e.hasCI())
	e.automation()
	e.names()
	e.locks()
	e.blobs()
	for _, check := range []func(context.Context) error{e.documents, e.updates, e.owners, e.links} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// read returns a file of the head; ok is false when there is none, or it is too
// large to be read, which is a gap.
func (e *exam) read(ctx context.Context, path string) (text []byte, ok bool, err error) {
	text, err = e.change.Contents.Read(ctx, review.Head, path)
	switch {
	case errors.Is(err, review.ErrTooLarge):
		e.gaps = append(e.gaps, path+" is too large to be read")
		return nil, false, nil
	case errors.Is(err, review.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("read %s: %w", path, err)
	}
	return text, true, nil
}

// speaks reports whether the rule is to be looked at.
func (e *exam) speaks(rule string) bool { return e.policy.Speaks(rule, e.agent.rules[rule].Profile) }

// say makes a finding of the rule on a file; with an empty path it is about the
// repository.
func (e *exam) say(rule, path, evidence, message string) {
	e.sayAt(rule, path, 0, evidence, message)
}

func (e *exam) sayAt(rule, path string, line int, evidence, message string) {
	if !e.speaks(rule) {
		return
	}
	e.counts[rule]++
	if e.counts[rule] > maxEach {
		return
	}
	r := e.agent.rules[rule]
	e.found = append(e.found, review.Finding{
		Rule: rule, Severity: r.Severity, Category: r.Category, Path: path, StartLine: line, EndLine: line,
		Evidence: evidence, Message: message, HelpURL: r.HelpURL,
	})
}

// results are the findings, with one for the rest of each rule that had many.
func (e *exam) results() []review.Finding {
	for _, r := range Rules() {
		if over := e.counts[r.ID] - maxEach; over > 0 {
			e.found = append(e.found, review.Finding{
				Rule: r.ID, Severity: r.Severity, Category: r.Category, Evidence: "more", HelpURL: r.HelpURL,
				Message: fmt.Sprintf("%s So it is in %d more places.", r.What, over),
			})
		}
	}
	return e.found
}
