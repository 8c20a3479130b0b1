package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func parserOf(t testing.TB, format string) func([]byte) ([]problem, error) {
	t.Helper()
	given := map[string]string{"command": "c", "format": format}
	if format == "errorformat" {
		given["errorformat"] = "%f:%l:%c: %t%*[a-z]: %m\n%f:%l: %m"
	}
	o, err := readOptions(given)
	if err != nil {
		t.Fatal(err)
	}
	return o.parse
}

var formats = []string{"sarif", "rdjson", "rdjsonl", "checkstyle", "junit", "diff", "errorformat"}

func TestFormats(t *testing.T) {
	for _, tt := range []struct {
		format, out string
		want        []problem
	}{
		{"errorformat", "a.go:3:1: error: bad\nnoise\nb.go:7: other\n", []problem{
			{path: "a.go", start: 3, message: "bad", severity: review.High}, {path: "b.go", start: 7, message: "other"},
		}},
		{"sarif", `{"version":"2.1.0","runs":[{"tool":{"driver":{"rules":[{"id":"R1","helpUri":"https://x.example/r1","defaultConfiguration":{"level":"note"}}]}},"results":[
			{"ruleIndex":0,"message":{"text":"m"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a%20b.go"},"region":{"startLine":2,"endLine":4}}}]},
			{"ruleId":"R2","message":{"text":"n"}},{"kind":"pass","message":{"text":"fine"}},{"message":{"text":"s"},"suppressions":[{"kind":"inSource"}]}]}]}`, []problem{
			{path: "a b.go", start: 2, end: 4, rule: "R1", message: "m", severity: review.Low, url: "https://x.example/r1"},
			{rule: "R2", message: "n", severity: review.Medium},
		}},
		{"rdjson", `{"source":{"name":"x"},"diagnostics":[{"message":"m","severity":"WARNING","code":{"value":"C","url":"https://x.example"},"location":{"path":"a.go","range":{"start":{"line":1,"column":2},"end":{"line":1,"column":4}}},"suggestions":[{"range":{"start":{"line":1,"column":2},"end":{"line":1,"column":4}},"text":"xy"}]}]}`, []problem{
			{path: "a.go", start: 1, end: 1, rule: "C", message: "m", severity: review.Medium, url: "https://x.example", edit: &edit{1, 2, 1, 4, "xy"}},
		}},
		{"rdjsonl", "{\"message\":\"m\",\"severity\":1,\"location\":{\"path\":\"a\"}}\n\n", []problem{{path: "a", message: "m", severity: review.High}}},
		{"rdjsonl", "", []problem{}},
		{"checkstyle", `<?xml version="1.0"?><checkstyle><file name="a.js"><error line="4" severity="info" message="m &amp; n" source="no-x"/></file></checkstyle>`, []problem{
			{path: "a.js", start: 4, rule: "no-x", message: "m & n", severity: review.Info},
		}},
		{"junit", `<testsuites><testsuite><testcase name="T" file="a.py" line="9"><failure message="boom"/></testcase><testcase name="U"><error message="x at b_test.go:12: no"/></testcase><testcase name="V"/></testsuite></testsuites>`, []problem{
			{path: "a.py", start: 9, rule: "failure", message: "T: boom"}, {path: "b_test.go", start: 12, rule: "failure", message: "U: x at b_test.go:12: no"},
		}},
		{"diff", "diff -u a.go.orig a.go\n--- a.go.orig\t2026\n+++ a.go\t2026\n@@ -1,4 +1,4 @@\n a\n-b\n-c\n+B\n d\n+e\n", []problem{
			{path: "a.go", start: 2, end: 3, rule: "format", message: "The command proposes another text for these lines.", edit: &edit{startLine: 2, endLine: 3, text: "B"}},
			{path: "a.go", start: 4, end: 4, rule: "format", message: "The command proposes another text for these lines.", edit: &edit{startLine: 4, endLine: 4, text: "d\ne"}},
		}},
	} {
		got, err := parserOf(t, tt.format)([]byte(tt.out))
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
		}
		if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(problem{}, edit{})); d != "" {
			t.Errorf("%s: %s", tt.format, d)
		}
	}
}

