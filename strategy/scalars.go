package strategy

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"assay/review"
)

// text is a text of at most max bytes, which ok accepts.
type text struct {
	what string
	max  int
	// form is a pattern that the text must have, and form's words in hint.
	form *regexp.Regexp
	hint string
	// ok says why the text is refused; may be nil. It has reported it itself
	// when it returns false.
	ok func(r *reader, n node, where, s string) bool
	// raw takes numbers and booleans as they are written, too.
	raw bool
}

func (t text) read(r *reader, v value, where string, dst *string) {
	s, ok := t.of(r, v.top(), where)
	switch {
	case !ok:
	case len(s) > t.max:
		r.report(v.top(), "%s is longer than %d bytes", where, t.max)
	case t.form != nil && !t.form.MatchString(s):
		r.report(v.top(), "%s: %s is not %s: %s", where, quote(s), t.what, t.hint)
	case strings.TrimSpace(s) == "":
		r.report(v.top(), "%s is empty: write %s, or remove it", where, t.what)
	case t.ok != nil && !t.ok(r, v.top(), where, s):
	default:
		*dst = strings.TrimSpace(s)
	}
}

func (t text) of(r *reader, n node, where string) (string, bool) {
	if t.raw {
		switch n.resolve().(type) {
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			return strings.TrimSpace(n.resolve().GetToken().Value), true
		}
	}
	return r.text(n, where)
}

func (t text) show(s string) string { return s }

func (t text) describe() description {
	s := schema{"type": "string", "maxLength": t.max, "minLength": 1}
	if t.form != nil {
		s["pattern"] = t.form.String()
	}
	if t.raw {
		s["type"] = []any{"string", "number", "boolean"}
	}
	return description{what: t.what, bound: fmt.Sprintf("at most %d bytes", t.max), schema: s}
}

// word is one of a closed set.
type word[S ~string] struct{ allowed []S }

func (w word[S]) read(r *reader, v value, where string, dst *S) {
	if s, ok := r.oneOf(v.top(), where, texts(w.allowed)...); ok {
		*dst = S(s)
	}
}

func (w word[S]) show(s S) string { return string(s) }

func (w word[S]) describe() description {
	return description{what: "`" + strings.Join(texts(w.allowed), "`, `") + "`", schema: schema{"enum": anys(texts(w.allowed))}}
}

func texts[S ~string](words []S) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return all
}

func anys[V any](list []V) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

// toggle is true or false; not says that the value kept is the opposite of the
// one written, and trueWord and falseWord are its words where it has others.
type toggle struct{ not bool }

func (t toggle) read(r *reader, v value, where string, dst *bool) {
	if b, ok := v.top().resolve().(*ast.BoolNode); ok {
		*dst = b.Value != t.not
		return
	}
	r.wrongType(v.top(), where, "true or false")
}

func (t toggle) show(b bool) string { return strconv.FormatBool(b != t.not) }

func (toggle) describe() description {
	return description{what: "`true` or `false`", schema: schema{"type": "boolean"}}
}

// either is one of two words, the second of which is true.
type either [2]string

func (e either) read(r *reader, v value, where string, dst *bool) {
	if s, ok := r.oneOf(v.top(), where, e[0], e[1]); ok {
		*dst = s == e[1]
	}
}

func (e either) show(b bool) string {
	if b {
		return e[1]
	}
	return e[0]
}

func (e either) describe() description {
	return description{what: "`" + e[0] + "` or `" + e[1] + "`", schema: schema{"enum": []any{e[0], e[1]}}}
}

// whole is a whole number.
type whole struct{ least, most int }

func (w whole) read(r *reader, v value, where string, dst *int) {
	i, ok := v.top().resolve().(*ast.IntegerNode)
	if !ok {
		r.wrongType(v.top(), where, "a whole number")
		return
	}
	n, err := strconv.Atoi(fmt.Sprint(i.Value))
	if err != nil || n < w.least || n > w.most {
		r.report(v.top(), "%s: %v is out of bounds: write %d to %d", where, i.Value, w.least, w.most)
		return
	}
	*dst = n
}

func (whole) show(n int) string { return strconv.Itoa(n) }

func (w whole) describe() description {
	return description{
		what: "a whole number", bound: fmt.Sprintf("%d to %d", w.least, w.most),
		schema: schema{"type": "integer", "minimum": w.least, "maximum": w.most},
	}
}

// optional is a whole number that is not shown while it is 0.
type optional struct{ whole }

func (o optional) show(n int) string {
	if n == 0 {
		return ""
	}
	return o.whole.show(n)
}

// number is a number of money or of the like.
type number struct{ most float64 }

func (m number) read(r *reader, v value, where string, dst *float64) {
	var n float64
	switch at := v.top().resolve().(type) {
	case *ast.IntegerNode:
		n, _ = strconv.ParseFloat(fmt.Sprint(at.Value), 64)
	case *ast.FloatNode:
		n = at.Value
	default:
		r.wrongType(v.top(), where, "a number")
		return
	}
	if math.IsNaN(n) || n < 0 || n > m.most {
		r.report(v.top(), "%s: %v is out of bounds: write 0 to %v", where, n, m.most)
		return
	}
	*dst = n
}

func (number) show(n float64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

func (m number) describe() description {
	return description{
		what: "a number", bound: fmt.Sprintf("0 to %v", m.most),
		schema: schema{"type": "number", "minimum": 0, "maximum": m.most},
	}
}

// span is a duration.
type span struct{ least, most time.Duration }

func (s span) read(r *reader, v value, where string, dst *time.Duration) {
	if d, ok := r.duration(v.top(), where, s.least, s.most); ok {
		*dst = d
	}
}

func (span) show(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return short(d)
}

func (s span) describe() description {
	return description{
		what: "a duration", bound: short(s.least) + " to " + short(s.most),
		schema: schema{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`},
	}
}

// severity is a severity, or a word for none.
type severity struct{ none string }

func (s severity) allowed() []string {
	var allowed []string
	for _, severity := range review.Severities() {
		allowed = append(allowed, severity.String())
	}
	if s.none != "" {
		allowed = append(allowed, s.none)
	}
	return allowed
}

func (s severity) read(r *reader, v value, where string, dst *review.Severity) {
	name, ok := r.oneOf(v.top(), where, s.allowed()...)
	if !ok {
		return
	}
	if name == s.none {
		*dst = review.SeverityNone
		return
	}
	parsed, err := review.ParseSeverity(name)
	if err != nil {
		r.report(v.top(), "%s: %v", where, err)
		return
	}
	*dst = parsed
}

func (s severity) show(v review.Severity) string {
	if v == review.SeverityNone {
		return s.none
	}
	return v.String()
}

func (s severity) describe() description {
	return description{what: "`" + strings.Join(s.allowed(), "`, `") + "`", schema: schema{"enum": anys(s.allowed())}}
}

func (r *reader) duration(n node, where string, least, most time.Duration) (time.Duration, bool) {
	if i, number := n.resolve().(*ast.IntegerNode); number {
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
