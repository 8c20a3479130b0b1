package strategy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"assay/internal/expr"
	"assay/review"
)

// rulesShape is the team's own rules.
func rulesShape() records[review.TeamRule] {
	return records[review.TeamRule]{
		limit: maxRules,
		id:    func(t review.TeamRule) string { return t.ID },
		line:  func(t review.TeamRule) string { return fmt.Sprintf("%s (%s): %s", t.ID, t.Severity, t.Message) },
		item: object[review.TeamRule]{
			rows: func() []row[review.TeamRule] {
				type rule = review.TeamRule
				return []row[rule]{
					field("id", text{what: "a name", max: maxName, form: ruleForm, hint: "use lower-case letters, digits, - and _"}, func(t *rule) *string { return &t.ID }, "Its name; findings have `rules/<id>`.").must().eg("migrations-need-dba"),
					field("when", ruleCondition{}, func(t *rule) *string { return &t.When }, "A condition on the change. Alone the rule speaks of the pull request; with `paths` or `added` it decides whether those count.").eg(`files.exists(f, f.path.startsWith("db/migrations/"))`),
					field("added", pattern{}, func(t *rule) *string { return &t.Added }, "A regular expression (RE2); the rule speaks of each added line that matches, of 50 at most.").eg(`\bprint\(`),
					field("paths", globs, func(t *rule) *[]string { return &t.Paths }, "The files that it is about; all, when left out. Without `added` the rule speaks of each of them that changed.").eg(`["src/**"]`),
					field("severity", severity{}, func(t *rule) *review.Severity { return &t.Severity }, "How much it matters.").must().eg("high"),
					field("message", text{what: "words", max: 1000}, func(t *rule) *string { return &t.Message }, "What is wrong, and what to do. With `added`, `$1` or `$name` is what a group of the expression matched, and `$$` a dollar sign.").must().eg("A migration needs the review of a DBA."),
					field("fix", text{what: "words", max: 1000}, func(t *rule) *string { return &t.Fix }, "What to do about it; it stands after the message."),
					field("help_url", text{what: "a URL", max: 500, form: urlForm, hint: "begin with https://"}, func(t *rule) *string { return &t.HelpURL }, "Where more is written; https alone."),
				}
			},
			check: func(r *reader, v value, where string, t *review.TeamRule) {
				if !v.gives("when", "added", "paths") {
					r.report(v.top(), "%s says nothing of when it speaks: give it when, added or paths", where)
				}
			},
		},
	}
}

// ruleCondition is a condition that is kept as text: the agent compiles it.
type ruleCondition struct{}

func (ruleCondition) read(r *reader, v value, where string, dst *string) {
	if c := r.condition(v.top(), where); c != nil {
		*dst = c.Text
	}
}

func (ruleCondition) show(s string) string  { return s }
func (ruleCondition) describe() description { return describeCondition() }

func describeCondition() description {
	return description{
		what: "a [condition](#conditions)", bound: fmt.Sprintf("at most %d bytes", expr.MaxBytes),
		schema: schema{"type": "string", "maxLength": expr.MaxBytes, "minLength": 1},
	}
}

// when is a condition, compiled.
type when struct{}

func (when) read(r *reader, v value, where string, dst **Condition) {
	if c := r.condition(v.top(), where); c != nil {
		*dst = c
	}
}

func (when) show(c *Condition) string {
	if c == nil {
		return ""
	}
	return c.Text
}

func (when) describe() description { return describeCondition() }

// condition compiles a condition; nil when it cannot be used.
func (r *reader) condition(n node, where string) *Condition {
	source, ok := r.text(n, where)
	if !ok || r.full() {
		return nil
	}
	if known, ok := r.compiled[source]; ok && known != nil {
		return &Condition{Text: known.Text, Origin: n.origin(), program: known.program}
	}
	program, err := expr.Compile(source)
	if err != nil {
		r.badCondition(n, where, err)
		return nil
	}
	c := &Condition{Text: strings.TrimSpace(source), Origin: n.origin(), program: program}
	r.compiled[source] = c
	return c
}

// badCondition puts a mistake inside a condition on its place in the file.
func (r *reader) badCondition(n node, where string, err error) {
	e, ok := errors.AsType[*expr.Error](err)
	if !ok {
		r.report(n, "%s: %v", where, err)
		return
	}
	line, column := inside(n, e.Line, e.Column)
	if e.Unknown == "" {
		r.at(n.source, line, column, "%s: %s", where, e.Message)
		return
	}
	hint := ""
	if s := suggest(e.Unknown, e.Known); s != "" {
		hint = fmt.Sprintf(": did you mean %q?", s)
	}
	r.at(n.source, line, column, "%s: %s%s", where, e.Message, hint)
}

