// Package workflows is the agent that checks GitHub Actions workflows with
// actionlint: mistakes that keep a workflow from running, and script injection.
//
// It reads whole workflow files at the head and speaks of the lines that the
// change adds. It runs no scripts and calls no other tools; what local actions
// and reusable workflows expect it does not know.
package workflows

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"

	"assay/agents"
	"assay/review"
)

// Name is the agent's name.
const Name = "workflows"

const (
	// maxFile is the largest workflow that is read, in bytes. GitHub refuses
	// workflows of more than 512 KB.
	maxFile = 512 << 10
	// maxFindings bounds the findings of one file.
	maxFindings = 50
)

// Agent checks workflows. It is safe for concurrent use.
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
	for _, f := range in.Change.Files {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("check workflows: %w", err)
		}
		c := review.Coverage{Path: f.Path, Level: review.Full}
		if f.Status == review.Removed || !workflowPath.MatchString(f.Path) {
			c.Level = review.NotApplicable
			out.Coverage = append(out.Coverage, c)
			continue
		}
		found, gap := a.file(ctx, in.Change.Contents, f)
		if gap.Level != "" {
			c.Level, c.Reason = gap.Level, gap.Reason
		}
		out.Findings = append(out.Findings, found...)
		out.Coverage = append(out.Coverage, c)
	}
	return out, ctx.Err()
}

var workflowPath = regexp.MustCompile(`^\.github/workflows/[^/]+\.ya?ml$`)

// file checks one workflow; gap says why it was not checked fully.
func (a *Agent) file(ctx context.Context, contents review.Contents, f review.File) (found []review.Finding, gap review.Coverage) {
	skipped := func(reason string) ([]review.Finding, review.Coverage) {
		return nil, review.Coverage{Level: review.Skipped, Reason: reason}
	}
	if contents == nil {
		return skipped("its contents could not be read")
	}
	text, err := contents.Read(ctx, review.Head, f.Path)
	switch {
	case errors.Is(err, review.ErrTooLarge), len(text) > maxFile:
		return skipped(fmt.Sprintf("larger than the %d KB that GitHub takes", maxFile>>10))
	case errors.Is(err, review.ErrNotExist):
		return skipped("it is not there at the head")
	case err != nil:
		return skipped("its contents could not be read")
	}
	if err := boundedAliases(text); err != nil {
		return skipped(err.Error())
	}
	errs, err := lint(text)
	if err != nil {
		return skipped("actionlint could not check it")
	}
	if f.Unread != "" {
		gap = review.Coverage{Level: review.Partial, Reason: f.Unread}
	}
	lines := strings.Split(string(text), "\n")
	added := addedLines(f)
	for _, e := range errs {
		if len(found) == maxFindings {
			return found, review.Coverage{Level: review.Partial, Reason: fmt.Sprintf("stopped after %d findings", maxFindings)}
		}
		line := locate(e, lines, added)
		switch {
		case line > 0:
			found = append(found, a.finding(f.Path, e, line, lines))
		case unparsable(e) && !a.brokenBefore(ctx, contents, f):
			// The line that the parser stumbles over need not be the one that
			// made it: nothing of this workflow runs any more.
			whole := a.finding(f.Path, e, e.Line, lines)
			whole.StartLine, whole.EndLine = 0, 0
			found = append(found, whole)
		}
	}
	return found, gap
}

// lint runs actionlint over the text alone. The name "<stdin>" keeps it from
// looking for files and settings on our disk; Oneline from looking up source
// lines for output that nobody reads, which takes quadratic time.
func lint(text []byte) (errs []*actionlint.Error, err error) {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{Oneline: true, WorkingDir: "."})
	if err != nil {
		return nil, fmt.Errorf("make a linter: %w", err)
	}
	errs, err = linter.Lint("<stdin>", text, nil)
	if err != nil {
		return nil, fmt.Errorf("lint workflow: %w", err)
	}
	return errs, nil
}

// brokenBefore reports whether the workflow could not be parsed before either.
func (a *Agent) brokenBefore(ctx context.Context, contents review.Contents, f review.File) bool {
	path := f.Path
	if f.OldPath != "" {
		path = f.OldPath
	}
	text, err := contents.Read(ctx, review.Base, path)
	if err != nil || len(text) > maxFile || boundedAliases(text) != nil {
		return false
	}
	errs, err := lint(text)
	return err == nil && slices.ContainsFunc(errs, unparsable)
}

func unparsable(e *actionlint.Error) bool {
	return e.Kind == "syntax-check" && strings.HasPrefix(e.Message, "could not parse as YAML")
}

func addedLines(f review.File) map[int]bool {
	added := make(map[int]bool)
	for l := range f.Added() {
		added[l.New] = true
	}
	return added
}

func (a *Agent) finding(path string, e *actionlint.Error, line int, lines []string) review.Finding {
	r := a.rules[ruleOf(e)]
	message, help := tidy(e.Message)
	if help == "" {
		help = r.HelpURL
	}
	f := review.Finding{
		Rule: r.ID, Severity: r.Severity, Category: r.Category, Path: path,
		StartLine: line, EndLine: line, Message: message, HelpURL: help,
	}
	if line >= 1 && line <= len(lines) {
		f.Evidence = clip(strings.TrimSpace(lines[line-1]))
		if name, _, ok := strings.Cut(f.Evidence, ":"); ok && e.Kind == "credentials" {
			f.Evidence = name + ": ********" // evidence never holds a secret
		}
	}
	return f
}

// tidy takes the link out of a message and makes a sentence of the rest.
func tidy(message string) (text, link string) {
	text = message
	if m := seeLink.FindStringSubmatchIndex(message); m != nil {
		link = strings.TrimRight(message[m[2]:m[3]], ".,;")
		text = strings.TrimRight(message[:m[0]]+message[m[1]:], " .,;")
	}
	text = clip(strings.TrimSpace(text))
	if text == "" {
		return message, link
	}
	if text[0] >= 'a' && text[0] <= 'z' {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "…") {
		text += "."
	}
	return text, link
}

var seeLink = regexp.MustCompile(`[.,;]? ?(?:see|see also|read) (https://[^\s"]+)(?: for (?:more )?(?:the )?details?| for more information)?\.?`)

// clip cuts text that a hostile workflow has made long, and makes it UTF-8.
func clip(s string) string {
	const most = 600
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
