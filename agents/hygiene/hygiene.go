// Package hygiene is the agent for what nobody meant to commit: conflict
// markers, invisible characters, build products, huge files and paths that
// collide where case does not count.
//
// Each check is a file of its own and speaks only of what the change adds.
// What the code does, and how it is written, is left to others.
package hygiene

import (
	"context"
	"fmt"

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

// Rules describes the agent's rules.
func Rules() []agents.Rule {
	return []agents.Rule{
		{
			ID: ruleConflict, Severity: review.High, Category: review.Correctness,
			What: "Markers of an unresolved merge conflict are added.",
			Why:  "The file holds both sides of a conflict, and most likely does not build.",
			Fix:  "Decide between the two sides and remove the markers.",
		},
		{
			ID: ruleBidi, Severity: review.High, Category: review.Security,
			What: "Characters that change the direction of text are added.",
			Why:  "Code can be made to read differently from what runs (Trojan Source, CVE-2021-42574).",
			Fix:  "Remove them, or write them as escapes.", HelpURL: trojanSource,
		},
		{
			ID: ruleInvisible, Severity: review.Medium, Category: review.Security,
			What: "Characters that cannot be seen are added.",
			Why:  "They make names and texts differ that look the same, and can hide instructions and code.",
			Fix:  "Remove them, or write them as escapes.", HelpURL: trojanSource,
		},
		{
			ID: ruleCompiled, Severity: review.Medium, Category: review.Security,
			What: "Compiled code is added.",
			Why:  "Nobody can review it, it grows the repository for ever, and it soon differs from its source.",
			Fix:  "Build it where it is needed, or publish it as a release or a package.",
		},
		{
			ID: ruleArchive, Severity: review.Low, Category: review.Maintainability,
			What: "An archive is added.",
			Why:  "Its contents cannot be reviewed and grow the repository with every version.",
			Fix:  "Commit the contents, or fetch the archive where it is needed and check its hash.",
		},
		{
			ID: ruleJunk, Severity: review.Low, Category: review.Maintainability,
			What: "A file that an editor, an operating system or a tool left behind is added.",
			Why:  "It is of no use to others and may tell of the author's machine.",
			Fix:  "Remove it and add its name to .gitignore.",
		},
		{
			ID: ruleTree, Severity: review.Medium, Category: review.Maintainability,
			What: "A directory of installed packages or build output is added.",
			Why:  "It buries the change, cannot be reviewed, and is made again by the package manager.",
			Fix:  "Remove it and add it to .gitignore.",
		},
		{
			ID: ruleHuge, Severity: review.Low, Category: review.Maintainability,
			What: "A very large file is added.",
			Why:  "Every clone downloads it for ever, even when it is removed later.",
			Fix:  "Keep it elsewhere, or in Git LFS.", HelpURL: largeFiles,
		},
		{
			ID: ruleCase, Severity: review.Medium, Category: review.Correctness,
			What: "Two paths differ in nothing but case.",
			Why:  "On Windows and macOS only one of the two can exist, and git shows changes that nobody made.",
			Fix:  "Rename one of them.",
		},
	}
}

const (
	trojanSource = "https://trojansource.codes/"
	// GitHub warns of files over 50 MiB and refuses those over 100 MiB.
	largeFiles = "https://docs.github.com/repositories/working-with-files/managing-large-files/about-large-files-on-github"
)

// Agent looks after hygiene. It is safe for concurrent use.
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

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	var out agents.Result
	files := newFileCheck(a, in.Change.Contents)
	for _, f := range in.Change.Files {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("check hygiene: %w", err)
		}
		if f.Status == review.Removed {
			out.Coverage = append(out.Coverage, review.Coverage{Path: f.Path, Level: review.NotApplicable})
			continue
		}
		found, gap := files.check(ctx, f)
		out.Findings = append(out.Findings, found...)
		out.Findings = append(out.Findings, a.conflicts(f)...)
		out.Findings = append(out.Findings, a.characters(f)...)
		out.Coverage = append(out.Coverage, receipt(f, gap))
	}
	out.Findings = append(out.Findings, files.trees()...)
	out.Findings = append(out.Findings, a.collisions(ctx, in.Change)...)
	return out, ctx.Err()
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
