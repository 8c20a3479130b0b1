package secrets

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"assay/review"
)

// The files of gitleaks that a team keeps in its repository. They are read at
// the base, so that a pull request cannot allow its own secrets.
const (
	teamRules  = ".gitleaks.toml"
	teamIgnore = ".gitleaksignore"
)

const (
	// maxTeamFile is the largest of these files that is read, in bytes.
	maxTeamFile = 256 << 10
	// maxTeamRules is how many rules a team may add, and how many patterns there
	// may be in all.
	maxTeamRules    = 300
	maxTeamPatterns = 2000
	// maxPattern is the longest regular expression of a team, in bytes, and
	// maxProgram the largest program one may become.
	maxPattern = 4 << 10
	maxProgram = 50_000
	// maxExtends is how many files may extend each other; gitleaks has two.
	maxExtends = 2
)

// team is what a repository's own files make of the rules.
type team struct {
	set *ruleset
	// ignored are findings by "path:rule:line".
	ignored map[string]bool
	// note says what of it could not be used; empty for nothing.
	note string
}

// teamOf reads the team's files at the base of the change. What is wrong with
// them is a note, and the rules of ours take their place.
func (a *Agent) teamOf(ctx context.Context, change *review.Change) team {
	t := team{set: a.set}
	if change.Contents == nil {
		return t
	}
	text, err := change.Contents.Read(ctx, review.Base, teamRules)
	switch {
	case errors.Is(err, review.ErrNotExist):
	case err != nil || len(text) > maxTeamFile:
		t.note = teamRules + " of the base branch could not be read: the rules built in were used"
	default:
		set, err := a.extended(ctx, change.Contents, text)
		if err != nil {
			t.note = fmt.Sprintf("%s of the base branch was not used: %v", teamRules, err)
			break
		}
		t.set = set
	}
	text, err = change.Contents.Read(ctx, review.Base, teamIgnore)
	switch {
	case errors.Is(err, review.ErrNotExist):
	case err != nil || len(text) > maxTeamFile:
		t.note = strings.TrimPrefix(t.note+"; "+teamIgnore+" of the base branch could not be read", "; ")
	default:
		t.ignored = ignoredIn(string(text), change.Pull.HeadSHA)
	}
	return t
}

// extended is the rules that a team's file makes, with those it extends.
func (a *Agent) extended(ctx context.Context, contents review.Contents, text []byte) (*ruleset, error) {
	file, err := decodeRules(text)
	if err != nil {
		return nil, errors.New("it is no valid TOML, or has values of another kind")
	}
	if err := bounded(file); err != nil {
		return nil, err
	}
	var under []ruleFile
	for top := file; ; {
		// A file without rules of its own and without "extend" would find nothing
		// at all, which nobody can mean.
		if top.Extend.UseDefault || top.Extend.Path == "" && len(top.Rules) == 0 {
			builtin, err := decodeRules(gitleaksRules)
			if err != nil {
				return nil, err
			}
			under = append(under, builtin)
			break
		}
		if top.Extend.Path == "" {
			break
		}
		if len(under) == maxExtends {
			return nil, errors.New("too many files extend each other")
		}
		if top, err = extendedFile(ctx, contents, top.Extend.Path); err != nil {
			return nil, err
		}
		under = append(under, top)
	}
	for _, u := range under {
		file = merged(file, u)
	}
	return newRuleset(file)
}

func extendedFile(ctx context.Context, contents review.Contents, p string) (ruleFile, error) {
	p = path.Clean(p)
	if path.IsAbs(p) || strings.HasPrefix(p, "..") {
		return ruleFile{}, errors.New("it extends a file outside of the repository")
	}
	text, err := contents.Read(ctx, review.Base, p)
	if err != nil || len(text) > maxTeamFile {
		return ruleFile{}, errors.New("the file that it extends could not be read")
	}
	file, err := decodeRules(text)
	if err != nil {
		return ruleFile{}, errors.New("the file that it extends is not valid")
	}
	return file, bounded(file)
}

// merged is the rules of under, as far as top does not turn them off, with what
// top changes of them and adds.
func merged(top, under ruleFile) ruleFile {
	out := top
	out.Rules = nil
	out.Allowlists = slices.Concat(under.Allowlists, top.Allowlists)
	own := make(map[string]ruleEntry, len(top.Rules))
	for _, r := range top.Rules {
		own[r.ID] = r
	}
	for _, r := range under.Rules {
		if slices.Contains(top.Extend.DisabledRules, r.ID) {
			continue
		}
		if mine, ok := own[r.ID]; ok {
			r = overridden(r, mine)
			delete(own, r.ID)
		}
		out.Rules = append(out.Rules, r)
	}
	for _, r := range top.Rules {
		if _, left := own[r.ID]; left {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}

// overridden is a rule with what another of its ID says otherwise.
func overridden(r, by ruleEntry) ruleEntry {
	if by.Regex != "" {
		r.Regex = by.Regex
	}
	if by.Path != "" {
		r.Path = by.Path
	}
	if by.Description != "" {
		r.Description = by.Description
	}
	if by.Entropy != 0 {
		r.Entropy = by.Entropy
	}
	if by.SecretGroup != 0 {
		r.SecretGroup = by.SecretGroup
	}
	r.Keywords = slices.Concat(r.Keywords, by.Keywords)
	r.Allowlists = slices.Concat(r.Allowlists, by.Allowlists)
	return r
}

// bounded refuses a team's file that asks for too much, or whose patterns do
// not compile. What it says is shown on pull requests.
func bounded(file ruleFile) error {
	if len(file.Rules) > maxTeamRules {
		return fmt.Errorf("it has more than %d rules", maxTeamRules)
	}
	var patterns []string
	lists := slices.Clone(file.Allowlists)
	for i, r := range file.Rules {
		if r.ID == "" {
			return fmt.Errorf("rule %d has no id", i+1)
		}
		patterns = append(patterns, r.Regex, r.Path)
		lists = append(lists, r.Allowlists...)
	}
	for _, l := range lists {
		patterns = append(patterns, l.Paths...)
		patterns = append(patterns, l.Regexes...)
		for _, all := range []string{anyOf(l.Paths), anyOf(l.Regexes)} {
			if err := compiles(all, maxTeamFile); err != nil {
				return err
			}
		}
	}
	if len(patterns) > maxTeamPatterns {
		return fmt.Errorf("it has more than %d patterns", maxTeamPatterns)
	}
	for _, p := range patterns {
		if err := compiles(p, maxPattern); err != nil {
			return err
		}
	}
	return nil
}

func compiles(pattern string, most int) error {
	if len(pattern) > most {
		return fmt.Errorf("a pattern is longer than %d bytes", most)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return fmt.Errorf("a pattern does not compile: %.100q", pattern)
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxProgram {
		return fmt.Errorf("a pattern is too large: %.100q", pattern)
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return fmt.Errorf("a pattern does not compile: %.100q", pattern)
	}
	return nil
}

// ignoredIn reads the fingerprints of gitleaks: "path:rule:line", with the SHA
// of a commit before it where it is for that commit alone.
func ignoredIn(text, head string) map[string]bool {
	ignored := make(map[string]bool)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if sha, rest, ok := strings.Cut(line, ":"); ok && strings.Count(line, ":") >= 3 && commitID.MatchString(sha) {
			if sha != head {
				continue
			}
			line = rest
		}
		ignored[line] = true
	}
	return ignored
}

var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// ignores reports whether the team has said that the finding is none.
func (t team) ignores(f review.Finding, id string) bool {
	return t.ignored[fmt.Sprintf("%s:%s:%d", f.Path, id, f.StartLine)]
}
