// Package hygiene is the agent for what nobody meant to commit: conflict
// markers, deceptive characters, focused tests, what debugging left behind,
// files that cannot be parsed any more, broken links, mistakes in Dockerfiles,
// misspellings, build products, huge files, and paths that collide where case
// does not count.
//
// Each check is a file of its own, with its rules, and speaks only of what the
// change adds or breaks. What the code does is left to others.
package hygiene

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"assay/agents"
	"assay/review"
)

// Name is the agent's name.
const Name = "hygiene"

// The rules.
const (
	ruleConflict  = Name + "/conflict-marker"
	ruleBidi      = Name + "/bidi-control"
	ruleInvisible = Name + "/invisible-character"
	ruleCompiled  = Name + "/compiled-binary"
	ruleArchive   = Name + "/archive"
	ruleJunk      = Name + "/junk-file"
	ruleTree      = Name + "/installed-packages"
	ruleHuge      = Name + "/huge-file"
	ruleCase      = Name + "/case-collision"
)

const (
	trojanSource = "https://trojansource.codes/"
	// GitHub warns of files over 50 MiB and refuses those over 100 MiB.
	largeFiles = "https://docs.github.com/repositories/working-with-files/managing-large-files/about-large-files-on-github"
)

// Agent looks after hygiene. It is safe for concurrent use.
type Agent struct {
	rules map[string]agents.Rule
	words func() map[string]string // misspelt words to right ones
}

// New returns the agent.
func New() *Agent {
	a := &Agent{rules: make(map[string]agents.Rule), words: sync.OnceValue(dictionary)}
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
	var out agents.Result
	change, outage := agents.Awaited(in.Change)
	files := newFileCheck(a, change.Contents)
	whole := &texts{contents: change.Contents}
	links := &links{agent: a, change: change}
	for _, f := range change.Files {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("check hygiene: %w", err)
		}
		if f.Status == review.Removed {
			out.Coverage = append(out.Coverage, review.Coverage{Path: f.Path, Level: review.NotApplicable})
			continue
		}
		found, gap := files.check(ctx, f)
		for _, check := range []func(review.File) []review.Finding{a.conflicts, a.characters, a.homoglyphs, a.focused, a.debugging, a.misspellings} {
			found = append(found, check(f)...)
		}
		conflict := slices.ContainsFunc(found, func(c review.Finding) bool { return c.Rule == ruleConflict })
		for _, check := range []func() ([]review.Finding, string){
			func() ([]review.Finding, string) {
				if conflict {
					return nil, "" // of course it does not parse
				}
				return a.syntax(ctx, f, whole)
			},
			func() ([]review.Finding, string) { return a.docker(ctx, f, whole) },
			func() ([]review.Finding, string) { return links.check(ctx, f) },
		} {
			more, reason := check()
			found, gap = append(found, more...), cmp.Or(gap, reason)
		}
		out.Findings = append(out.Findings, found...)
		out.Coverage = append(out.Coverage, receipt(f, gap))
	}
	out.Findings = append(out.Findings, files.trees()...)
	out.Findings = append(out.Findings, a.collisions(ctx, change)...)
	return out, cmp.Or(ctx.Err(), outage())
}

// receipt says how far the file was looked at; gap is what could not be known.
func receipt(f review.File, gap string) review.Coverage {
	c := review.Coverage{Path: f.Path, Level: review.Full}
	switch {
	case f.Unread != "":
		c.Level, c.Reason = review.Partial, "only the path was checked: "+f.Unread
		if len(f.Hunks) > 0 {
			c.Reason = f.Unread
		}
	case gap != "":
		c.Level, c.Reason = review.Partial, gap
	}
	return c
}

// finding begins a finding of the rule on the file.
func (a *Agent) finding(rule, path, message string) review.Finding {
	r := a.rules[rule]
	return review.Finding{Rule: rule, Severity: r.Severity, Category: r.Category, Path: path, Message: message, HelpURL: r.HelpURL}
}
