// Package rules is the agent that holds changes to the team's own rules: the
// config's key "rules". A rule is a condition over the change, a regular
// expression over the lines that it adds, globs of paths, or some of these
// together; what it says, and how much that matters, is the team's.
//
// How rules are written is strategy's, what conditions can ask internal/expr's.
// Nothing of the change is executed, and the work that rules can ask for is
// bounded: what was not looked at is in the receipt, with the rule's name.
package rules

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"assay/agents"
	"assay/internal/expr"
	"assay/review"
)

// Name is the agent's name.
const Name = "rules"

// version is that of the answers: another one makes kept answers void.
const version = "1"

// Bounds of one run.
const (
	// maxScan is how many bytes of added lines are searched, of all rules
	// together: RE2 takes about a second for 50 MB at worst.
	maxScan = 64 << 20
	// maxPerRule is how many lines a rule speaks of. A rule that matches more is
	// one about a habit, of which nobody reads every case.
	maxPerRule = 50
	// maxNamed is how many rules a note or a reason names.
	maxNamed = 5
)

// Agent applies the rules of its policy. It is safe for concurrent use.
type Agent struct{}

// New returns the agent.
func New() *Agent { return &Agent{} }

// Name implements agents.Agent.
func (*Agent) Name() string { return Name }

// Version implements agents.Versioned: an answer depends on the change and the
// policy alone.
func (*Agent) Version() string { return version }

// Run implements agents.Agent.
func (*Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	w := newWork(in.Change)
	for _, team := range in.Policy.Rules {
		if err := ctx.Err(); err != nil {
			return w.result(len(in.Policy.Rules) > 0), err
		}
		w.apply(team)
	}
	return w.result(len(in.Policy.Rules) > 0), nil
}

// work is one run's.
type work struct {
	change   *review.Change
	vars     *expr.Vars
	scan     int // bytes that may yet be searched
	findings []review.Finding
	notes    []string
	// concerned are the files that some rule is about, gaps why one of them was
	// not looked at as the rule wants it; by path.
	concerned map[string]bool
	gaps      map[string][]string
	// broken are rules that could not be asked.
	broken []string
}

func newWork(change *review.Change) *work {
	return &work{
		change: change, vars: expr.ForChange(change), scan: maxScan,
		concerned: make(map[string]bool), gaps: make(map[string][]string),
	}
}

// apply asks one rule.
func (w *work) apply(team review.TeamRule) {
	var files []*review.File
	for i := range w.change.Files {
		f := &w.change.Files[i]
		if matches(team.Paths, f.Path) {
			files = append(files, f)
			w.concerned[f.Path] = true
		}
	}
	speaks, err := w.holds(team.When)
	if err != nil {
		w.fail(team, files, err)
		return
	}
	switch {
	case !speaks:
	case team.Added != "":
		w.lines(team, files)
	case len(team.Paths) > 0:
		for _, f := range files {
			w.add(team, review.Finding{Path: f.Path, Message: team.Message})
		}
	default:
		w.add(team, review.Finding{Message: team.Message})
	}
}

func (w *work) holds(condition string) (bool, error) {
	if condition == "" {
		return true, nil
	}
	program, err := expr.Compile(condition)
	if err != nil {
		return false, err
	}
	return program.Eval(w.vars)
}

// fail notes a rule that could not be asked.
func (w *work) fail(team review.TeamRule, files []*review.File, err error) {
	w.broken = append(w.broken, team.ID)
	if len(w.broken) <= maxNamed {
		w.notes = append(w.notes, fmt.Sprintf("the rule %s could not be applied: %v", team.ID, err))
	}
	for _, f := range files {
		w.gap(f, "the rule "+team.ID+" could not be applied")
	}
}

func (w *work) gap(f *review.File, why string) {
	if len(w.gaps[f.Path]) < maxNamed {
		w.gaps[f.Path] = append(w.gaps[f.Path], why)
	}
}

// lines speaks of each added line that the rule's expression matches.
func (w *work) lines(team review.TeamRule, files []*review.File) {
	expression, err := regexp.Compile(team.Added)
	if err != nil {
		w.fail(team, files, err)
		return
	}
	found := 0
	for _, f := range files {
		if f.Unread != "" {
			w.gap(f, "its added lines are not known: "+f.Unread)
		}
		for line := range f.Added() {
			if w.scan -= len(line.Text) + 1; w.scan < 0 {
				w.gap(f, "the rule "+team.ID+" was not applied to all of it: the rules have too much to search")
				break
			}
			groups := expression.FindStringSubmatchIndex(line.Text)
			if groups == nil {
				continue
			}
			if found++; found > maxPerRule {
				continue
			}
			w.add(team, review.Finding{
				Path: f.Path, StartLine: line.New, EndLine: line.New, Evidence: line.Text,
				Message: expand(team.Message, expression, line.Text, groups),
			})
		}
	}
	if more := found - maxPerRule; more > 0 {
		w.notes = append(w.notes, fmt.Sprintf("the rule %s matches %d more lines", team.ID, more))
	}
}

// add completes a finding by what the rule says.
func (w *work) add(team review.TeamRule, f review.Finding) {
	f.Rule, f.Severity, f.Category = Name+"/"+team.ID, team.Severity, review.Process
	f.HelpURL = team.HelpURL // https alone passes the runner's check
	if team.Fix != "" {
		f.Message = sentence(f.Message) + " " + team.Fix
	}
	w.findings = append(w.findings, f)
}

// sentence ends the text as a sentence ends.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?:;") {
		return text
	}
	return text + "."
}

// matches reports whether the path is one of those that the globs mean; no
// globs mean all.
func matches(globs []string, path string) bool {
	for _, g := range globs {
		if doublestar.MatchUnvalidated(g, path) {
			return true
		}
	}
	return len(globs) == 0
}

// result has the receipts. Files that no rule is about do not concern the
// agent. A change without files (a push, an issue) has a receipt for itself.
func (w *work) result(any bool) agents.Result {
	out := agents.Result{Findings: w.findings, Note: w.note()}
	for _, f := range w.change.Files {
		c := review.Coverage{Path: f.Path, Level: review.Full}
		switch gaps := w.gaps[f.Path]; {
		case !any:
			c.Level, c.Reason = review.NotApplicable, "the team has written no rules"
		case !w.concerned[f.Path]:
			c.Level, c.Reason = review.NotApplicable, "no rule is about this file"
		case len(gaps) > 0:
			c.Level, c.Reason = review.Partial, strings.Join(gaps, "; ")
		}
		out.Coverage = append(out.Coverage, c)
	}
	if len(w.change.Files) > 0 {
		return out
	}
	c := review.Coverage{Path: review.Whole, Level: review.Full}
	switch {
	case !any:
		c.Level, c.Reason = review.NotApplicable, "the team has written no rules"
	case len(w.broken) > 0:
		c.Level, c.Reason = review.Partial, "rules could not be applied: "+strings.Join(w.broken[:min(len(w.broken), maxNamed)], ", ")
	}
	out.Coverage = append(out.Coverage, c)
	return out
}

func (w *work) note() string {
	notes := w.notes
	if more := len(w.broken) - maxNamed; more > 0 {
		notes = append(notes, fmt.Sprintf("%d more rules could not be applied", more))
	}
	return strings.Join(notes, "; ")
}
