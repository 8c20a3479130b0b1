package hygiene_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/review"
)

// both is review.Contents of both sides.
type both map[review.Side]map[string]string

func (b both) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := b[side][path]
	switch {
	case !ok:
		return nil, review.ErrNotExist
	case text == "too large":
		return nil, review.ErrTooLarge
	case text == "outage":
		return nil, errors.New("502")
	}
	return []byte(text), nil
}

// edited is the file with base turned into head: what base has too is context.
func edited(path, base, head string) review.File {
	f := review.File{Path: path, Status: review.Modified}
	old := strings.Split(base, "\n")
	h := review.Hunk{OldStart: 1, NewStart: 1}
	n, at := 0, 0
	for _, l := range strings.Split(head, "\n") {
		n++
		kept := -1
		for i := at; i < len(old); i++ {
			if old[i] == l {
				kept = i
				break
			}
		}
		if kept < 0 {
			h.Lines = append(h.Lines, review.Line{Op: review.Add, New: n, Text: l})
			continue
		}
		for ; at < kept; at++ {
			h.Lines = append(h.Lines, review.Line{Op: review.Delete, Old: at + 1, Text: old[at]})
		}
		at++
		h.Lines = append(h.Lines, review.Line{Op: review.Context, Old: at, New: n, Text: l})
	}
	for ; at < len(old); at++ {
		h.Lines = append(h.Lines, review.Line{Op: review.Delete, Old: at + 1, Text: old[at]})
	}
	h.OldLines, h.NewLines = len(old), n
	f.Hunks = []review.Hunk{h}
	return f
}

