package checkout

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// FuzzReadDiff holds that no output of git, however strange the repository,
// makes a panic, a nameless file or a count that is not that of the lines.
func FuzzReadDiff(f *testing.F) {
	const zero, a, b = "0000000000000000000000000000000000000000", "e8996621d8f762f3d6df65c95f7b7dc049436695", "9de10b88975687643ec862ee0f28768471d89f0c"
	f.Add(":100644 100644 " + a + " " + b + " M\ta\n:120000 100644 " + a + " " + zero + " T\tl\n\n" +
		"diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1 +1,2 @@ x\n-a\n+b\n+c\n\\ No newline at end of file\n" +
		"diff --git a/l b/l\ndeleted file mode 120000\n--- a/l\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\ndiff --git a/l b/l\nnew file mode 100644\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+reg\n")
	f.Add(":100644 100644 " + a + " " + b + " R086\t\"o\\tld\"\t\"n\\303\\251w\"\n\ndiff --git \"a/o\\tld\" \"b/n\\303\\251w\"\nBinary files differ\n")
	f.Add(":100644 000000 " + a + " " + zero + " U\ta\n:100644 100644 " + a + " " + zero + " M\ta\n\n* Unmerged path a\ndiff --git a/a b/a\n@@ -1 +1 @@\n-a\n+b\n* Unmerged path z\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := diffReader{in: bufio.NewReaderSize(strings.NewReader(text), 16), limits: limits{patch: 4 << 10, diff: 8 << 10, files: 8}, at: -1}
		if err := r.read(); err != nil {
			return
		}
		l := r.listing()
		for _, file := range l.files {
			added, deleted := 0, 0
			for _, h := range file.Hunks {
				for _, line := range h.Lines {
					switch line.Op {
					case review.Add:
						added++
					case review.Delete:
						deleted++
					}
				}
			}
			if file.Path == "" || file.Status == "" || added != file.Additions || deleted != file.Deletions {
				t.Fatalf("%+v has %d added and %d deleted lines", file, added, deleted)
			}
			if file.Unread != "" && file.Hunks != nil {
				t.Fatalf("%+v is unread and has hunks", file)
			}
		}
		if len(l.files) > 8 {
			t.Fatalf("%d files", len(l.files))
		}
	})
}

func TestUnquote(t *testing.T) {
	for quoted, want := range map[string]string{
		`plain name`:            "plain name",
		`"tab\there"`:           "tab\there",
		`"\a\b\n\v\f\r\"\\"`:    "\a\b\n\v\f\r\"\\",
		`"\303\251"`:            "é",
		`"\001\377"`:            "\x01\xff",
		`"ends in backslash\\"`: `ends in backslash\`,
	} {
		if got, err := unquote(quoted); err != nil || got != want {
			t.Errorf("unquote(%s) = %q, %v, want %q", quoted, got, err, want)
		}
	}
	for _, bad := range []string{``, `"`, `""`, `"open`, `"\x41"`, `"\8"`, `"\40"`, `"\400"`, `"end\"`} {
		if got, err := unquote(bad); err == nil {
			t.Errorf("unquote(%s) = %q", bad, got)
		}
	}
}

// TestHeadersCannotBeForged holds that a file whose name makes its patch look
// like another's does not get that one's lines.
func TestHeadersCannotBeForged(t *testing.T) {
	f := newFixture(t)
	f.write("x", strings.Repeat("a line that moves\n", 20))
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	// Both patches begin "diff --git a/x b/y b/x b/y".
	f.write("x b/y", "added\n")
	f.write("y b/x b/y", strings.Repeat("a line that moves\n", 20)+"moved\n")
	f.git("rm", "--quiet", "x")
	f.write("content", "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-evil\n+twin\n")
	c := f.change(Options{})
	want := map[string]string{"x b/y": "+added\n", "content": "+diff --git a/x b/x\n+--- a/x\n++++ b/x\n+@@ -1 +1 @@\n+-evil\n++twin\n"}
	for path, lines := range want {
		if got := text(file(t, c, path)); got != lines {
			t.Errorf("%q: %q", path, got)
		}
	}
	if got := file(t, c, "y b/x b/y"); got.Additions != 1 || got.OldPath != "x" {
		t.Errorf("%+v", got)
	}
	if d := cmp.Diff(3, len(c.Files)); d != "" {
		t.Error(d)
	}
}

// BenchmarkChange reads a diff of about 1 MB in 200 files.
func BenchmarkChange(b *testing.B) {
	f := newFixture(b)
	random := rand.New(rand.NewPCG(1, 2))
	write := func(share float64) {
		for i := range 200 {
			var text strings.Builder
			for n := range 400 {
				if random.Float64() < share {
					fmt.Fprintf(&text, "\tline %d changed to %d\n", n, random.Uint64())
				} else {
					fmt.Fprintf(&text, "\tline %d of a file that is long enough\n", n)
				}
			}
			f.write(fmt.Sprintf("dir-%d/file-%d.go", i%10, i), text.String())
		}
	}
	write(0)
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	write(0.1)
	bytes := len(f.git("diff", "HEAD"))
	r := f.open()
	run := func(o Options) func(*testing.B) {
		return func(b *testing.B) {
			b.SetBytes(int64(bytes))
			b.ReportAllocs()
			for b.Loop() {
				c, err := r.Change(b.Context(), o)
				if err != nil || len(c.Files) != 200 {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("worktree", run(Options{}))
	f.commit("head")
	b.Run("commit", run(Options{Head: "HEAD"}))
}
