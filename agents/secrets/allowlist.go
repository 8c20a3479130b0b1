package secrets

import (
	"math"
	"regexp"
	"strings"
)

// allowlist says what is not a secret after all.
type allowlist struct {
	all     bool // all of its checks must hold, not any
	never   bool // one of the checks can not hold here: that of commits
	target  string
	paths   func() *regexp.Regexp
	regexes func() *regexp.Regexp
	words   map[[2]byte][]string // stop words by their first two bytes
}

func newAllowlist(e allowlistEntry) *allowlist {
	a := &allowlist{
		all:     strings.EqualFold(e.Condition, "and") || e.Condition == "&&",
		target:  e.RegexTarget,
		paths:   lazyPattern(anyOf(e.Paths)),
		regexes: lazyPattern(anyOf(e.Regexes)),
	}
	a.never = a.all && len(e.Commits) > 0
	for _, w := range e.StopWords {
		if len(w) < 2 {
			continue
		}
		if a.words == nil {
			a.words = make(map[[2]byte][]string)
		}
		w = strings.ToLower(w)
		a.words[[2]byte{w[0], w[1]}] = append(a.words[[2]byte{w[0], w[1]}], w)
	}
	return a
}

func anyOf(patterns []string) string {
	if len(patterns) == 0 {
		return ""
	}
	return "(?:" + strings.Join(patterns, ")|(?:") + ")"
}

// allowsPath reports whether the path alone is enough to allow.
func (a *allowlist) allowsPath(path string) bool {
	if a.never || a.all && (a.regexes() != nil || a.words != nil) {
		return false
	}
	p := a.paths()
	return p != nil && p.MatchString(path)
}

// allows reports whether a match is no secret. match and line are the text of
// the rule's match and of the lines it stands on.
func (a *allowlist) allows(path, secret, match, line string) bool {
	if a.never {
		return false
	}
	target := secret
	switch a.target {
	case "match":
		target = match
	case "line":
		target = line
	}
	re := a.regexes()
	byText := re != nil && re.MatchString(target)
	byWord := a.hasStopWord(secret)
	if !a.all {
		return byText || byWord
	}
	p := a.paths()
	return (p == nil || p.MatchString(path)) && (re == nil || byText) && (a.words == nil || byWord)
}

func (a *allowlist) hasStopWord(secret string) bool {
	if a.words == nil {
		return false
	}
	secret = strings.ToLower(secret)
	for i := 0; i+1 < len(secret); i++ {
		for _, w := range a.words[[2]byte{secret[i], secret[i+1]}] {
			if strings.HasPrefix(secret[i:], w) {
				return true
			}
		}
	}
	return false
}

// entropy is the Shannon entropy of the text in bits per character, as gitleaks
// reckons it (its thresholds stand in the rules): counted in runes, weighed by
// bytes.
func entropy(text string) float64 {
	var ascii [128]int
	var other map[rune]int
	for _, r := range text {
		if r < 128 {
			ascii[r]++
			continue
		}
		if other == nil {
			other = make(map[rune]int)
		}
		other[r]++
	}
	bits := 0.0
	add := func(n int) {
		if n > 0 {
			p := float64(n) / float64(len(text))
			bits -= p * math.Log2(p)
		}
	}
	for _, n := range ascii {
		add(n)
	}
	for _, n := range other {
		add(n)
	}
	return bits
}