// look runs the agent over one file, given both sides.
func look(t testing.TB, f review.File, base, head string) agents.Result {
	t.Helper()
	contents := both{review.Head: {f.Path: head}, review.Base: {f.Path: base}}
	out, err := agent.Run(t.Context(), agents.Input{Change: &review.Change{Files: []review.File{f}, Contents: contents}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkFix applies the fixes of the findings, each by itself, and holds that
// the rule has nothing more to say of that line.
func checkFix(t *testing.T, path, text string, out agents.Result) {
	t.Helper()
	for _, f := range out.Findings {
		if f.Fix == nil {
			continue
		}
		lines := strings.Split(text, "\n")
		fixed := append([]string{}, lines[:f.StartLine-1]...)
		if f.Fix.Replacement != "" {
			fixed = append(fixed, strings.Split(f.Fix.Replacement, "\n")...)
		}
		fixed = append(fixed, lines[f.EndLine:]...)
		for _, again := range run(t, nil, added(path, fixed...)).Findings {
			if again.Rule == f.Rule && again.StartLine == f.StartLine && again.Evidence == f.Evidence {
				t.Errorf("after the fix %q: %+v", f.Fix.Replacement, again)
			}
		}
	}
}

// TestText holds the checks that look at added lines: what they find, and what
// they leave alone.
func TestText(t *testing.T) {
	tests := []struct {
		name, path, text string
		want             string // findings; empty for none
		fix              string // of the first; "-" for none
	}{
		{"Cyrillic in a name", "a.zig", "if is\u0410dmin {", "homoglyph high a.zig:1-1", "if isAdmin {"},
		{"in an address", "a.py", `url = "https://g` + "\u043e\u043e" + `gle.com"`, "homoglyph high a.py:1-1", `url = "https://google.com"`},
		{"in a comment", "a.zig", "x // \u0430dmin", "homoglyph low a.zig:1-1", "x // admin"},
		{"in a text", "a.md", "the \u0430dmin", "homoglyph low a.md:1-1", "the admin"},
		{"Russian", "a.zig", "// \u0440\u0443\u0441\u0441\u043a\u0438\u0439 text", "", ""},
		{"Russian of look-alikes alone", "a.zig", "// \u043e\u0441\u0430", "", ""},
		{"Greek in a formula", "a.py", "\u03b1x = \u03bb_max * \u0394T + \u03bcs", "", ""},
		{"accents", "a.go2", "caf\u00e9Count", "", ""},

		{"only", "a.test.ts", "  it.only('adds', () => {", "focused-test medium a.test.ts:1-1", "  it('adds', () => {"},
		{"only of each", "a.test.ts", "describe.only.each([1])('x', () => {", "focused-test medium a.test.ts:1-1", "describe.each([1])('x', () => {"},
		{"playwright", "e2e/a.ts", "test.describe.only('adds', () => {", "focused-test medium e2e/a.ts:1-1", "test.describe('adds', () => {"},
		{"fit", "a.spec.js", "fit('adds', () => {", "focused-test medium a.spec.js:1-1", "it('adds', () => {"},
		{"ginkgo", "a_test.go", "\tFIt(\"adds\", func() {", "focused-test medium a_test.go:1-1; go-syntax low a_test.go:1-1", ""},
		{"rspec", "spec/a_spec.rb", "  fit 'adds' do", "focused-test medium spec/a_spec.rb:1-1", "  it 'adds' do"},
		{"rspec by tag", "spec/a_spec.rb", "  it 'adds', focus: true do", "focused-test medium spec/a_spec.rb:1-1", "  it 'adds' do"},
		{"a model is fitted", "model.test.js", "model.fit('x')", "", ""},
		{"only in a string", "a.test.ts", `expect("it.only('x')").toBe(1)`, "", ""},
		{"only in a comment", "a.test.ts", "// it.only('x')", "", ""},
		{"tests of a linter", "eslint-plugin/tests/a.test.ts", "it.only('x', () => {", "", ""},
		{"no test", "src/query.ts", "db.select.only('x')", "", ""},
		{"picks", "a.test.ts", "lodash.only(['a'])", "", ""},

		{"skip", "a.test.ts", "it.skip('adds', () => {", "skipped-test low a.test.ts:1-1", "-"},
		{"skip with a comment", "a.test.ts", "it.skip('adds', () => { // #123", "", ""},
		{"skip with a comment above", "a.test.ts", "// flaky: #123\nit.skip('adds', () => {", "", ""},
		{"conditional skip", "a.test.ts", "test.skip(browser === 'webkit', 'not there')", "", ""},
		{"pytest", "tests/test_a.py", "@pytest.mark.skip\ndef f(): pass", "skipped-test low tests/test_a.py:1-1", "-"},
		{"pytest with a reason", "tests/test_a.py", "@pytest.mark.skip(reason=\"slow\")", "", ""},
		{"unittest", "tests/test_a.py", "@unittest.skip('')", "skipped-test low tests/test_a.py:1-1", "-"},
		{"junit", "src/test/java/ATest.java", "  @Disabled", "skipped-test low src/test/java/ATest.java:1-1", "-"},
		{"junit with a reason", "src/test/java/ATest.java", "  @Disabled(\"#1\")", "", ""},
		{"rust", "src/lib.rs", "    #[ignore]", "skipped-test low src/lib.rs:1-1", "-"},

		{"debugger", "src/a.js", "x();\n  debugger;", "breakpoint medium src/a.js:2-2", ""},
		{"debugger after a condition", "src/a.js", "if (x)\n  debugger;", "breakpoint medium src/a.js:2-2", "-"},
		{"pdb", "app/a.py", "    import pdb; pdb.set_trace()", "breakpoint medium app/a.py:1-1", "-"},
		{"breakpoint", "app/a.py", "    breakpoint()", "breakpoint medium app/a.py:1-1", "-"},
		{"pry", "app/a.rb", "  binding.pry", "breakpoint medium app/a.rb:1-1", ""},
		{"console", "src/a.ts", "  console.log(user);", "debug-output low src/a.ts:1-1", "-"},
		{"dbg", "src/a.rs", "    dbg!(x);", "debug-output low src/a.rs:1-1", "-"},
		{"console in a test", "src/a.test.ts", "  console.log(user);", "", ""},
		{"console of a command", "bin/a.js", "console.log(user);", "", ""},
		{"console in a string", "src/a.ts", `x = "see: console.log(y)"`, "", ""},
		{"console commented out", "src/a.ts", "// console.log(y)", "", ""},
		{"console.error", "src/a.ts", "console.error(y)", "", ""},

		{"misspelt comment", "a.zig", "x // recieve it", "misspelling low a.zig:1-1", "x // receive it"},
		{"misspelt text", "a.md", "# Recieve and seperate it.", "misspelling low a.md:1-1", "# Receive and separate it."},
		{"code is not prose", "a.zig", "recieve(x)", "", ""},
		{"name of the code", "a.zig", "// recieve does x\nfn recieve() {", "", ""},
		{"name in backticks", "a.md", "call `recieve` twice", "", ""},
		{"in a path", "a.md", "see docs/recieve.md and x-recieve and http://recieve.com", "", ""},
		{"a name", "a.md", "the plugin of Infinit is here", "", ""},
		{"in capitals", "a.md", "RECIEVE and reCieve", "", ""},
		{"in code in a text", "a.md", "```\nrecieve it\n```", "", ""},
		{"German", "a.md", "Der Algoritmus hat eine Adress und publically Seite", "", ""},
		{"translation", "docs/de/a.md", "recieve", "", ""},
		{"license", "LICENSE.md", "recieve it", "", ""},
		{"vendored", "vendor/x/a.md", "recieve it", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, nil, added(tt.path, strings.Split(tt.text, "\n")...))
			got := strings.Join(brief(out), "; ")
			want, _, _ := strings.Cut(tt.want, "; go-syntax low") // a snippet of Go does not parse by itself
			if got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
			if want == "" {
				return
			}
			switch f := out.Findings[0]; {
			case tt.fix == "-" && f.Fix != nil:
				t.Errorf("a fix: %q", f.Fix.Replacement)
			case tt.fix != "-" && f.Fix == nil:
				t.Error("no fix")
			case tt.fix != "-" && tt.name != "ginkgo" && f.Fix.Replacement != tt.fix:
				t.Errorf("fix %q, want %q", f.Fix.Replacement, tt.fix)
			}
			checkFix(t, tt.path, tt.text, out)
		})
	}
}

// TestStoodBefore holds that what the change only moves is not spoken of.
func TestStoodBefore(t *testing.T) {
	for path, line := range map[string]string{
		"src/a.ts": "console.log(x)", "src/b.js": "debugger;", "a.test.ts": "it.only('x', () => {", "a.md": "recieve it", "c.zig": "is\u0410dmin",
	} {
		base, head := line+"\nkept", "kept\n  "+line
		if got := brief(look(t, edited(path, base, head), base, head)); len(got) != 0 {
			t.Errorf("%s: moved, and yet %v", path, got)
		}
	}
	base, head := "console.log(1)\nkept", "console.log(1)\nkept\nconsole.log(2)"
	if got := brief(look(t, edited("src/a.ts", base, head), base, head)); len(got) != 0 {
		t.Errorf("the file writes that way, and yet %v", got)
	}
}

func TestSyntax(t *testing.T) {
	tests := []struct{ name, path, bad, good, want string }{
		{"json", "a.json", "{\n  \"a\": 1\n  \"b\": 2\n}", "{\n  \"a\": 1,\n  \"b\": 2\n}", "json-syntax medium a.json:3-3"},
		{"json cut off", "a.json", "{\"a\": [1,\n2", "{\"a\": [1,\n2]}", "json-syntax medium a.json:2-2"},
		{"json with a comma", "package.json", "{\n  \"a\": 1,\n}", "{\n  \"a\": 1\n}", "json-syntax medium package.json:2-2"},
		{"yaml", "a.yml", "a: 1\nb: c: d", "a: 1\nb: {c: d}", "yaml-syntax medium a.yml:2-2"},
		{"yaml of many documents", "a.yaml", "a: 1\n---\nb: [", "a: 1\n---\nb: []", "yaml-syntax medium a.yaml:3-3"},
		{"toml", "a.toml", "[a]\nb = c", "[a]\nb = \"c\"", "toml-syntax medium a.toml:2-2"},
		{"toml double", "a.toml", "a = 1\na = 2", "a = 1\nb = 2", "toml-syntax medium a.toml:2-2"},
		{"xml", "a.xml", "<a>\n<b>\n</a>", "<a>\n<b/>\n</a>", "xml-syntax medium a.xml:3-3"},
		{"shell", "a.sh", "if true; then\necho x", "if true; then\necho x\nfi", "shell-syntax medium a.sh:1-1"},
		{"shell by its first line", "run", "#!/bin/sh\necho 'x", "#!/bin/sh\necho 'x'", "shell-syntax medium run:2-2"},
		{"go", "a.go", "package a\n\nfunc f( {}", "package a\n\nfunc f() {}", "go-syntax medium a.go:3-3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, nil, added(tt.path, strings.Split(tt.bad, "\n")...))
			if d := cmp.Diff([]string{tt.want}, brief(out)); d != "" {
				t.Errorf("new: %s", d)
			}
			if got := brief(run(t, nil, added(tt.path, strings.Split(tt.good, "\n")...))); len(got) != 0 {
				t.Errorf("good: %v", got)
			}
			if tt.path == "run" {
				return // the diff does not show its first line
			}
			if got := brief(look(t, edited(tt.path, tt.good, tt.bad), tt.good, tt.bad)); len(got) != 1 {
				t.Errorf("broken by the change: %v", got)
			}
			still := tt.bad + "\n\n"
			if got := brief(look(t, edited(tt.path, tt.bad, still), tt.bad, still)); len(got) != 0 {
				t.Errorf("broken before: %v", got)
			}
		})
	}
}

