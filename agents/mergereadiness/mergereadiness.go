// Package mergereadiness is the agent that says whether a pull request is ready
// to be merged, and if not, what is missing: checks, reviews, conversations,
// conflicts, an old base, and what its author and labels say.
//
// No findings and a full receipt mean ready. What could not be learnt is never
// ready: where waiting helps the agent is unavailable, else its receipt is
// partial. It only reads what review.Host tells and never merges; what the
// change does is left to others.
package mergereadiness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"assay/agents"
	"assay/internal/fault"
	"assay/review"
)

// Agent judges readiness. It is safe for concurrent use.
type Agent struct {
	now   func() time.Time
	rules map[string]agents.Rule
}

// New returns the agent. now is the clock that the age of the base is measured
// by; nil is time.Now.
func New(now func() time.Time) *Agent {
	if now == nil {
		now = time.Now
	}
	a := &Agent{now: now, rules: make(map[string]agents.Rule)}
	for _, r := range Rules() {
		a.rules[r.ID] = r
	}
	return a
}

// Name implements agents.Agent.
func (a *Agent) Name() string { return Name }

// Rules implements agents.Describer.
func (a *Agent) Rules() []agents.Rule { return Rules() }

// errMergeable is what GitHub answers while it computes, which it does in the
// background when it is asked
// (https://docs.github.com/rest/guides/using-the-rest-api-to-interact-with-your-git-database#checking-mergeability-of-pull-requests).
var errMergeable = errors.New("GitHub has not yet computed whether the pull request can be merged")

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	options, err := readOptions(in.Policy.Options)
	if err != nil {
		return agents.Result{}, fault.New(fault.Invalid, err)
	}
	change := in.Change
	switch {
	case change.Pull.Number == 0:
		return agents.Result{Coverage: receipts(change, review.NotApplicable, "there is no pull request to merge")}, nil
	case change.Pull.Closed:
		return agents.Result{Coverage: receipts(change, review.NotApplicable, "the pull request is closed")}, nil
	case change.Host == nil:
		return agents.Result{}, fault.New(fault.Invalid, errors.New("GitHub cannot be asked about this pull request"))
	}
	ready, err := change.Host.Readiness(ctx)
	if err != nil {
		return agents.Result{}, fmt.Errorf("ask how near the pull request is to being merged: %w", err)
	}
	out := agents.Result{Findings: a.missing(change.Pull, ready, options), Coverage: receipts(change, review.Full, "")}
	if len(ready.Unknown) > 0 {
		out.Coverage = receipts(change, review.Partial, "not known: "+strings.Join(ready.Unknown, "; "))
	}
	computed := ready.Mergeable == mergeable || ready.Mergeable == conflicting
	if ready.Mergeable == unknown || !computed && len(ready.Unknown) == 0 {
		return out, fault.New(fault.Transient, errMergeable)
	}
	return out, nil
}

// missing is a finding for each thing that stands between the pull request and
// being merged.
func (a *Agent) missing(p review.Pull, ready review.Readiness, o options) []review.Finding {
	found := a.words(p, o)
	if ready.Mergeable == conflicting {
		found = append(found, a.finding(ruleConflicts, "", fmt.Sprintf("The change conflicts with %s: merge or rebase, and resolve the conflicts.", quote(p.BaseRef))))
	}
	found = append(found, a.checks(ready.Checks)...)
	found = append(found, a.reviews(ready, o)...)
	if n := ready.Unresolved; n > 0 {
		found = append(found, a.finding(ruleConversations, "", fmt.Sprintf("%s not resolved.", counted(n, "conversation is", "conversations are"))))
	}
	return append(found, a.base(p, ready, o)...)
}

// receipts accounts for the pull request's state; its files are not looked at.
func receipts(change *review.Change, level review.Level, reason string) []review.Coverage {
	all := []review.Coverage{{Path: review.Whole, Level: level, Reason: reason}}
	for _, f := range change.Files {
		all = append(all, review.Coverage{Path: f.Path, Level: review.NotApplicable, Reason: "the agent looks at the pull request's state, not at its files"})
	}
	return all
}

// finding is a finding about the pull request as a whole. evidence tells it
// from others of its rule, and holds nothing that moves from day to day.
func (a *Agent) finding(rule, evidence, message string) review.Finding {
	r := a.rules[rule]
	return review.Finding{Rule: rule, Severity: r.Severity, Category: r.Category, Message: message, Evidence: evidence, HelpURL: r.HelpURL}
}
