// Package secrets is the agent that finds credentials in what a change adds:
// tokens, keys and passwords, by the rules of gitleaks.
//
// It looks at added lines only, each block of them by itself, and at what the
// pull request and its commits say. It never repeats a secret: not in the
// message, not in the evidence; a few bits of a hash tell one from another. It
// honours the team's own files of gitleaks, as they are at the base. Whether a secret still works it does not ask; nothing leaves
// the process.
package secrets

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"assay/agents"
	"assay/review"
)

// Name is the agent's name.
const Name = "secrets"

const (
	// maxText is how much added text of one file is scanned, in bytes.
	maxText = 8 << 20
	// baseWork and workFactor bound how much text regular expressions are fed
	// for one file: baseWork bytes, and workFactor for each byte added. Source
	// code needs about 10 a byte; text made to set off every rule at every place
	// would need 220, at some 5 MB a second.
	baseWork   = 2 << 20
	workFactor = 24
	// maxFileHits is how many secrets are reported of one file.
	maxFileHits = 100
)

// Agent finds secrets. It is safe for concurrent use.
type Agent struct{ set *ruleset }

// New reads the rules.
func New() (*Agent, error) {
	set, err := parseRules(gitleaksRules)
	if err != nil {
		return nil, err
	}
	return &Agent{set: set}, nil
}

// Name implements agents.Agent.
func (a *Agent) Name() string { return Name }

// Rules describes the agent's rules.
func (a *Agent) Rules() []agents.Rule {
	rules := make([]agents.Rule, 0, len(a.set.rules))
	for _, r := range a.set.rules {
		rules = append(rules, agents.Rule{
			ID: Name + "/" + r.id, Severity: r.severity, Category: review.Security,
			What: r.description, Why: why, Fix: fix, HelpURL: helpURL, Example: example, Silence: silence,
		})
	}
	return rules
}

const (
	why     = "Whoever can read the repository, now or later, can use it; taking it out in a later commit leaves it in the history."
	fix     = "Revoke it and issue a new one, then take it out of the commits before they are merged and keep it in a secret store or the environment."
	example = "bad:\ntoken: ghp_…\ngood:\ntoken: ${{ secrets.DEPLOY_TOKEN }}"
	silence = "Write gitleaks:allow in a comment on the line; or add the finding to .gitleaksignore, or an allow list to .gitleaks.toml, on the base branch."
	helpURL = "https://docs.github.com/code-security/secret-scanning/introduction/about-secret-scanning"
)

// limits are what a run says of where to look.
type limits struct {
	quiet bool
	repo  string
}

// Run implements agents.Agent.
func (a *Agent) Run(ctx context.Context, in agents.Input) (agents.Result, error) {
	var out agents.Result
	if err := ctx.Err(); err != nil {
		return out, fmt.Errorf("scan for secrets: %w", err)
	}
	change, outage := agents.Awaited(in.Change)
	t := a.teamOf(ctx, change)
	limits := limits{in.Policy.Profile == "" || in.Policy.Profile == review.ProfileQuiet, change.Repo.String()}
	for _, f := range change.Files {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("scan for secrets: %w", err)
		}
		findings, coverage := a.file(ctx, f, t, limits)
		out.Findings = append(out.Findings, findings...)
		out.Coverage = append(out.Coverage, coverage)
	}
	found, err := a.words(ctx, change, t, limits)
	out.Findings = append(out.Findings, found...)
	if err != nil {
		return out, err
	}
	return out, cmp.Or(ctx.Err(), outage())
}

func (a *Agent) file(ctx context.Context, f review.File, t team, limits limits) ([]review.Finding, review.Coverage) {
	cover := review.Coverage{Path: f.Path, Level: review.Full}
	if f.Status == review.Removed {
		cover.Level = review.NotApplicable
		return nil, cover
	}
	findings := a.byPath(f, t, limits)
	switch {
	case t.set.allowsPath(f.Path):
		cover.Level, cover.Reason = review.NotApplicable, "files of this kind hold no secrets, or only look-alikes"
		return findings, cover
	case f.Binary:
		// By design, and no gap: the agent reads text. A picture must not keep a
		// pull request from being reviewed whole.
		cover.Level, cover.Reason = review.NotApplicable, "binary: only its path was checked"
		return findings, cover
	case t.note != "":
		cover.Level, cover.Reason = review.Partial, t.note
	}
	if f.Unread != "" {
		cover.Level, cover.Reason = review.Partial, f.Unread
		if len(f.Hunks) == 0 {
			cover.Level = review.Skipped
		}
	}
	text, reason := a.added(ctx, f, t, limits)
	if reason != "" {
		cover.Level, cover.Reason = review.Partial, reason
	}
	return append(findings, text...), cover
}

