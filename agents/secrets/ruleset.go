package secrets

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	ahocorasick "github.com/BobuSumisu/aho-corasick"
	"github.com/pelletier/go-toml/v2"
)

// gitleaksRules is the rule file of gitleaks v8.30.1, unchanged (see NOTICE).
//
//go:embed gitleaks.toml
var gitleaksRules []byte

// ruleset is the rule file read. Regular expressions are compiled when they
// are first needed, for most of them never are.
type ruleset struct {
	rules []*rule
	allow []*allowlist
	// keywords finds all keywords of all rules in one pass; byKeyword leads
	// from the number of a keyword to its rules.
	keywords  *ahocorasick.Trie
	byKeyword [][]*rule
	// pathOnly are the rules that look at nothing but the path, always those that
	// have no keywords: a team's own.
	pathOnly, always []*rule
}

// The rule file's own words: https://github.com/gitleaks/gitleaks#configuration
type ruleFile struct {
	Extend struct {
		UseDefault    bool     `toml:"useDefault"`
		Path          string   `toml:"path"`
		URL           string   `toml:"url"`
		DisabledRules []string `toml:"disabledRules"`
	} `toml:"extend"`
	Allowlist  *allowlistEntry  `toml:"allowlist"`
	Allowlists []allowlistEntry `toml:"allowlists"`
	Rules      []ruleEntry      `toml:"rules"`
}

type ruleEntry struct {
	ID          string           `toml:"id"`
	Description string           `toml:"description"`
	Regex       string           `toml:"regex"`
	Path        string           `toml:"path"`
	SecretGroup int              `toml:"secretGroup"`
	Entropy     float64          `toml:"entropy"`
	Keywords    []string         `toml:"keywords"`
	SkipReport  bool             `toml:"skipReport"`
	Allowlist   *allowlistEntry  `toml:"allowlist"`
	Allowlists  []allowlistEntry `toml:"allowlists"`
}

type allowlistEntry struct {
	Condition   string   `toml:"condition"`
	Paths       []string `toml:"paths"`
	RegexTarget string   `toml:"regexTarget"`
	Regexes     []string `toml:"regexes"`
	StopWords   []string `toml:"stopwords"`
	Commits     []string `toml:"commits"`
	TargetRules []string `toml:"targetRules"`
}

func parseRules(data []byte) (*ruleset, error) {
	file, err := decodeRules(data)
	if err != nil {
		return nil, err
	}
	return newRuleset(file)
}

func decodeRules(data []byte) (ruleFile, error) {
	var file ruleFile
	if err := toml.Unmarshal(data, &file); err != nil {
		return ruleFile{}, fmt.Errorf("parse secret rules: %w", err)
	}
	if file.Allowlist != nil {
		file.Allowlists = append(file.Allowlists, *file.Allowlist)
	}
	for i := range file.Rules {
		if r := &file.Rules[i]; r.Allowlist != nil {
			r.Allowlists = append(r.Allowlists, *r.Allowlist)
		}
	}
	return file, nil
}

func newRuleset(file ruleFile) (*ruleset, error) {
	set := &ruleset{}
	targeted := make(map[string][]*allowlist)
	for _, a := range file.Allowlists {
		if len(a.TargetRules) == 0 {
			set.allow = append(set.allow, newAllowlist(a))
		}
		for _, id := range a.TargetRules {
			targeted[id] = append(targeted[id], newAllowlist(a))
		}
	}
	number := make(map[string]int)
	var words []string
	for i, e := range file.Rules {
		if e.ID == "" || e.Regex == "" && e.Path == "" {
			return nil, fmt.Errorf("secret rule %d (%q) has no id, or neither regex nor path", i+1, e.ID)
		}
		r := newRule(i, e)
		r.allow = append(r.allow, targeted[e.ID]...)
		set.rules = append(set.rules, r)
		switch {
		case e.SkipReport: // made for another rule to ask for
			continue
		case e.Regex == "":
			set.pathOnly = append(set.pathOnly, r)
		case len(e.Keywords) == 0:
			set.always = append(set.always, r)
		}
		for _, k := range r.keywords {
			n, ok := number[k]
			if !ok {
				n = len(words)
				number[k] = n
				words = append(words, k)
				set.byKeyword = append(set.byKeyword, nil)
			}
			set.byKeyword[n] = append(set.byKeyword[n], r)
		}
	}
	set.keywords = ahocorasick.NewTrieBuilder().AddStrings(words).Build()
	return set, nil
}

func newRule(index int, e ruleEntry) *rule {
	r := &rule{
		index: index, id: e.ID, description: e.Description, source: e.Regex,
		path: lazyPattern(e.Path), group: e.SecretGroup, entropy: e.Entropy,
		assigns: isAssignment(e.Regex, e.Keywords), severity: severityOf(e.ID, e.Regex),
	}
	for _, a := range e.Allowlists {
		r.allow = append(r.allow, newAllowlist(a))
		r.mixed = r.mixed || slices.Contains(a.Regexes, lettersOnly) && a.Condition == "" && a.RegexTarget == ""
	}
	if e.Regex == "" {
		return r
	}
	for _, k := range e.Keywords {
		if k = strings.ToLower(k); k != "" && !slices.Contains(r.keywords, k) {
			r.keywords = append(r.keywords, k)
		}
	}
	slices.Sort(r.keywords)
	return r
}

// allowsPath reports whether files at the path are not scanned at all.
func (s *ruleset) allowsPath(path string) bool {
	return slices.ContainsFunc(s.allow, func(a *allowlist) bool { return a.allowsPath(path) })
}
