package hygiene_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/hygiene"
	"assay/review"
)

// memory is review.Contents of the head.
type memory map[string]string

func (m memory) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := m[path]
	switch {
	case !ok || side != review.Head:
		return nil, review.ErrNotExist
	case text == "too large":
		return nil, review.ErrTooLarge
	}
	return []byte(text), nil
}

func added(path string, lines ...string) review.File {
	f := review.File{Path: path, Status: review.Added, Additions: len(lines)}
	h := review.Hunk{NewStart: 1, NewLines: len(lines)}
	for i, l := range lines {
		h.Lines = append(h.Lines, review.Line{Op: review.Add, New: i + 1, Text: l})
	}
	f.Hunks = []review.Hunk{h}
	return f
}

// agent is one for all tests, for its dictionary takes a moment to make.
var agent = hygiene.New()

func run(t testing.TB, contents memory, files ...review.File) agents.Result {
	t.Helper()
	out, err := agent.Run(t.Context(), agents.Input{Change: &review.Change{Files: files, Contents: contents}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// brief is the findings, one a line.
func brief(out agents.Result) []string {
	var all []string
	for _, f := range out.Findings {
		all = append(all, fmt.Sprintf("%s %s %s-%d", strings.TrimPrefix(f.Rule, "hygiene/"), f.Severity, f.Location(), f.EndLine))
	}
	return all
}

func TestConflictMarkers(t *testing.T) {
	ours, middle, theirs := strings.Repeat("<", 7)+" HEAD", strings.Repeat("=", 7), strings.Repeat(">", 7)+" topic"
	split := added("a.zig", ours, "mine", "kept", middle, "yours", theirs)
	split.Hunks[0].Lines[2].Op = review.Context
	tests := []struct {
		name string
		file review.File
		want []string
	}{
		{"whole", added("a.zig", "x", ours, "mine", middle, "yours", theirs, "y"), []string{"conflict-marker high a.zig:2-6"}},
		{"with the base (diff3)", added("a.zig", ours, "a", strings.Repeat("|", 7)+" base", "b", middle, "c", theirs), []string{"conflict-marker high a.zig:1-7"}},
		{"windows line ends", added("a.zig", ours+"\r", "a\r", middle+"\r", "c\r", theirs+"\r"), []string{"conflict-marker high a.zig:1-5"}},
		{"a kept line between", split, []string{"conflict-marker high a.zig:1-6"}},
		{"two", added("a.zig", ours, middle, theirs, ours, middle, theirs), []string{"conflict-marker high a.zig:1-3", "conflict-marker high a.zig:4-6"}},
		{"in a text", added("docs/git.md", ours, middle, theirs), []string{"conflict-marker low docs/git.md:1-3"}},
		{"heading", added("a.rst", "Title", "=======", "", "Other", "======="), nil},
		{"out of order", added("a.md", middle, theirs, ours), nil},
		{"no end", added("a.md", ours, middle), nil},
		{"no middle", added("a.zig", ours, "x", theirs), nil},
		{"indented", added("a.md", "    "+ours, "    "+middle, "    "+theirs), nil},
		{"longer lines", added("a.txt", "<<<<<<<<", "========", ">>>>>>>>"), nil},
		{"shift", added("a.cc", "<<<<<<<x", "=======", ">>>>>>>x"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, brief(run(t, nil, tt.file))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestCharacters(t *testing.T) {
	tests := []struct {
		name, path, line, want, evidence, fix string
	}{
		{"trojan source", "a.zig", "if admin {\u202E // \u2066 check", "bidi-control high a.zig:2-2", "if admin {<U+202E> // <U+2066> check", "if admin { //  check"},
		{"zero width space", "a.js", "const a\u200Bb = 1", "invisible-character medium a.js:2-2", "const a<U+200B>b = 1", "const ab = 1"},
		{"hangul filler", "a.js", "const \u3164 = 1", "invisible-character medium a.js:2-2", "const <U+3164> = 1", "const  = 1"},
		{"tags that hide text", "a.md", "Hi\U000E0049\U000E0067", "invisible-character high a.md:2-2", "Hi<U+E0049><U+E0067>", "Hi"},
		{"hidden in variation selectors", "a.js", "eval(d(\"\U000E0101\U000E0155\"))", "invisible-character high a.js:2-2", "eval(d(\"<U+E0101><U+E0155>\"))", "eval(d(\"\"))"},
		{"mark within a line", "a.zig", "x\uFEFFy", "invisible-character medium a.zig:2-2", "x<U+FEFF>y", "xy"},
		{"joiner between letters", "a.zig", "pass\u200Dword", "invisible-character medium a.zig:2-2", "pass<U+200D>word", "password"},
		{"honest elsewhere on the line", "a.zig", "p\u200Dw 👩\u200D👧", "invisible-character medium a.zig:2-2", "p<U+200D>w 👩<U+200D>👧", "pw 👩\u200D👧"},
		{"in a text", "a.md", "a\u200Bb", "invisible-character low a.md:2-2", "a<U+200B>b", "ab"},
		{"in a translation", "web/locales/he.txt2", "\u202Bx", "bidi-control low web/locales/he.txt2:2-2", "<U+202B>x", "x"},
		{"invalid text has no fix", "a.zig", "a\u200Bb\xff", "invisible-character medium a.zig:2-2", "a<U+200B>b\uFFFD", "none"},
		{"keeps the line end", "a.zig", "a\u200Bb\r", "invisible-character medium a.zig:2-2", "a<U+200B>b", "ab\r"},

		{"in what a test reads", "lexers/testdata/pascal.expected", "{\"value\":\"\uFEFF\"}", "", "", ""},
		{"in a bundle", "dist/node/chunks/node.js", "NO_BREAK_SPACE: \"\uFEFF\"", "", "", ""},
		{"in what is minified", "compiler/index.js", strings.Repeat("f(x);", 500) + "/\u200B|\u200C/", "", "", ""},
		{"tags in what a test reads", "testdata/a.txt", "Hi\U000E0049\U000E0067", "invisible-character high testdata/a.txt:2-2", "Hi<U+E0049><U+E0067>", "Hi"},
		{"direction in a bundle", "dist/a.js", "x\u202E", "bidi-control high dist/a.js:2-2", "x<U+202E>", "x"},

		{"emoji of several", "a.zig", "// 👩\u200D👩\u200D👧 ❤\uFE0F\u200D🔥", "", "", ""},
		{"flag of England", "a.md", "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F", "", "", ""},
		{"Persian", "a.zig", "s = \"می\u200Cخواهم\"", "", "", ""},
		{"Hindi", "a.zig", "s = \"क्\u200Dष\"", "", "", ""},
		{"Arabic without marks", "a.zig", "s = \"مرحبا\"", "", "", ""},
		{"accents and CJK", "a.zig", "// naïve 漢字 日本", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, nil, added(tt.path, "first", tt.line))
			if got := strings.Join(brief(out), "; "); got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			if tt.want == "" {
				return
			}
			f := out.Findings[0]
			if f.Evidence != tt.evidence {
				t.Errorf("evidence %q, want %q", f.Evidence, tt.evidence)
			}
			switch {
			case tt.fix == "none" && f.Fix != nil:
				t.Errorf("fix %q for text that it would change", f.Fix.Replacement)
			case tt.fix != "none" && (f.Fix == nil || f.Fix.Replacement != tt.fix):
				t.Errorf("fix %+v, want %q", f.Fix, tt.fix)
			}
		})
	}
	if out := run(t, nil, added("a.txt", "\uFEFFa byte order mark")); len(out.Findings) != 0 {
		t.Errorf("byte order mark: %v", brief(out))
	}
	out := run(t, nil, added("a.zig", "\u202E"))
	if m := out.Findings[0].Message; !strings.Contains(m, "U+202E RIGHT-TO-LEFT OVERRIDE") {
		t.Errorf("message does not name the character: %q", m)
	}
	out = run(t, nil, added("a.zig", strings.Split(strings.Repeat("\u200B\n", 50), "\n")...))
	if len(out.Findings) != 10 || !strings.Contains(out.Findings[0].Message, "40 more lines") {
		t.Errorf("%d findings, the first: %q", len(out.Findings), out.Findings[0].Message)
	}
}

func TestFiles(t *testing.T) {
	binary := func(path string) review.File { return review.File{Path: path, Status: review.Added, Binary: true} }
	modified := binary("old.bin")
	modified.Status = review.Modified
	big := binary("video.bin")
	lines := added("data.csv2", "x")
	lines.Additions = 30_000
	generated := added("package-lock.json", "{}")
	generated.Additions = 30_000
	contents := memory{
		"zipfs/testdata/small.zip": "PK", "tool": "\x7fELF\x02", "old.bin": "MZ", "video.bin": strings.Repeat("x", 6<<20), "enormous.bin": "too large", "logo.bin": "\x89PNG", "bin/unreadable": "\x7fELF",
	}
	delete(contents, "bin/unreadable")
	out := run(t, contents,
		binary("app.exe"), binary("a/b.tar.gz"), added(".DS_Store", "x"), binary("tool"), modified, big, binary("enormous.bin"), binary("logo.bin"),
		binary("gradle/wrapper/gradle-wrapper.jar"), binary("zipfs/testdata/small.zip"), binary("test/fixtures/app.exe"), added("pkg/x.orig", "x"), lines, generated,
		added("web/node_modules/a/i.js", "x"), added("web/node_modules/b/i.js", "x"), binary("bin/unreadable"),
		review.File{Path: "gone.exe", Status: review.Removed, Binary: true})
	want := []string{
		"compiled-binary medium app.exe-0", "archive low a/b.tar.gz-0", "junk-file low .DS_Store-0", "compiled-binary medium tool-0", "huge-file low video.bin-0",
		"huge-file medium enormous.bin-0", "compiled-binary low test/fixtures/app.exe-0", "junk-file low pkg/x.orig-0", "huge-file low data.csv2-0",
		"installed-packages medium pull request-0",
	}
	if d := cmp.Diff(want, brief(out)); d != "" {
		t.Error(d)
	}
	levels := map[string]string{}
	for _, c := range out.Coverage {
		levels[c.Path] = string(c.Level)
	}
	if len(levels) != 18 || levels["bin/unreadable"] != "partial" || levels["gone.exe"] != "not_applicable" || levels["app.exe"] != "full" {
		t.Errorf("coverage: %v", levels)
	}
}

func TestCollisions(t *testing.T) {
	renamed := review.File{Path: "b/file.zig", OldPath: "b/File.zig", Status: review.Renamed}
	modified := review.File{Path: "src/util.zig", Status: review.Modified}
	out := run(t, memory{"docs/README.md": "x", "docs/readme.md": "x", "d/README.md": "x", "d/readme.md": "x"},
		added("a/X.zig", "x"), added("a/x.zig", "x"), renamed, added("src/Util.zig", "x"), modified,
		added("docs/readme.md", "x"), added("other/Makefile", "x"), added("d/README.md", "x"), review.File{Path: "A/X.zig", Status: review.Removed})
	want := []string{"case-collision medium a/x.zig-0", "case-collision medium src/Util.zig-0", "case-collision medium docs/readme.md-0", "case-collision medium d/README.md-0"}
	if d := cmp.Diff(want, brief(out)); d != "" {
		t.Error(d)
	}
}

func TestUnreadIsPartial(t *testing.T) {
	out := run(t, nil, review.File{Path: "a.zig", Status: review.Modified, Unread: "GitHub sent no patch"})
	want := []review.Coverage{{Path: "a.zig", Level: review.Partial, Reason: "only the path was checked: GitHub sent no patch"}}
	if d := cmp.Diff(want, out.Coverage); d != "" {
		t.Error(d)
	}
}

func TestHostile(t *testing.T) {
	tests := map[string]review.File{
		"long line":  added("a.zig", strings.Repeat("\u200B", 1<<20)),
		"many lines": added("a.zig", strings.Split(strings.Repeat("\u202E\u200B\n", 100_000), "\n")...),
		"flags":      added("a.zig", strings.Repeat("\U000E0067", 200_000)),
		"markers":    added("a.zig", strings.Split(strings.Repeat("<<<<<<<\n=======\n>>>>>>>\n", 30_000), "\n")...),
		"broken":     added("a.zig", strings.Repeat("\xff\x00", 1<<19)),
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			out := run(t, nil, f)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if len(out.Findings) > 40 {
				t.Errorf("%d findings", len(out.Findings))
			}
		})
	}
}

func TestStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := hygiene.New().Run(ctx, agents.Input{Change: &review.Change{Files: []review.File{added("a.zig", "x")}}}); err == nil {
		t.Error("a cancelled run was not an error")
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"a\u200Bb", "<<<<<<< x\n=======\n>>>>>>> y", "<<<<<<< \n=======\n>>>>>>> \xa4", "\u202E\xff\x00", "🏴\U000E0067\U000E007F"} {
		f.Add(s, "a.zig")
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		lines := strings.Split(text, "\n")
		out := run(t, nil, added(path, lines...))
		for _, fd := range out.Findings {
			if fd.StartLine < 0 || fd.EndLine > len(lines) || fd.EndLine < fd.StartLine {
				t.Errorf("lines %d-%d of %d", fd.StartLine, fd.EndLine, len(lines))
			}
			if !utf8.ValidString(fd.Evidence) && fd.StartLine > 0 {
				t.Errorf("evidence %q", fd.Evidence)
			}
			if fd.Fix != nil {
				if again := run(t, nil, added(path, append(make([]string, fd.StartLine-1), fd.Fix.Replacement)...)); len(again.Findings) > 0 && again.Findings[0].Rule == fd.Rule && again.Findings[0].StartLine == fd.StartLine {
					t.Errorf("after the fix %q: %v", fd.Fix.Replacement, brief(again))
				}
			}
		}
	})
}