// byPath makes the findings of rules that look at nothing but the path.
func (a *Agent) byPath(f review.File, t team, limits limits) []review.Finding {
	if f.Status == review.Modified {
		return nil
	}
	var findings []review.Finding
	for _, r := range t.set.pathOnly {
		if r.appliesTo(f.Path) && !limits.silent(r, f.Path, "") {
			findings = append(findings, review.Finding{
				Rule: Name + "/" + ruleName(r.id), Severity: inContext(r.severity, f.Path, ""), Category: review.Security,
				Path: f.Path, Message: message(r, f.Path), HelpURL: helpURL,
			})
		}
	}
	return findings
}

// added scans what is added to the file; reason says why not all of it was.
func (a *Agent) added(ctx context.Context, f review.File, t team, limits limits) (findings []review.Finding, reason string) {
	s := scanner{set: t.set, path: f.Path, work: baseWork, applies: make([]int8, len(t.set.rules))}
	size := 0
	for lines := range f.AddedBlocks() {
		b := newBlock(lines)
		if size += len(b.text); size > maxText {
			return findings, fmt.Sprintf("only the first %d MiB of added text were scanned", maxText>>20)
		}
		s.work += workFactor * len(b.text)
		hits, whole := s.scan(ctx, b)
		for i, h := range hits {
			found := finding(limits.repo, f.Path, b, hits, i)
			if limits.silent(h.rule, f.Path, b.text[h.start:h.end]) || t.ignores(found, h.rule.id) {
				continue
			}
			findings = append(findings, found)
			if len(findings) >= maxFileHits {
				return findings, fmt.Sprintf("stopped after %d secrets", maxFileHits)
			}
		}
		if !whole {
			return findings, "scanning stopped early: the text is too costly to scan"
		}
	}
	return findings, ""
}

// silent reports whether the rule has nothing to say of files at the path: in
// the quiet profile what is not sure to be a key of somebody's passes in tests,
// examples and generated files, where nearly all of it is made up, and so does
// a guess at a word ("ctrl+shift+end"): what is random has digits.
func (l limits) silent(r *rule, path, secret string) bool {
	if l.quiet && secret != "" && r.id == "generic-api-key" && !strings.ContainsAny(secret, "0123456789") {
		return true
	}
	unsure := r.severity < review.Critical || r.id == "private-key"
	return l.quiet && unsure && path != "" && (agents.TestPath(path) || agents.GeneratedPath(path))
}

// ruleName makes a rule's name of what a team calls its own.
func ruleName(id string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, strings.ToLower(id))
	return name[:min(len(name), 100)]
}

func finding(repo, path string, b block, hits []hit, i int) review.Finding {
	h := hits[i]
	return review.Finding{
		Rule:      Name + "/" + ruleName(h.rule.id),
		Severity:  inContext(h.rule.severity, path, b.text[h.start:h.end]),
		Category:  review.Security,
		Path:      path,
		StartLine: b.first + b.line(h.start),
		EndLine:   b.first + b.line(h.end-1),
		Message:   message(h.rule, path),
		Evidence:  masked(b, hits, i) + " " + mark(repo, path, b.text[h.start:h.end]),
		HelpURL:   helpURL,
	}
}

func message(r *rule, path string) string {
	what := strings.TrimSuffix(strings.TrimSpace(cmp.Or(r.description, "A secret by the rule "+r.id)), ".") + "."
	if agents.TestPath(path) {
		return what + " It stands among tests or examples: make sure that it opens nothing, or mark the line with gitleaks:allow."
	}
	return what + " " + fix
}
