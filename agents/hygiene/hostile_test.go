package hygiene_test

import (
	"strings"
	"testing"
	"time"
)

// TestHostileFiles holds that no text, however made, crashes or hangs a parser.
func TestHostileFiles(t *testing.T) {
	const size = 300 << 10
	texts := map[string]string{
		"arrays": strings.Repeat("[", size), "objects": strings.Repeat("{\"a\":", size/5), "maps": strings.Repeat("{a: ", size/4), "dashes": strings.Repeat("- ", size/2),
		"toml arrays": "a = " + strings.Repeat("[", size), "dots": strings.Repeat("a.", size/2) + "a = 1", "tables": strings.Repeat("[a]\n", size/4), "keys": strings.Repeat("[[a.b]]\nc=1\n", size/12),
		"elements": strings.Repeat("<a>", size/3), "attributes": "<a " + strings.Repeat("b='c' ", size/6),
		"substitutions": "#!/bin/bash\n" + strings.Repeat("$(", size/8), "ticks": "#!/bin/sh\n" + strings.Repeat("`\\", size/8), "ifs": "#!/bin/sh\n" + strings.Repeat("if ", size/12), "arithmetic": "#!/bin/bash\necho $((" + strings.Repeat("-", size/8),
		"functions": "#!/bin/bash\n" + strings.Repeat("f() ", size/16), "times": "#!/bin/bash\n" + strings.Repeat("time ", size/20), "coprocs": "#!/bin/bash\n" + strings.Repeat("coproc ", size/28), "parameters": "#!/bin/bash\n" + strings.Repeat("${a:-", size/20),
		"tests": "#!/bin/bash\n[[ " + strings.Repeat("! ", size/8), "ternaries": "#!/bin/bash\n: $((" + strings.Repeat("a?", size/8), "heredocs": "#!/bin/bash\n" + strings.Repeat("cat <<A\n", size/32), "quotes": "#!/bin/bash\n" + strings.Repeat("\"${a", size/16),
		"go": "package a\nvar x = " + strings.Repeat("(", size), "go types": "package a\nvar x " + strings.Repeat("*", size), "go chan": "package a\nvar x " + strings.Repeat("<-chan ", size/7),
		"from": strings.Repeat("FROM a AS b\n", size/40), "escapes": "FROM a\nRUN " + strings.Repeat("\\\n", size/8), "here": "FROM a\n" + strings.Repeat("RUN <<A\n", size/40),
		"words": strings.Repeat("recieve ", size/8), "wrong lines": strings.Repeat("// recieve\n", size/80), "look-alikes": strings.Repeat("a\u0430 ", size/4),
		"anchors": "a: &a [1]\n" + strings.Repeat("b: *a\n", size/12), "colons": strings.Repeat("a: ", size/6), "questions": strings.Repeat("? ", size/4), "commas": "{" + strings.Repeat("\"a\":1,", size/6) + "}",
		"spaces": strings.Repeat(" ", size/2) + "x", "tags": strings.Repeat("!a ", size/6), "pipes": strings.Repeat("a: |\n", size/10),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"a.json", "a.yml", "a.toml", "a.xml", "a.sh", "a.go", "Dockerfile", "a.md", "a.test.js"} {
				start := time.Now()
				run(t, nil, added(path, strings.Split(text, "\n")...))
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("%s took %s", path, took)
				} else if took > 500*time.Millisecond {
					t.Logf("%s took %s", path, took)
				}
			}
		})
	}
}

// FuzzFiles holds that findings about files stand on lines that they have, and
// that fixes do what they say.
func FuzzFiles(f *testing.F) {
	for path, text := range map[string]string{
		"package.json": "{\"a\": [1,],}", "a.yml": "a: &b [*b]\n? x\n--- |\n y", "a.toml": "[a.b]\nc = [1, {d = 2}]", "a.xml": "<a b='c'><![CDATA[x]]></a>", "a.sh": "if [[ $(a <<X\nb\nX\n) ]]; then ${x:-`y`}; fi",
		"a.go": "package a\nfunc f() { for {} }", "Dockerfile": "# escape=`\nFROM a AS b\nRUN <<X\ny\nX\nENV TOKEN a`\nb", "a.md": "we recieve `recieve` seperate", "src/a.ts": "x;\ndebugger;\nconsole.log(1)", "a.test.ts": "fit('x')\nit.only.each(", "a.zig": "is\u0410dmin \u0440\u0443",
	} {
		f.Add(text, path)
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		lines := strings.Split(text, "\n")
		out := run(t, nil, added(path, lines...))
		for _, fd := range out.Findings {
			if fd.StartLine < 0 || fd.EndLine > len(lines) || fd.EndLine < fd.StartLine {
				t.Errorf("lines %d-%d of %d: %+v", fd.StartLine, fd.EndLine, len(lines), fd)
			}
			if fd.Message == "" || len(fd.Evidence) > 1000 {
				t.Errorf("finding: %+v", fd)
			}
		}
	})
}