// TestUnreadable holds that output which does not read is an error, never a
// clean change.
func TestUnreadable(t *testing.T) {
	for format, outs := range map[string][]string{
		"sarif":       {"", "x", "null", "{}", `{"version":"2.1.0"}`, `{"version":"2.1.0","runs":[]}`, `{"version":"2.1.0","runs":[{}]}`, `{"version":"2.1.0","runs":[{"results":[],"invocations":[{"executionSuccessful":false}]}]}`, `{"version":"1.0.0","runs":[{"results":[]}]}`, `{"version":"2.1.0","runs":[{"results":[]}]} trailing`},
		"rdjson":      {"", "[]", "{}", `{"diagnostics":[{}]}`, `{"diagnostics":1}`},
		"rdjsonl":     {"panic: x", "{}"},
		"checkstyle":  {"", "x", "<html/>", "<checkstyle><file>", "<checkstyle><error/></checkstyle>", strings.Repeat("<checkstyle>", 200)},
		"junit":       {"", "<checkstyle/>", "<testsuite>"},
		"diff":        {"panic: x", "@@ -1 +1 @@\n-a\n+b\n", "--- a\n+++ a\n@@ -1,3 +1 @@\n-a\n", "--- a\n+++ a\n@@ x @@\n"},
		"errorformat": {strings.Repeat("x", 1<<17)},
	} {
		for _, out := range outs {
			if got, err := parserOf(t, format)([]byte(out)); err == nil {
				t.Errorf("%s: %.60q was read: %+v", format, out, got)
			}
		}
	}
}

func TestRuleName(t *testing.T) {
	for in, want := range map[string]string{
		"SA1000": "sa1000", "@typescript-eslint/no-x": "typescript-eslint-no-x", "": "problem", "../..": "problem", "é": "problem", "a b\nc": "a-b-c",
		strings.Repeat("x", 500): strings.Repeat("x", 60),
	} {
		if got := ruleName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestInRepository(t *testing.T) {
	for in, want := range map[string]string{
		"a.go": "a.go", "./a/b.go": "a/b.go", "/w/d/a.go": "a.go", "file:///w/d/x/a.go": "x/a.go", `x\a.go`: "x/a.go",
		"../a.go": "", "/etc/passwd": "", "": "", "a/../../b": "", "..": "",
	} {
		if got := inRepository(in, "/w/d"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestEdit(t *testing.T) {
	lines := []string{"abc", "def", "ghi"}
	for _, tt := range []struct {
		edit edit
		want string
		ok   bool
	}{
		{edit{1, 2, 1, 3, "XX"}, "aXXc", true}, {edit{1, 2, 2, 2, "-"}, "a-ef", true}, {edit{2, 0, 3, 0, "x\n"}, "x", true},
		{edit{1, 4, 1, 4, "!"}, "abc!", true}, {edit{1, 9, 1, 9, "x"}, "", false}, {edit{4, 0, 4, 0, "x"}, "", false}, {edit{0, 0, 1, 0, "x"}, "", false}, {edit{1, 3, 1, 2, "x"}, "", false}, {edit{1, -1, 1, 2, "x"}, "", false},
	} {
		if _, _, got, ok := tt.edit.whole(lines); got != tt.want || ok != tt.ok {
			t.Errorf("%+v: %q %v", tt.edit, got, ok)
		}
	}
}

func TestOptions(t *testing.T) {
	good := func() map[string]string { return map[string]string{"command": "c", "format": "sarif"} }
	for name, values := range map[string][]string{
		"command": {""}, "format": {"", "xml"}, "errorformat": {"%f"}, "exit_codes": {"x", "256", "-1"}, "output": {"file"}, "paths": {"["}, "severity": {"bad", "none"}, "category": {"x"}, "shell": {"rm"},
	} {
		for _, v := range values {
			given := good()
			given[name] = v
			if _, err := readOptions(given); err == nil || !strings.HasPrefix(err.Error(), name+":") {
				t.Errorf("%s: %q: %v", name, v, err)
			}
		}
	}
	if _, err := readOptions(good()); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("--- a/x\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n"))
	f.Add([]byte(`{"version":"2.1.0","diagnostics":[{"location":{"path":"x"}}],"runs":[{"results":[{"ruleIndex":-1,"locations":[{}]}]}]}`))
	f.Add([]byte(`<checkstyle><file name="x"><error line="-1"/></file></checkstyle>`))
	f.Add([]byte(`<testsuite><testcase><failure message="a.b:1"/></testcase></testsuite>`))
	f.Add([]byte("a.go:1:2: error: x\n"))
	change := &review.Change{Files: []review.File{{Path: "x", Status: review.Added, Hunks: []review.Hunk{{NewStart: 1, NewLines: 1, Lines: []review.Line{{Op: review.Add, New: 1, Text: "a"}}}}}}}
	var parsers []func([]byte) ([]problem, error)
	for _, format := range formats {
		parsers = append(parsers, parserOf(f, format))
	}
	agent := &Agent{name: "mine", options: options{severity: review.Low}}
	f.Fuzz(func(t *testing.T, out []byte) {
		for _, parse := range parsers {
			problems, err := parse(out)
			if err != nil {
				continue
			}
			found, _ := agent.findings(t.Context(), change, problems, "/w")
			for _, f := range found {
				if f.Path != "x" || f.StartLine > 1 || !strings.HasPrefix(f.Rule, "mine/") || f.Message == "" || f.Severity == review.SeverityNone {
					t.Fatalf("%+v", f)
				}
			}
		}
	})
}
