// Package dependencies is the agent for what a change does to the packages
// that a project stands on: vulnerable and malicious versions it brings in,
// names that are nearly those of popular packages, licences, lock files that
// are out of step with their manifests.
//
// It compares the manifests and lock files on both sides of the change and
// speaks of what is new alone; an upgrade as such is nothing to speak of. It
// installs and resolves nothing. Which versions are vulnerable it is told by a
// Source.
package dependencies

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"assay/agents"
	"assay/review"
)

// Name is the agent's name.
const Name = "dependencies"

// maxFindings bounds the findings of one rule: with more, a file is broken or
// hostile, and nobody reads them.
const maxFindings = 100

// Source knows which versions of packages are vulnerable or malicious. It is
// safe for concurrent use.
type Source interface {
	// Advisories returns what is known of the packages, for each of them and in
	// any order. The packages are those that the change brings in, and those
	// of the same names that were there before. A source that compares the two
	// sides itself may go by the change alone; it then returns what is new.
	Advisories(ctx context.Context, change *review.Change, packages []review.Package) ([]review.Advisory, error)
}

// Agent looks after dependencies. It is safe for concurrent use.
type Agent struct {
	source  Source
	rules   map[string]agents.Rule
	popular popular
}

// New returns the agent. Without a source (nil) it does not look for
// vulnerable and malicious versions, and says so.
func New(source Source) *Agent {
	a := &Agent{source: source, rules: make(map[string]agents.Rule), popular: readPopular()}
	for _, r := range Rules() {
		a.rules[r.ID] = r
	}
	return a
}

// Name implements agents.Agent.
func (a *Agent) Name() string { return Name }

// Rules implements agents.Describer.
func (a *Agent) Rules() []agents.Rule { return Rules() }

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	change, outage := agents.Awaited(in.Change)
	in.Change = change
	files, coverage, err := read(ctx, change)
	out := agents.Result{Coverage: coverage}
	if err != nil {
		return out, err
	}
	d := compare(files)
	checks := []struct {
		rule string
		run  func() []review.Finding
	}{
		{ruleTyposquat, func() []review.Finding { return a.typosquats(d) }},
		{ruleLicence, func() []review.Finding { return a.licences(d, in.Policy.Options) }},
		{ruleOutOfStep, func() []review.Finding { return a.outOfStep(ctx, change, d) }},
		{ruleDowngrade, func() []review.Finding { return a.downgrades(d) }},
		{ruleUnpinned, func() []review.Finding { return a.unpinned(d) }},
		{ruleScript, func() []review.Finding { return a.scripts(d) }},
	}
	var notes []string
	take := func(found []review.Finding, note string) {
		if len(found) > maxFindings {
			notes = append(notes, fmt.Sprintf("only the first %d findings of %s are shown", maxFindings, found[0].Rule))
			found = found[:maxFindings]
		}
		if note != "" {
			notes = append(notes, note)
		}
		out.Findings = append(out.Findings, found...)
	}
	for _, c := range checks {
		if a.speaks(c.rule, in.Policy) {
			take(c.run(), "")
		}
	}
	found, note, err := a.advised(ctx, in, d)
	slices.SortStableFunc(found, func(a, b review.Finding) int { return int(b.Severity) - int(a.Severity) })
	take(found, note)
	out.Note = strings.Join(notes, "; ")
	if err != nil {
		return out, fmt.Errorf("look up known vulnerabilities: %w", err)
	}
	return out, cmp.Or(ctx.Err(), outage())
}

// finding begins a finding of the rule at the place.
func (a *Agent) finding(rule string, at entry, message string) review.Finding {
	r := a.rules[rule]
	return review.Finding{
		Rule: rule, Severity: r.Severity, Category: r.Category, HelpURL: r.HelpURL, Message: message,
		Path: at.file.path, StartLine: at.line(), EndLine: at.line(), Evidence: at.evidence(),
	}
}
