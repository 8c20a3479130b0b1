package secrets

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"assay/review"
)

// rule is one rule of the rule file.
type rule struct {
	index       int
	id          string
	description string
	source      string // of the regular expression; empty for a rule about paths only
	path        func() *regexp.Regexp
	group       int
	entropy     float64
	keywords    []string // lower case, sorted
	allow       []*allowlist
	severity    review.Severity

	// assigns says that the rule looks for a name, an operator and a value.
	assigns bool
	// mixed says that a value of letters alone is no secret to the rule.
	mixed bool

	once    sync.Once
	pattern *regexp.Regexp
	reach   int
}

// assignment is the middle of the expressions that gitleaks makes for secrets
// known by the name they are assigned to.
const assignment = `(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}(`

// lettersOnly is how the rules allow what is only a name.
const lettersOnly = `^[a-zA-Z_.-]+$`

// isAssignment reports whether the expression looks for an assignment to a name
// with a keyword in it. Keywords of the value ("test_…") are another matter.
func isAssignment(source string, keywords []string) bool {
	_, value, ok := strings.Cut(source, assignment)
	return ok && !slices.ContainsFunc(keywords, func(k string) bool { return strings.Contains(value, strings.TrimSuffix(k, "_")) })
}

// maxReach is how far from a keyword a match may lie where the rule itself sets
// no bound, in bytes. The PEM of an RSA key of 16,384 bits has some 12,700.
const maxReach = 16 << 10

// compiled returns the regular expression and how far a match can reach, in
// bytes. The rules are data of ours, tested to compile.
func (r *rule) compiled() (*regexp.Regexp, int) {
	r.once.Do(func() {
		r.pattern = regexp.MustCompile(r.source)
		tree, err := syntax.Parse(r.source, syntax.Perl)
		if err != nil {
			panic(err) // MustCompile has just parsed it
		}
		r.reach = longest(tree)
	})
	return r.pattern, r.reach
}

// longest is the length of the longest match, at most maxReach.
func longest(re *syntax.Regexp) int {
	n := 0
	switch re.Op {
	case syntax.OpLiteral:
		n = len(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = 1
	case syntax.OpStar, syntax.OpPlus:
		n = maxReach
	case syntax.OpRepeat:
		if n = maxReach; re.Max >= 0 {
			n = re.Max * longest(re.Sub[0])
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			n = max(n, longest(sub))
		}
	default:
		for _, sub := range re.Sub {
			n += longest(sub)
		}
	}
	return min(n, maxReach)
}

// mayMatch reports whether a match can stand at the keyword that ends at the
// offset. It is a quick look before the slow one: where the rule wants an
// assignment, an operator must follow soon, and soon after that the beginning
// of a value. Most of the words "key" and "token" in code end here.
func (r *rule) mayMatch(text string, end int) bool {
	if !r.assigns {
		return true
	}
	const toOperator, toValue = 64, 24
	near := text[end:min(len(text), end+toOperator)]
	for i := 0; i < len(near); i++ {
		if strings.IndexByte("=>:|?,", near[i]) >= 0 && hasValue(text[end+i:], toValue, r.mixed) {
			return true
		}
	}
	return false
}

// hasValue reports whether a value begins in the first bytes of the text: eight
// characters of a token, not all of them letters where it is to be mixed.
func hasValue(text string, within int, mixed bool) bool {
	const value, longest = 8, 160
	run, seen := 0, !mixed
	for i := 0; i < len(text) && i-run < within && run < longest; i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9', strings.IndexByte("=+/", c) >= 0, c >= utf8.RuneSelf:
			run, seen = run+1, true
		case wordByte(c), c == '.':
			run++
		default:
			run, seen = 0, !mixed
		}
		if run >= value && seen {
			return true
		}
	}
	return false
}

// appliesTo reports whether the rule looks at files of that path.
func (r *rule) appliesTo(path string) bool {
	if p := r.path(); p != nil && !p.MatchString(path) {
		return false
	}
	for _, a := range r.allow {
		if a.allowsPath(path) {
			return false
		}
	}
	return true
}

// lazyPattern compiles a pattern when it is first asked for; nil for none.
func lazyPattern(source string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp {
		if source == "" {
			return nil
		}
		return regexp.MustCompile(source)
	})
}
