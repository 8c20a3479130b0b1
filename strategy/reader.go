package strategy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"assay/review"
)

// reader turns YAML nodes into typed values and collects what is wrong with
// them. A method that has nothing good to return has reported why.
type reader struct {
	known Vocabulary
	// config is what is being read; shapes may look at what they depend on.
	config *Config
	// locks are the keys that the operator alone may give.
	locks []string
	// compiled are the conditions seen, so that aliases of one cost nothing.
	compiled map[string]*Condition
	origins  map[string]Origin
	problems []review.Problem
	// more says that there were problems after the first maxProblems.
	more bool
}

// list reads a list of at most limit entries, which must not be empty.
func (r *reader) list(n node, where string, limit int, each func(node)) bool {
	s, ok := n.resolve().(*ast.SequenceNode)
	switch {
	case !ok:
		r.wrongType(n, where, "a list ([a, b])")
	case len(s.Values) == 0:
		r.report(n, "%s is empty: list at least one, or remove the key", where)
	case len(s.Values) > limit:
		r.report(n, "%s has %d entries, the limit is %d", where, len(s.Values), limit)
	default:
		for _, v := range s.Values {
			each(n.with(v))
		}
		return true
	}
	return false
}

func (r *reader) text(n node, where string) (string, bool) {
	switch s := n.resolve().(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	}
	r.wrongType(n, where, "text")
	return "", false
}

// oneOf reads a string that is one of allowed.
func (r *reader) oneOf(n node, where string, allowed ...string) (string, bool) {
	s, ok := r.text(n, where)
	if ok && !slices.Contains(allowed, s) {
		r.unknown(n, where+": unknown value "+quote(s), s, allowed)
		return "", false
	}
	return s, ok
}

func (r *reader) wrongType(n node, where, want string) {
	switch n.resolve().(type) {
	case nil:
		r.report(n, "%s refers to an anchor that does not exist: write the value out", orFile(where))
	case *ast.NullNode:
		r.report(n, "%s has no value: write %s, or remove the key", orFile(where), want)
	case *ast.TagNode:
		r.report(n, "%s: tags (!…) are not supported: write %s without one", orFile(where), want)
	default:
		r.report(n, "%s must be %s", orFile(where), want)
	}
}

// unknown reports a word that is not in a closed set.
func (r *reader) unknown(n node, what, word string, allowed []string) {
	if r.full() {
		return
	}
	hint := ""
	if s := suggest(word, allowed); s != "" {
		hint = fmt.Sprintf("did you mean %q? ", s)
	}
	r.report(n, "%s: %sallowed: %s", what, hint, strings.Join(allowed, ", "))
}

func (r *reader) report(n node, format string, args ...any) {
	line, column := place(n.GetToken())
	r.at(n.source, line, column, format, args...)
}

// place is where a token stands, both from 1.
func place(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 1, 1
	}
	column = t.Position.Column
	if t.Type == token.ImplicitNullType {
		column -= 2 // where go-yaml puts a value that is not there: back to the colon
	}
	return max(1, t.Position.Line), max(1, column)
}

func (r *reader) at(s *source, line, column int, format string, args ...any) {
	if r.full() {
		return
	}
	r.problems = append(r.problems, review.Problem{Layer: s.layer.elsewhere(), Path: s.path, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

// notice tells of something that is valid but does less than it seems to.
func (r *reader) notice(at Origin, format string, args ...any) {
	if len(r.config.Notices) < maxProblems {
		r.config.Notices = append(r.config.Notices, at.problem(fmt.Sprintf(format, args...)))
	}
}

// sorted is the problems in the order of the file.
func (r *reader) sorted() []review.Problem {
	slices.SortStableFunc(r.problems, func(a, b review.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if r.more {
		r.problems[len(r.problems)-1].Message += " (there are more problems after these)"
	}
	return r.problems
}

// full reports whether as many problems are known as will be told. Nothing
// more is read then, which also bounds what aliases can make of a long value.
func (r *reader) full() bool {
	if len(r.problems) < maxProblems {
		return false
	}
	r.more = true
	return true
}

func join(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}

func orFile(where string) string {
	if where == "" {
		return "the file"
	}
	return where
}

// quote shows a stranger's text on one line and not at length.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

// short is 10m where time.Duration says 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
