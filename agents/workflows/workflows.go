// Package workflows is the agent that checks GitHub Actions: workflows with
// actionlint, for mistakes that keep them from running, and workflows and
// composite actions with rules of its own on security, as zizmor defines them.
//
// It reads whole files on both sides and speaks of what the change adds or
// brings about, never of what was there before. It runs no scripts and calls no other tools; what local actions
// and reusable workflows expect it does not know.
package workflows

import (
	"cmp"
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

// Rules implements agents.Describer.
func (a *Agent) Rules() []agents.Rule { return Rules() }

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	change, outage := agents.Awaited(in.Change)
	var out agents.Result
	for _, f := range change.Files {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("check workflows: %w", err)
		}
		c := review.Coverage{Path: f.Path, Level: review.Full}
		if f.Status == review.Removed || !workflowPath.MatchString(f.Path) && !actionPath.MatchString(f.Path) {
			c.Level = review.NotApplicable
			out.Coverage = append(out.Coverage, c)
			continue
		}
		found, gap := a.file(ctx, change, f)
		if gap.Level != "" {
			c.Level, c.Reason = gap.Level, gap.Reason
		}
		out.Findings = append(out.Findings, folded(found)...)
		out.Coverage = append(out.Coverage, c)
	}
	return out, cmp.Or(ctx.Err(), outage())
}

var workflowPath = regexp.MustCompile(`^\.github/workflows/[^/]+\.ya?ml$`)

var actionPath = regexp.MustCompile(`(?:^|/)action\.ya?ml$`)

// file checks one workflow or action; gap says why it was not checked fully.
func (a *Agent) file(ctx context.Context, change *review.Change, f review.File) (found []review.Finding, gap review.Coverage) {
	text, reason := read(ctx, change.Contents, review.Head, f.Path)
	if reason != "" {
		return nil, review.Coverage{Level: review.Skipped, Reason: reason}
	}
	before, known := base(ctx, change.Contents, f)
	head := a.audited(change.Repo, f.Path, text)
	if known {
		found = agents.Introduced(f, head, a.audited(change.Repo, f.Path, before))
	} else {
		found = agents.OnAdded(f, head)
	}
	if f.Unread != "" {
		gap = review.Coverage{Level: review.Partial, Reason: f.Unread}
	}
	if !workflowPath.MatchString(f.Path) {
		return found, gap
	}
	errs, err := lint(text)
	if err != nil {
		return found, review.Coverage{Level: review.Partial, Reason: "actionlint could not check it"}
	}
	linted := a.placed(f, errs, text, before)
	if over := len(found) + len(linted) - maxFindings; over > 0 {
		linted = linted[:max(0, len(linted)-over)]
		gap = review.Coverage{Level: review.Partial, Reason: fmt.Sprintf("stopped after %d findings", maxFindings)}
	}
	return append(linted, found...), gap
}

// placed is what actionlint says of the lines that the change adds, but for
// what it said of the base.
func (a *Agent) placed(f review.File, errs []*actionlint.Error, text, before []byte) []review.Finding {
	lines := strings.Split(string(text), "\n")
	added := addedLines(f)
	var was []*actionlint.Error
	if len(before) > 0 && len(errs) > 0 {
		was, _ = lint(before) // what cannot be linted has said nothing
	}
	stood := standing(was, strings.Split(string(before), "\n"))
	var found []review.Finding
	for _, e := range errs {
		if len(found) > maxFindings {
			break
		}
		line := locate(e, lines, added)
		if key := errorKey(e, lines); line > 0 && stood[key] > 0 {
			stood[key]-- // it only moved
			continue
		}
		switch {
		case line > 0:
			found = append(found, a.finding(f.Path, e, line, lines))
		case unparsable(e) && !slices.ContainsFunc(was, unparsable):
			// The line that the parser stumbles over need not be the one that
			// made it: nothing of this workflow runs any more.
			whole := a.finding(f.Path, e, e.Line, lines)
			whole.StartLine, whole.EndLine = 0, 0
			found = append(found, whole)
		}
	}
	return found
}

// standing counts errors by what they say and the line they say it of.
func standing(errs []*actionlint.Error, lines []string) map[string]int {
	counts := make(map[string]int)
	for _, e := range errs {
		counts[errorKey(e, lines)]++
	}
	return counts
}

func errorKey(e *actionlint.Error, lines []string) string {
	key := e.Kind + "\x00" + e.Message
	if e.Line >= 1 && e.Line <= len(lines) {
		key += "\x00" + strings.TrimSpace(lines[e.Line-1])
	}
	return key
}

// read is a file that is fit to be checked, or the reason why there is none.
func read(ctx context.Context, contents review.Contents, side review.Side, path string) (text []byte, reason string) {
	if contents == nil {
		return nil, "its contents could not be read"
	}
	text, err := contents.Read(ctx, side, path)
	switch {
	case errors.Is(err, review.ErrTooLarge), len(text) > maxFile:
		return nil, fmt.Sprintf("larger than the %d KB that GitHub takes", maxFile>>10)
	case errors.Is(err, review.ErrNotExist):
		return nil, "it is not there at the head"
	case err != nil:
		return nil, "its contents could not be read"
	}
	if err := boundedAliases(text); err != nil {
		return nil, err.Error()
	}
	return text, ""
}

// base is the file before the change; known is false where it could not be
// read. One that was not there is known, and empty.
func base(ctx context.Context, contents review.Contents, f review.File) (text []byte, known bool) {
	if f.Status == review.Added {
		return nil, true
	}
	path := f.Path
	if f.OldPath != "" {
		path = f.OldPath
	}
	if _, err := contents.Read(ctx, review.Base, path); errors.Is(err, review.ErrNotExist) {
		return nil, true
	}
	text, reason := read(ctx, contents, review.Base, path)
	return text, reason == ""
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
	if m := unknownLabel.FindStringSubmatch(e.Message); m != nil {
		message = fmt.Sprintf("The label %q is of none of GitHub's runners: if no runner of your own has it, the job waits for ever.", clip(m[1]))
	}
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

// unknownLabel is how actionlint begins before it lists all the labels there are.
var unknownLabel = regexp.MustCompile(`^label "([^"]+)" is unknown\.`)

// folded leaves one of the findings that say the same of a file, and counts the
// rest: what is done in one place is done in all. What strangers can use is
// named where it stands, each time.
func folded(found []review.Finding) []review.Finding {
	type saying struct{ rule, message string }
	first := make(map[saying]int)
	var out []review.Finding
	more := make(map[int]int)
	for _, f := range found {
		key := saying{f.Rule, f.Message}
		if i, ok := first[key]; ok && f.Severity < review.High {
			more[i]++
			continue
		}
		first[key] = len(out)
		out = append(out, f)
	}
	for i, n := range more {
		places := "in 1 more place"
		if n > 1 {
			places = fmt.Sprintf("in %d more places", n)
		}
		out[i].Message += " The same is true " + places + " of this file."
	}
	return out
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