func TestSyntaxIsQuiet(t *testing.T) {
	tests := []struct{ name, path, text string }{
		{"comments in JSON", "config.json", "// why\n{\"a\": 1, /* b */ \"c\": \"//\",}"},
		{"settings of TypeScript", "tsconfig.json", "{\n  // strict\n  \"strict\": true,\n}"},
		{"a value a line", "data.json", "{\"a\": 1}\n{\"a\": 2}\n"},
		{"byte order mark", "a.json", "\uFEFF{}"},
		{"json of tests", "testdata/a.json", "{"},
		{"template", "a.json", "{\"a\": {{ .Values.a }}}"},
		{"chart", "chart/templates/a.yaml", "{{- if .x }}\na: b: c"},
		{"chart elsewhere", "a.yaml", "{{- if .x }}\na: b: c\n{{ end }}"},
		{"tags", "a.yml", "a: !Ref b\nc: !Sub 'x'\nd: !!binary aGk="},
		{"aliases", "a.yml", "a: &a [1]\nb: *a\n<<: {c: 1}"},
		{"entities of its own", "a.xml", "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<a>&b;</a>"},
		{"other encoding", "a.xml", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<a>x</a>"},
		{"newer xml", "a.xml", "<?xml version=\"1.1\"?>\n<a/>"},
		{"bash under sh", "a.sh", "#!/bin/sh\na=(1 2)\n[[ $a =~ x ]]"},
		{"zsh", "a.sh", "#!/usr/bin/env zsh\nfor i (1 2) { echo $i }"},
		{"many shells", "activate", "#!/bin/bash\nif [ -n \"$ZSH_VERSION\" ]; then x=${(%):-%x}; fi"},
		{"a command in a command", "a.sh", "#!/bin/bash\necho $((time -p $* >/dev/null) 2>&1)"},
		{"fixtures", "json/test-fixtures/a.json", "{:{"},
		{"options of the interpreter", "a.sh", "#!/usr/bin/env -S bash -e\necho x"},
		{"broken on purpose", "invalid/a.go", "package"},
		{"not read by go", "_gen/a.go", "package"},
		{"empty", "a.json", ""},
		{"other encoding of JSON", "a.json", "\xff\xfe{\x00"},
	}
	for _, tt := range tests {
		if got := brief(run(t, nil, added(tt.path, strings.Split(tt.text, "\n")...))); len(got) != 0 {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestSyntaxElsewhere(t *testing.T) {
	base, head := "{\n\"a\": [\n1\n]\n}", "{\n\"a\": \n1\n]\n}"
	f := edited("a.json", base, head)
	out := look(t, f, base, head)
	if len(out.Findings) != 1 || out.Findings[0].StartLine != 0 || !strings.Contains(out.Findings[0].Message, "line 4") {
		t.Errorf("an error on a line that was not added: %+v", out.Findings)
	}
	if got := brief(look(t, f, "outage", head)); len(got) != 0 {
		t.Errorf("the base is not known: %v", got)
	}
	if out := look(t, f, base, "outage"); len(out.Findings) != 0 || out.Coverage[0].Level != review.Partial {
		t.Errorf("the head is not known: %+v", out)
	}
	if out := look(t, f, base, "too large"); out.Coverage[0].Level != review.Partial {
		t.Errorf("too large: %+v", out.Coverage)
	}
}

func TestCommaFix(t *testing.T) {
	text := "{\n  \"a\": [1, 2 , ],\n  \"b\": {\"c\": 1}\n}"
	out := run(t, nil, added("package.json", strings.Split(text, "\n")...))
	if len(out.Findings) != 1 || out.Findings[0].Fix == nil || out.Findings[0].Fix.Replacement != "  \"a\": [1, 2  ]," {
		t.Fatalf("findings: %+v", out.Findings)
	}
	checkFix(t, "package.json", text, out)
}
