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
	// pathOnly are the rules that look at nothing but the path.
	pathOnly []*rule
}

// The rule file's own words: https://github.com/gitleaks/gitleaks#configuration
type ruleFile struct {
	Allowlist  *allowlistEntry  `toml:"allowlist"`
	Allowlists []allowlistEntry `toml:"allowlists"`
	Rules      []struct {
		ID          string           `toml:"id"`
		Description string           `toml:"description"`
		Regex       string           `toml:"regex"`
		Path        string           `toml:"path"`
		SecretGroup int              `toml:"secretGroup"`
		Entropy     float64          `toml:"entropy"`
		Keywords    []string         `toml:"keywords"`
		Allowlists  []allowlistEntry `toml:"allowlists"`
	} `toml:"rules"`
}

type allowlistEntry struct {
	Condition   string   `toml:"condition"`
	Paths       []string `toml:"paths"`
	RegexTarget string   `toml:"regexTarget"`
	Regexes     []string `toml:"regexes"`
	StopWords   []string `toml:"stopwords"`
}

func parseRules(data []byte) (*ruleset, error) {
	var file ruleFile
	if err := toml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("parse secret rules: %w", err)
	}
	set := &ruleset{}
	if file.Allowlist != nil {
		file.Allowlists = append(file.Allowlists, *file.Allowlist)
	}
	for _, a := range file.Allowlists {
		set.allow = append(set.allow, newAllowlist(a))
	}
	number := make(map[string]int)
	var words []string
	for i, e := range file.Rules {
		if e.ID == "" || e.Regex == "" && e.Path == "" {
			return nil, fmt.Errorf("secret rule %d (%q) has no id, or neither regex nor path", i+1, e.ID)
		}
		r := &rule{
			index: i, id: e.ID, description: e.Description, source: e.Regex,
			path: lazyPattern(e.Path), group: e.SecretGroup, entropy: e.Entropy,
		}
		r.assigns = isAssignment(e.Regex, e.Keywords)
		r.severity = severityOf(e.ID, e.Regex)
		for _, a := range e.Allowlists {
			r.allow = append(r.allow, newAllowlist(a))
			r.mixed = r.mixed || slices.Contains(a.Regexes, lettersOnly) && a.Condition == "" && a.RegexTarget == ""
		}
		set.rules = append(set.rules, r)
		if e.Regex == "" {
			set.pathOnly = append(set.pathOnly, r)
			continue
		}
		if len(e.Keywords) == 0 {
			return nil, fmt.Errorf("secret rule %q has no keywords: it would run on everything", e.ID)
		}
		for _, k := range e.Keywords {
			k = strings.ToLower(k)
			r.keywords = append(r.keywords, k)
			n, ok := number[k]
			if !ok {
				n = len(words)
				number[k] = n
				words = append(words, k)
				set.byKeyword = append(set.byKeyword, nil)
			}
			set.byKeyword[n] = append(set.byKeyword[n], r)
		}
		slices.Sort(r.keywords)
	}
	set.keywords = ahocorasick.NewTrieBuilder().AddStrings(words).Build()
	return set, nil
}

// allowsPath reports whether files at the path are not scanned at all.
func (s *ruleset) allowsPath(path string) bool {
	return slices.ContainsFunc(s.allow, func(a *allowlist) bool { return a.allowsPath(path) })
}
