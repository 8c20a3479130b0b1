// Package pullrequest is the agent that looks at a pull request as something
// people must read: its title, its description, its size, and whether tests
// come with the code.
//
// All it says is info or low, and it is made to be quiet: each threshold is
// one that a few in a hundred ordinary commits pass. What the code does is left
// to others.
package pullrequest

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"assay/agents"
	"assay/internal/fault"
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
	ruleTitleForm  = Name + "/title-convention"
	ruleNoIssue    = Name + "/issue-missing"
	ruleLeftover   = Name + "/commits-to-squash"
	ruleUnowned    = Name + "/unowned-files"
	ruleGoAPI      = Name + "/go-api-break"
	ruleProto      = Name + "/protobuf-break"

	ruleOwnersSyntax = Name + "/codeowners-syntax"
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
			ID: ruleTitleLong, Profile: review.ProfileStandard, Severity: review.Info, Category: review.Process, What: "The title is very long.",
			Why: "GitHub and git cut it.", Fix: "Move details to the description.",
		},
		{
			ID: ruleNoText, Severity: review.Low, Category: review.Process, What: "A big change has no description.",
			Why: "Reviewers must guess why it is made and how it was tried.", Fix: "Say what changes, why, and how it was tested.",
		},
		{
			ID: ruleSize, Profile: review.ProfileStandard, Severity: review.Info, Category: review.Process, What: "The change is big.",
			Why: "Reviews of big changes find less and take longer.", Fix: "Split it, if it has parts that stand by themselves.",
		},
		{
			ID: ruleTests, Profile: review.ProfileStandard, Severity: review.Info, Category: review.Maintainability, What: "Code is added without tests.",
			Why: "What no test holds breaks without notice.", Fix: "Add or change a test, or say why none is needed.",
		},
		{
			ID: ruleTitleForm, Profile: review.ProfileStandard, Severity: review.Info, Category: review.Process, What: "The title does not follow the convention that the repository's config asks for.",
			Why: "Release notes and version numbers are made from it.", Fix: "Write it as type: what changes.", HelpURL: "https://www.conventionalcommits.org/en/v1.0.0/",
		},
		{
			ID: ruleNoIssue, Profile: review.ProfileStrict, Severity: review.Info, Category: review.Process, What: "A big change names no issue.",
			Why: "What was decided, and why, is not found from it.", Fix: "Link the issue in the description.",
		},
		{
			ID: ruleLeftover, Severity: review.Low, Category: review.Process, What: "Commits are left that were to be folded into others (fixup!, squash!, amend!).",
			Why: "Merged as they are, they stay in the history for ever.", Fix: "Run git rebase --autosquash, or merge as one commit.", HelpURL: "https://git-scm.com/docs/git-rebase#Documentation/git-rebase.txt---autosquash",
		},
		{
			ID: ruleOwnersSyntax, Severity: review.Medium, Category: review.Process, What: "A line is added to CODEOWNERS that cannot be read.",
			Why: "GitHub skips it without a word, and nobody is asked for the reviews it should bring.", Fix: "Mend the line.", HelpURL: ownersHelp,
		},
		{
			ID: ruleUnowned, Profile: review.ProfileStandard, Severity: review.Info, Category: review.Process, What: "CODEOWNERS has an owner for nearly every file, but none for some that change.",
			Why: "Nobody is asked to review them.", Fix: "Add a line for them to CODEOWNERS.", HelpURL: ownersHelp,
		},
		{
			ID: ruleGoAPI, Profile: review.ProfileStandard, Severity: review.Medium, Category: review.Correctness, What: "Something that a stable Go package exports is removed or changed.",
			Why: "Code that uses it no longer compiles after an update that promised to be compatible.", Fix: "Keep the old declaration and deprecate it, or release a new major version and say so in the title (feat!: …).", HelpURL: "https://go.dev/blog/module-compatibility",
		},
		{
			ID: ruleProto, Profile: review.ProfileStandard, Severity: review.Medium, Category: review.Correctness, What: "A protobuf file changes so that old and new peers misread each other.",
			Why: "Both run at the same time while a change is rolled out, and stored messages stay for ever.", Fix: "Reserve what is removed, and add under a new number what changes.", HelpURL: "https://protobuf.dev/best-practices/dos-donts/",
		},
	}
}

const ownersHelp = "https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners"

// OptionGoAPI is the option that says of which Go modules the exported API is
// compared: "auto" (if not set) of those whose path ends in a version, "always"
// of all, for a module at v1, "never" of none.
const OptionGoAPI = "go_api"

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

// Rules implements agents.Describer.
func (a *Agent) Rules() []agents.Rule { return Rules() }

