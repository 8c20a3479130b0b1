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
// them. Its methods take the node and where it stands ("pipelines.review.on");
// a method that has nothing good to return has reported why.
type reader struct {
	path     string
	known    Vocabulary
	anchors  map[string]ast.Node
	problems []review.Problem
	// more says that there were problems after the first maxProblems.
	more bool
}

// key is a key that a mapping may have, and what reads its value.
type key struct {
	name string
	read func(ast.Node)
}

// pair is an entry of a mapping; at is the key's node.
type pair struct {
	name  string
	at    ast.Node
	value ast.Node
}

// mapping reads a mapping of the given keys and no other. ok says that it is a
// mapping whose keys are unique.
func (r *reader) mapping(n ast.Node, where string, keys ...key) (ok bool) {
	pairs, ok := r.pairs(n, where)
	for _, p := range pairs {
		i := slices.IndexFunc(keys, func(k key) bool { return k.name == p.name })
		if i < 0 {
			r.unknown(p.at, "unknown key "+quote(join(where, p.name)), p.name, namesOf(keys))
			continue
		}
		keys[i].read(p.value)
	}
	return ok
}

// pairs reads a mapping whose keys are free but unique; ok says that all of
// them are.
func (r *reader) pairs(n ast.Node, where string) (pairs []pair, ok bool) {
	if r.full() {
		return nil, false
	}
	var values []*ast.MappingValueNode
	switch m := r.resolve(n).(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		r.wrongType(n, where, "a mapping (key: value)")
		return nil, false
	}
	ok = true
	first := make(map[string]ast.Node, len(values))
	for _, v := range values {
		name, isText := v.Key.(*ast.StringNode)
		if !isText {
			r.badKey(v.Key, where)
			ok = false
			continue
		}
		if f, twice := first[name.Value]; twice {
			r.report(v.Key, "%s is given twice, first on line %d: keep one", join(where, name.Value), f.GetToken().Position.Line)
			ok = false
			continue
		}
		first[name.Value] = v.Key
		pairs = append(pairs, pair{name: name.Value, at: v.Key, value: v.Value})
	}
	return pairs, ok
}

func (r *reader) badKey(n ast.Node, where string) {
	if _, merge := n.(*ast.MergeKeyNode); merge {
		r.report(n, "%s: merge keys (<<) are not supported: write the keys out, or use the whole value as *alias", orFile(where))
		return
	}
	r.report(n, "%s: a key must be a plain word; quote it if it is one", orFile(where))
}

// list reads a list of at most limit entries, which must not be empty.
func (r *reader) list(n ast.Node, where string, limit int, each func(ast.Node)) bool {
	s, ok := r.resolve(n).(*ast.SequenceNode)
	switch {
	case !ok:
		r.wrongType(n, where, "a list ([a, b])")
	case len(s.Values) == 0:
		r.report(n, "%s is empty: list at least one, or remove the key", where)
	case len(s.Values) > limit:
		r.report(n, "%s has %d entries, the limit is %d", where, len(s.Values), limit)
	default:
		for _, v := range s.Values {
			each(v)
		}
		return true
	}
	return false
}

// names reads a list of different strings, each of which check accepts.
func (r *reader) names(n ast.Node, where string, limit int, check func(ast.Node, string) bool) []string {
	var names []string
	r.list(n, where, limit, func(item ast.Node) {
		name, ok := r.text(item, where)
		switch {
		case !ok:
		case slices.Contains(names, name):
			r.report(item, "%s lists %s twice: keep one", where, quote(name))
		case check(item, name):
			names = append(names, name)
		}
	})
	return names
}

func (r *reader) text(n ast.Node, where string) (string, bool) {
	switch s := r.resolve(n).(type) {
	case *ast.StringNode:
		return s.Value, true
	case *ast.LiteralNode:
		return s.Value.Value, true
	}
	r.wrongType(n, where, "text")
	return "", false
}

// oneOf reads a string that is one of allowed.
func (r *reader) oneOf(n ast.Node, where string, allowed ...string) (string, bool) {
	s, ok := r.text(n, where)
	if ok && !slices.Contains(allowed, s) {
		r.unknown(n, where+": unknown value "+quote(s), s, allowed)
		return "", false
	}
	return s, ok
}

func (r *reader) boolean(n ast.Node, where string) (value, ok bool) {
	if b, isBool := r.resolve(n).(*ast.BoolNode); isBool {
		return b.Value, true
	}
	r.wrongType(n, where, "true or false")
	return false, false
}

func (r *reader) duration(n ast.Node, where string, least, most time.Duration) (time.Duration, bool) {
	if i, number := r.resolve(n).(*ast.IntegerNode); number {
		r.report(n, "%s needs a unit: write %vs, %vm or %vh", where, i.Value, i.Value, i.Value)
		return 0, false
	}
	s, ok := r.text(n, where)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		r.report(n, "%s: %s is not a duration: write a number and a unit, as 90s, 10m or 1h", where, quote(s))
	case d < least || d > most:
		r.report(n, "%s: %s is out of bounds: write %s to %s", where, quote(s), short(least), short(most))
	default:
		return d, true
	}
	return 0, false
}

// resolve follows anchors and aliases to the value they stand for. Only the
// shapes above are ever descended into, so aliases cannot multiply without end.
func (r *reader) resolve(n ast.Node) ast.Node {
	// go-yaml refuses an anchor on an alias, so there are no circles today; the
	// bound keeps it so should that change.
	for range maxDepth {
		switch v := n.(type) {
		case *ast.AnchorNode:
			n = v.Value
		case *ast.AliasNode:
			n = r.anchors[v.Value.GetToken().Value]
		default:
			return n
		}
	}
	return nil
}

func (r *reader) wrongType(n ast.Node, where, want string) {
	switch r.resolve(n).(type) {
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
func (r *reader) unknown(n ast.Node, what, word string, allowed []string) {
	if r.full() {
		return
	}
	hint := ""
	if s := suggest(word, allowed); s != "" {
		hint = fmt.Sprintf("did you mean %q? ", s)
	}
	r.report(n, "%s: %sallowed: %s", what, hint, strings.Join(allowed, ", "))
}

func (r *reader) report(n ast.Node, format string, args ...any) {
	r.atToken(n.GetToken(), format, args...)
}

func (r *reader) atToken(t *token.Token, format string, args ...any) {
	if t == nil || t.Position == nil {
		r.at(1, 1, format, args...)
		return
	}
	column := t.Position.Column
	if t.Type == token.ImplicitNullType {
		column -= 2 // where go-yaml puts a value that is not there: back to the colon
	}
	r.at(max(1, t.Position.Line), max(1, column), format, args...)
}

func (r *reader) at(line, column int, format string, args ...any) {
	if r.full() {
		return
	}
	r.problems = append(r.problems, review.Problem{Path: r.path, Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
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

func namesOf(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
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
