package hygiene

import (
	"path"
	"regexp"
	"strings"

	"assay/agents"
	"assay/review"
)

const (
	ruleFocused = Name + "/focused-test"
	ruleSkipped = Name + "/skipped-test"
)

func focusedRules() []agents.Rule {
	return []agents.Rule{
		{
			ID: ruleFocused, Severity: review.Medium, Category: review.Correctness,
			What: "A test is focused: only it runs.", Why: "All other tests are skipped without a word, and the build is green.",
			Fix: "Take the focus off before merging.", Example: "bad:\nit.only(\"adds\", () => …)   fdescribe(\"sum\", …)   FIt(\"adds\", …)\ngood:\nit(\"adds\", () => …)",
		},
		{
			ID: ruleSkipped, Severity: review.Low, Category: review.Maintainability, Profile: review.ProfileStandard,
			What: "A test is skipped without a reason.", Why: "Nobody knows later whether it may be run again, and so nobody does.",
			Fix: "Say why, with a link to the issue, or remove the test.", Example: "bad:\nt.Skip()\n@pytest.mark.skip\ngood:\nt.Skip(\"needs a database: #123\")\n@pytest.mark.skip(reason=\"flaky: #123\")",
			Silence: "Give a reason, as an argument or in a comment on the line or the one above.",
		},
	}
}

// testMarks are how tests are focused and skipped in a language. In focus, what
// the group "cut" matches is what the focus consists of.
type testMarks struct{ focus, skip *regexp.Regexp }

var (
	jsMarks = testMarks{
		regexp.MustCompile(`(?:^|[\s;({])(?:(?:describe|context|suite|test|it|specify|bench|fixture)(?:\.\w+){0,3}?(?P<cut>\.only)\s*[(.\x60]|(?P<cut>f)(?:describe|it|context)\s*\(\s*['"\x60])`),
		regexp.MustCompile(`(?:^|[\s;({])(?:(?:describe|context|suite|test|it|specify)(?:\.\w+){0,3}?\.skip|x(?:describe|it|context|test))\s*\(\s*['"\x60]`),
	}
	goMarks = testMarks{
		regexp.MustCompile(`^\s*(?:var\s+_\s*=\s*)?(?P<cut>F)(?:Describe|DescribeTable|DescribeSubtree|Context|When|It|Specify|Entry)\(`),
		regexp.MustCompile(`^\s*[tbf]\.(?:Skip\(\s*\)|SkipNow\(\s*\))`),
	}
	rubyMarks = testMarks{
		regexp.MustCompile(`^\s*(?:RSpec\.)?(?P<cut>f)(?:it|describe|context|example|specify|feature|scenario)\b\s*\(?\s*['"]|(?P<cut>,\s*(?::focus\b(?:\s*=>\s*true)?|focus:\s*true\b))`),
		regexp.MustCompile(`^\s*(?:x(?:it|describe|context|example|specify)\b\s*\(?\s*['"]|(?:skip|pending)\s*$)`),
	}
	pythonMarks = testMarks{nil, regexp.MustCompile(`^\s*(?:@pytest\.mark\.skip\s*(?:\(\s*\))?|@unittest\.skip\s*(?:\(\s*(?:""|'')?\s*\))?|pytest\.skip\(\s*\))\s*$`)}
	javaMarks   = testMarks{nil, regexp.MustCompile(`^\s*@(?:Ignore|Disabled)\s*(?:\(\s*\))?\s*$`)}
	csharpMarks = testMarks{nil, regexp.MustCompile(`^\s*\[(?:Ignore|Fact\(Skip\s*=\s*""\))\]\s*$`)}
	rustMarks   = testMarks{nil, regexp.MustCompile(`^\s*#\[ignore\]\s*$`)}
)

// marksOf is how tests are marked in the file; both are nil where it holds none.
func marksOf(p string) testMarks {
	ext := strings.ToLower(path.Ext(p))
	switch ext {
	case ".rs":
		return rustMarks // tests stand beside the code
	case ".go":
		if strings.HasSuffix(p, "_test.go") {
			return goMarks
		}
		return testMarks{}
	}
	// The tests of linters are full of code that is wrong on purpose.
	if !agents.TestPath(p) || strings.Contains(p, "lint") {
		return testMarks{}
	}
	switch ext {
	case ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts":
		return jsMarks
	case ".rb":
		return rubyMarks
	case ".py":
		return pythonMarks
	case ".java", ".kt", ".scala", ".groovy":
		return javaMarks
	case ".cs":
		return csharpMarks
	}
	return testMarks{}
}

// focused finds tests that are focused, or skipped without a reason.
func (a *Agent) focused(f review.File) []review.Finding {
	marks := marksOf(f.Path)
	if marks.focus == nil && marks.skip == nil {
		return nil
	}
	var found []review.Finding
	moved := movedLines(f)
	for _, h := range f.Hunks {
		above := ""
		for _, l := range h.Lines {
			if l.Op == review.Delete {
				continue
			}
			if l.Op == review.Add && len(l.Text) <= maxFixLine && !moved.has(l.Text) {
				if c, ok := a.mark(f.Path, marks, l, above); ok {
					found = append(found, c)
				}
			}
			above = l.Text
		}
	}
	return found[:min(len(found), maxLines)]
}

func (a *Agent) mark(p string, marks testMarks, l review.Line, above string) (review.Finding, bool) {
	code, comment := splitComment(p, l.Text)
	make := func(rule, message string) (review.Finding, bool) {
		c := a.finding(rule, p, message)
		c.StartLine, c.EndLine, c.Evidence = l.New, l.New, clip(strings.TrimSpace(l.Text))
		return c, true
	}
	if marks.focus != nil {
		if m := marks.focus.FindStringSubmatchIndex(code); m != nil && !quotedAt(code, m[0]) {
			c, _ := make(ruleFocused, "This test is focused, so that no other runs: take the focus off.")
			c.Fix = &review.Fix{Replacement: unfocused(marks.focus, l.Text, m)}
			return c, true
		}
	}
	if m := marks.skip.FindStringIndex(code); m != nil && !quotedAt(code, m[0]) {
		if _, before := splitComment(p, above); strings.TrimSpace(comment) == "" && before == "" {
			return make(ruleSkipped, "This test is skipped without a reason: say why, with a link to the issue, or remove it.")
		}
	}
	return review.Finding{}, false
}

// unfocused is the line without the part that the group "cut" matched.
func unfocused(re *regexp.Regexp, text string, m []int) string {
	for i, name := range re.SubexpNames() {
		if name == "cut" && m[2*i] >= 0 {
			return text[:m[2*i]] + text[m[2*i+1]:]
		}
	}
	return text
}