// Run implements agents.Agent. A check that could not learn what it needs is
// told of in a receipt for review.Whole.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	goAPI, err := readOptions(in.Policy.Options)
	if err != nil {
		return agents.Result{}, fault.New(fault.Invalid, err)
	}
	change, outage := agents.Awaited(in.Change)
	var out agents.Result
	var m measure
	for _, f := range change.Files {
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
	found := a.words(change.Pull, m)
	found = append(found, a.issue(change.Pull, m)...)
	var gaps []string
	var down error // what may pass
	for _, c := range a.checks(change, m, goAPI) {
		if c.rule != "" && !in.Policy.Speaks(c.rule, a.rules[c.rule].Profile) {
			continue
		}
		more, err := c.run(ctx)
		if err != nil {
			gaps = append(gaps, err.Error())
			if down == nil && fault.KindOf(err).Passes() {
				down = err
			}
		}
		found = append(found, capped(more)...)
	}
	out.Findings = found
	if len(gaps) > 0 {
		out.Coverage = append(out.Coverage, review.Coverage{Path: review.Whole, Level: review.Partial, Reason: strings.Join(gaps, "; ")})
	}
	return out, cmp.Or(ctx.Err(), down, outage())
}

// check is a check that asks for more than the change holds, made only where
// the profile wants its rule.
type check struct {
	rule string
	run  func(context.Context) ([]review.Finding, error)
}

func (a *Agent) checks(change *review.Change, m measure, goAPI string) []check {
	head := func(ctx context.Context) ([]review.Entry, error) { return listHead(ctx, change) }
	all := []check{
		{ruleLeftover, func(ctx context.Context) ([]review.Finding, error) { return a.commits(ctx, change) }},
		{ruleOwnersSyntax, func(ctx context.Context) ([]review.Finding, error) { return a.ownersSyntax(ctx, change) }},
		{ruleUnowned, func(ctx context.Context) ([]review.Finding, error) { return a.unowned(ctx, change) }},
		{ruleTitleForm, func(ctx context.Context) ([]review.Finding, error) {
			entries, err := head(ctx)
			if err != nil {
				return nil, err
			}
			return a.convention(ctx, change, entries)
		}},
		{ruleSize, func(ctx context.Context) ([]review.Finding, error) {
			entries, err := head(ctx)
			if err != nil {
				return nil, err
			}
			return a.size(change, m, testable(entries, m.largest)), nil
		}},
	}
	if change.Truncated != "" || breaking(change.Pull) {
		return all // what is missing may be in the rest, or is missing on purpose
	}
	if goAPI != "never" {
		all = append(all, check{ruleGoAPI, func(ctx context.Context) ([]review.Finding, error) { return a.goBreaks(ctx, change, goAPI == "always") }})
	}
	return append(all, check{ruleProto, func(ctx context.Context) ([]review.Finding, error) { return a.protoBreaks(ctx, change) }})
}

// breaking reports whether the pull request says that it breaks something
// (https://www.conventionalcommits.org/en/v1.0.0/#summary).
func breaking(p review.Pull) bool {
	return breakingTitle.MatchString(p.Title) || strings.Contains(p.Body, "BREAKING CHANGE") || strings.Contains(p.Body, "BREAKING-CHANGE")
}

var breakingTitle = regexp.MustCompile(`^[\p{L}\d_-]+(?:\([^()]*\))?!: `)

// maxEach is how many findings one check makes; one more counts the rest.
const maxEach = 20

func capped(found []review.Finding) []review.Finding {
	over := len(found) - maxEach
	if over <= 0 {
		return found
	}
	rest := found[maxEach]
	rest.Path, rest.StartLine, rest.EndLine, rest.Evidence = "", 0, 0, "more"
	rest.Message = fmt.Sprintf("The same is true in %d more places.", over)
	return append(found[:maxEach:maxEach], rest)
}

func readOptions(options map[string]string) (goAPI string, err error) {
	goAPI = "auto"
	for name, value := range options {
		switch {
		case name != OptionGoAPI:
			return "", fmt.Errorf("option %q: there is no such option: use %s", name, OptionGoAPI)
		case value != "auto" && value != "always" && value != "never":
			return "", fmt.Errorf("option %q is %q: use auto, always or never", name, value)
		}
		goAPI = value
	}
	return goAPI, nil
}

// finding is a finding about the pull request as a whole. The evidence is what
// tells it from another of its kind, never a count that moves with each push.
func (a *Agent) finding(rule, message string) review.Finding {
	r := a.rules[rule]
	return review.Finding{Rule: rule, Severity: r.Severity, Category: r.Category, Message: message, HelpURL: r.HelpURL}
}