// inside is the place in the file of a place in a text. In quoted texts with
// escapes, and in folded ones, it is near it only.
func inside(n node, line, column int) (int, int) {
	switch at := n.resolve().(type) {
	case *ast.StringNode:
		l, c := place(at.GetToken())
		if line > 1 {
			return l + line - 1, column
		}
		if raw := strings.TrimSpace(at.GetToken().Origin); strings.HasPrefix(raw, `"`) || strings.HasPrefix(raw, "'") {
			c++
		}
		return l, c + column - 1
	case *ast.LiteralNode:
		l, _ := place(at.Start)
		return l + line, column + indentOf(at)
	}
	return place(n.GetToken())
}

// indentOf is how far the lines of a block are indented.
func indentOf(n *ast.LiteralNode) int {
	for line := range strings.Lines(n.Value.GetToken().Origin) {
		if text := strings.TrimLeft(line, " "); strings.TrimSpace(text) != "" {
			return len(line) - len(text)
		}
	}
	return 0
}

// pattern is a regular expression.
type pattern struct{}

const maxPattern = 500

func (pattern) read(r *reader, v value, where string, dst *string) {
	s, ok := r.text(v.top(), where)
	if !ok {
		return
	}
	if len(s) > maxPattern {
		r.report(v.top(), "%s is longer than %d bytes", where, maxPattern)
		return
	}
	if _, err := regexp.Compile(s); err != nil {
		r.report(v.top(), "%s: %v", where, err)
		return
	}
	*dst = s
}

func (pattern) show(s string) string { return s }

func (pattern) describe() description {
	return description{what: "a regular expression", bound: fmt.Sprintf("at most %d bytes", maxPattern), schema: schema{"type": "string", "maxLength": maxPattern}}
}

func suppressShape() records[Suppression] {
	type s = Suppression
	return records[s]{
		limit: maxSuppress,
		line: func(x s) string {
			return fmt.Sprintf("%s%s %s until %s: %s", x.Fingerprint, x.Rule, x.Owner, x.Until, x.Reason)
		},
		item: object[s]{
			rows: func() []row[s] {
				return []row[s]{
					field("fingerprint", text{what: "a finding's ID", max: 16, form: printForm, hint: "it has 16 hexadecimal digits", raw: true}, func(x *s) *string { return &x.Fingerprint }, "The ID of one finding, as reports show it.").eg("3f2a9c0d4e5b6a71"),
					field("rule", text{what: "a rule's ID", max: 200, form: ruleIDForm, hint: "write agent/rule"}, func(x *s) *string { return &x.Rule }, "A rule, in place of one finding.").eg("hygiene/large-file"),
					field("paths", globs, func(x *s) *[]string { return &x.Paths }, "Where the rule does not count.").eg(`["testdata/**"]`),
					field("reason", text{what: "words", max: 500}, func(x *s) *string { return &x.Reason }, "Why it may stay.").must().eg("A key made for tests"),
					field("owner", text{what: "an owner", max: maxName, raw: true}, func(x *s) *string { return &x.Owner }, "Who answers for it.").must().eg(`"@acme/security"`),
					field("until", day{}, func(x *s) *string { return &x.Until }, "The last day on which it holds.").must().eg("2027-01-31"),
				}
			},
			check: func(r *reader, v value, where string, x *s) {
				x.Origin = v.top().origin()
				switch print, rule := v.gives("fingerprint"), v.gives("rule"); {
				case print && v.gives("rule", "paths"):
					r.report(v.top(), "%s has a fingerprint, and a rule or paths: keep one of both", where)
				case !print && !rule:
					r.report(v.top(), "%s says nothing of what it suppresses: give it fingerprint, or rule and paths", where)
				case rule && !v.gives("paths"):
					r.report(v.top(), "%s: the rule needs paths: name the files in which it does not count", where)
				}
			},
		},
	}
}

// day is a date.
type day struct{}

func (day) read(r *reader, v value, where string, dst *string) {
	s, ok := text{raw: true}.of(r, v.top(), where)
	if !ok {
		return
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		r.report(v.top(), "%s: %s is not a day: write it as 2027-01-31", where, quote(s))
		return
	}
	*dst = s
}

func (day) show(s string) string { return s }

func (day) describe() description {
	return description{what: "a day", schema: schema{"type": "string", "format": "date", "pattern": `^\d{4}-\d{2}-\d{2}$`}}
}
