package checkout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// odd are names that each break some way of reading git's output.
var odd = []string{"sp ace.txt", "ta\tb.txt", "new\nline.txt", `quo"te.txt`, `back\slash\`, "ünïcode.txt", "latin\xe9.txt", "-dash", "a/b c/d", "x b/x", ":(top)glob*", "trailing "}

func TestKindsOfChanges(t *testing.T) {
	f := newFixture(t)
	f.write("modified.txt", "one\ntwo\nthree\n")
	f.write("deleted.txt", "gone\n")
	f.write("renamed.txt", strings.Repeat("line of the renamed file\n", 20))
	f.write("moved.txt", strings.Repeat("line of the moved file\n", 20))
	f.write("run.sh", "#!/bin/sh\n")
	f.write("binary.dat", "a\x00b")
	f.write("no-newline.txt", "end")
	f.write("crlf.txt", "a\r\nb\r\n")
	f.write("touched.txt", "same\n")
	f.write("becomes-link", "was a file\n")
	f.write("directory", "was a file\n")
	f.do(os.Symlink("modified.txt", f.path("link")))
	for _, name := range odd {
		f.write(name, "old\n")
	}
	base := f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")

	f.write("modified.txt", "one\n2\nthree\n")
	f.do(os.Remove(f.path("deleted.txt")))
	f.git("mv", "renamed.txt", "new name.txt")
	f.do(os.Rename(f.path("moved.txt"), f.path("moved here.txt"))) // git is not told
	f.do(os.Chmod(f.path("run.sh"), 0o755))
	f.write("binary.dat", "a\x00c")
	f.write("no-newline.txt", "end of file")
	f.write("crlf.txt", "a\r\nc\r\n")
	f.write("touched.txt", "else\n")
	f.write("touched.txt", "same\n")
	f.do(os.Remove(f.path("becomes-link")))
	f.do(os.Symlink("/etc/passwd", f.path("becomes-link")))
	f.do(os.Remove(f.path("link")))
	f.do(os.Symlink("elsewhere", f.path("link")))
	f.do(os.Remove(f.path("directory")))
	f.write("directory/inner.txt", "in\n")
	f.write("empty.txt", "")
	f.write(".gitignore", "*.ignored\n")
	f.write("secret.ignored", "key\n")
	f.write("staged.txt", "staged\n")
	f.git("add", "staged.txt")
	for _, name := range odd {
		f.write(name, "new\n")
	}
	f.write("odd \"\t\n\\", "untracked\n")

	worktree := f.change(Options{})
	t.Run("working tree", func(t *testing.T) { checkKinds(t, worktree) })
	head := f.commit("all of it")
	commit := f.change(Options{Head: "HEAD"})
	t.Run("commit", func(t *testing.T) { checkKinds(t, commit) })
	if d := cmp.Diff(worktree.Files, commit.Files); d != "" {
		t.Errorf("the working tree and the commit of it differ:\n%s", d)
	}
	if commit.Pull.BaseSHA != base || commit.Pull.HeadSHA != head || worktree.Pull.HeadSHA != "" {
		t.Errorf("pull %+v and %+v", commit.Pull, worktree.Pull)
	}
}

func checkKinds(t *testing.T, c *review.Change) {
	want := []string{
		"added .gitignore", "modified becomes-link", "modified binary.dat", "modified crlf.txt", "removed deleted.txt", "removed directory",
		"added directory/inner.txt", "added empty.txt", "modified link", "modified modified.txt", "renamed moved.txt -> moved here.txt",
		"renamed renamed.txt -> new name.txt", "modified no-newline.txt", "added odd \"\t\n\\", "modified run.sh", "added staged.txt",
	}
	for _, name := range odd {
		want = append(want, "modified "+name)
	}
	if d := cmp.Diff(asSet(want), asSet(paths(c))); d != "" {
		t.Errorf("files:\n%s", d)
	}
	for i := 1; i < len(c.Files); i++ {
		if c.Files[i-1].Path >= c.Files[i].Path {
			t.Errorf("%q comes before %q", c.Files[i-1].Path, c.Files[i].Path)
		}
	}
	for path, want := range map[string]string{
		"modified.txt":        " one\n-two\n+2\n three\n",
		"deleted.txt":         "-gone\n",
		"no-newline.txt":      "-end\n+end of file\n",
		"crlf.txt":            " a\r\n-b\r\n+c\r\n",
		"becomes-link":        "-was a file\n+/etc/passwd\n",
		"link":                "-modified.txt\n+elsewhere\n",
		"directory/inner.txt": "+in\n",
		"empty.txt":           "",
		"binary.dat":          "",
		"run.sh":              "",
		"moved here.txt":      "",
		"odd \"\t\n\\":        "+untracked\n",
	} {
		if got := text(file(t, c, path)); got != want {
			t.Errorf("%q: diff %q, want %q", path, got, want)
		}
	}
	for _, name := range odd {
		if f := file(t, c, name); text(f) != "-old\n+new\n" || f.Additions != 1 || f.Deletions != 1 {
			t.Errorf("%q: %+v", name, f)
		}
	}
	for path, mode := range map[string]string{"run.sh": "100755", "becomes-link": "120000", "deleted.txt": "100644", "link": "120000", "empty.txt": "100644"} {
		if f := file(t, c, path); f.Mode != mode || f.Unread != "" {
			t.Errorf("%s: mode %s, unread %q", path, f.Mode, f.Unread)
		}
	}
	if !file(t, c, "binary.dat").Binary {
		t.Error("binary.dat is not binary")
	}
}

func asSet(all []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range all {
		set[s] = true
	}
	return set
}

func TestRead(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "base\n")
	f.write("same.txt", "same\n")
	f.write("dir/inner.txt", "inner\n")
	f.write("new\nline", "base\n")
	f.write("unchanged\nline", "kept\n")
	f.do(os.Symlink("/etc/passwd", f.path("link")))
	f.write(".gitignore", ".env\n")
	f.write("gone.txt", "gone\n")
	f.write("large.txt", strings.Repeat("x", MaxRead+1))
	f.write("limit.txt", strings.Repeat("x", MaxRead))
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	f.write("a.txt", "head\n")
	f.write("new\nline", "head\n")
	f.write("untracked.txt", "untracked\n")
	f.do(os.Remove(f.path("gone.txt")))
	f.write(".env", "KEY=1\n")
	worktree := f.change(Options{})
	f.git("stash", "--quiet", "--include-untracked")
	f.git("stash", "apply", "--quiet", "stash@{0}")
	f.commit("head")
	commit := f.change(Options{Head: "HEAD"})
	// Links made after the change was listed must not lead out either.
	f.do(os.RemoveAll(f.path("dir")))
	f.do(os.Symlink("/etc", f.path("dir")))
	f.write(".env", "KEY=1\n")

	tests := []struct {
		side       review.Side
		path, want string
		err        error
	}{
		{review.Base, "a.txt", "base\n", nil},
		{review.Head, "a.txt", "head\n", nil},
		{review.Base, "same.txt", "same\n", nil},
		{review.Head, "same.txt", "same\n", nil},
		{review.Base, "new\nline", "base\n", nil},
		{review.Head, "new\nline", "head\n", nil},
		{review.Base, "unchanged\nline", "kept\n", nil},
		{review.Head, "unchanged\nline", "kept\n", nil},
		{review.Base, "no\nsuch", "", review.ErrNotExist},
		{review.Head, "link", "/etc/passwd", nil},
		{review.Base, "link", "/etc/passwd", nil},
		{review.Base, "gone.txt", "gone\n", nil},
		{review.Head, "gone.txt", "", review.ErrNotExist},
		{review.Base, "untracked.txt", "", review.ErrNotExist},
		{review.Head, "untracked.txt", "untracked\n", nil},
		{review.Head, ".env", "", review.ErrNotExist},
		{review.Head, ".git/config", "", review.ErrNotExist},
		{review.Base, ".git/config", "", review.ErrNotExist},
		{review.Head, "dir", "", review.ErrNotExist},
		{review.Base, "dir", "", review.ErrNotExist},
		{review.Head, "dir/passwd", "", review.ErrNotExist},
		{review.Head, "../project/a.txt", "", review.ErrNotExist},
		{review.Base, "./a.txt", "", review.ErrNotExist},
		{review.Base, "/a.txt", "", review.ErrNotExist},
		{review.Base, "", "", review.ErrNotExist},
		{review.Base, "a.txt\x00", "", review.ErrNotExist},
		{review.Head, "no such", "", review.ErrNotExist},
		{review.Base, "no such", "", review.ErrNotExist},
		{review.Head, "large.txt", "", review.ErrTooLarge},
		{review.Base, "large.txt", "", review.ErrTooLarge},
		{review.Base, "limit.txt", strings.Repeat("x", MaxRead), nil},
		{review.Head, "limit.txt", strings.Repeat("x", MaxRead), nil},
	}
	for _, tt := range tests {
		for name, c := range map[string]*review.Change{"working tree": worktree, "commit": commit} {
			checkRead(t, c, name, tt.side, tt.path, tt.want, tt.err)
		}
	}
	checkRead(t, commit, "commit", review.Head, "dir/inner.txt", "inner\n", nil)
	checkRead(t, worktree, "working tree", review.Head, "dir/inner.txt", "", review.ErrNotExist)
}

func checkRead(t *testing.T, c *review.Change, name string, side review.Side, path, want string, wantErr error) {
	t.Helper()
	got, err := c.Contents.Read(t.Context(), side, path)
	if !errors.Is(err, wantErr) || string(got) != want {
		t.Errorf("%s, side %d, %q: %.40q and error %v, want %.40q and %v", name, side, path, got, err, want, wantErr)
	}
}

func TestReadIsTheCallersOwn(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "text\n")
	c := f.change(Options{})
	for range 2 {
		data, err := c.Contents.Read(t.Context(), review.Head, "a.txt")
		if err != nil || string(data) != "text\n" {
			t.Fatalf("%q, %v", data, err)
		}
		data[0] = 'X'
	}
}

func TestReadConcurrently(t *testing.T) {
	f := newFixture(t)
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("file-%d.txt", i))
		f.write(names[i], strings.Repeat(names[i]+"\n", 500*i))
	}
	f.commit("base")
	f.write("new.txt", "new\n")
	c := f.change(Options{})
	var group sync.WaitGroup
	for range 4 {
		for i, name := range names {
			for _, side := range []review.Side{review.Base, review.Head} {
				group.Go(func() {
					data, err := c.Contents.Read(t.Context(), side, name)
					if err != nil || string(data) != strings.Repeat(name+"\n", 500*i) {
						t.Errorf("%s, side %d: %d bytes, error %v", name, side, len(data), err)
					}
				})
			}
			group.Go(func() {
				// One reader's deadline must not disturb the others.
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				_, err := c.Contents.Read(ctx, review.Base, "x"+name)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("error %v", err)
				}
			})
		}
	}
	group.Wait()
}

func TestLimits(t *testing.T) {
	f := newFixture(t)
	f.write("grows.txt", "small\n")
	f.write("large-binary.dat", "small\x00")
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	big := strings.Repeat("0123456789abcde\n", MaxFile/16) + "more\n"
	f.write("grows.txt", big)
	f.write("large-binary.dat", big+"\x00")
	f.write("untracked.txt", big)
	f.write("just.txt", strings.Repeat("0123456789abcde\n", MaxFile/16/2)) // each line gets a sign
	check := func(name string, c *review.Change) {
		t.Helper()
		for _, path := range []string{"grows.txt", "large-binary.dat", "untracked.txt"} {
			if got := file(t, c, path); !strings.Contains(got.Unread, "8 MiB") || got.Hunks != nil || got.Binary {
				t.Errorf("%s: %s: unread %q, %d hunks, binary %v", name, path, got.Unread, len(got.Hunks), got.Binary)
			}
		}
		if got := file(t, c, "just.txt"); got.Unread != "" || got.Additions != MaxFile/16/2 {
			t.Errorf("%s: just.txt: unread %q, %d lines", name, got.Unread, got.Additions)
		}
		if c.Truncated != "" {
			t.Errorf("%s: truncated %q", name, c.Truncated)
		}
	}
	check("working tree", f.change(Options{}))
	f.commit("large")
	check("commit", f.change(Options{Head: "HEAD"}))
}

func TestLowLimits(t *testing.T) {
	f := newFixture(t)
	f.write("base.txt", "base\n")
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	for _, name := range []string{"a", "b", "c", "d"} {
		f.write(name, strings.Repeat(name+"\n", 100)) // 318 bytes of patch
	}
	change := func(o Options, set func(*limits)) *review.Change {
		r := f.open()
		set(&r.limits)
		c, err := r.Change(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	check := func(name string, o Options) {
		t.Helper()
		c := change(o, func(l *limits) { l.diff = 700 })
		for i, path := range []string{"a", "b", "c", "d"} {
			if got := file(t, c, path); (got.Unread == "") != (i < 2) || (got.Additions == 100) != (i < 2) {
				t.Errorf("%s: %s: unread %q, %d lines", name, path, got.Unread, got.Additions)
			}
		}
		if !strings.Contains(c.Truncated, "700 bytes") {
			t.Errorf("%s: truncated %q", name, c.Truncated)
		}
		c = change(o, func(l *limits) { l.files = 2 })
		if len(c.Files) != 2 || text(c.Files[1]) == "" || !strings.Contains(c.Truncated, "4") || !strings.Contains(c.Truncated, "2 are listed") {
			t.Errorf("%s: files %q, truncated %q", name, paths(c), c.Truncated)
		}
		c = change(o, func(l *limits) { l.patch = 100 })
		if got := file(t, c, "c"); !strings.Contains(got.Unread, "100 bytes") || c.Truncated != "" || len(c.Files) != 4 {
			t.Errorf("%s: unread %q, truncated %q, %d files", name, got.Unread, c.Truncated, len(c.Files))
		}
	}
	check("working tree", Options{})
	f.commit("four")
	check("commit", Options{Head: "HEAD"})
}

func TestLongLine(t *testing.T) {
	f := newFixture(t)
	line := strings.Repeat("m", 300<<10)
	f.write("min.js", line)
	f.write("after.txt", "x\n")
	c := f.change(Options{})
	if got := text(file(t, c, "min.js")); got != "+"+line+"\n" {
		t.Errorf("%d bytes", len(got))
	}
	if got := text(file(t, c, "after.txt")); got != "+x\n" {
		t.Errorf("after.txt: %q", got)
	}
}

// TestAttributesHideNothing holds that a change cannot take a file out of the
// review by declaring it binary.
func TestAttributesHideNothing(t *testing.T) {
	f := newFixture(t)
	f.write("evil.go", "package evil\n")
	f.write("old name.go", strings.Repeat("// a line that stays\n", 20))
	f.write("true.bin", "a\x00b")
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	f.write(".gitattributes", "*.go binary\n*.bin -diff\n*.txt diff=odd\n")
	f.git("config", "diff.odd.binary", "true")
	f.write("evil.go", "package evil // worse\n")
	f.git("mv", "old name.go", "new name.go")
	f.write("new name.go", strings.Repeat("// a line that stays\n", 20)+"// and one that is new\n")
	f.write("true.bin", "a\x00c")
	f.write("driver.txt", "text\n")
	check := func(name string, c *review.Change) {
		t.Helper()
		if got := file(t, c, "evil.go"); text(got) != "-package evil\n+package evil // worse\n" || got.Binary {
			t.Errorf("%s: evil.go: %+v", name, got)
		}
		if got := file(t, c, "new name.go"); got.Status != review.Renamed || got.OldPath != "old name.go" || got.Additions != 1 {
			t.Errorf("%s: new name.go: %+v", name, got)
		}
		if got := file(t, c, "driver.txt"); text(got) != "+text\n" {
			t.Errorf("%s: driver.txt: %+v", name, got)
		}
		if got := file(t, c, "true.bin"); !got.Binary || got.Hunks != nil {
			t.Errorf("%s: true.bin: %+v", name, got)
		}
	}
	check("working tree", f.change(Options{}))
	f.commit("hidden")
	check("commit", f.change(Options{Head: "HEAD"}))
}

func TestConflict(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "base\n")
	f.write("z.txt", "z\n")
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	f.write("a.txt", "feature\n")
	f.commit("feature")
	f.git("switch", "--quiet", "main")
	f.write("a.txt", "main\n")
	f.commit("main")
	f.git("switch", "--quiet", "feature")
	if err := exec.Command("git", "-C", f.dir, "merge", "--quiet", "main").Run(); err == nil {
		t.Fatal("the merge has no conflict")
	}
	f.write("z.txt", "zz\n")
	c := f.change(Options{})
	if got := file(t, c, "a.txt"); !strings.Contains(text(got), "+<<<<<<< HEAD\n") || got.Unread != "" {
		t.Errorf("%+v", got)
	}
	if got := text(file(t, c, "z.txt")); got != "-z\n+zz\n" {
		t.Errorf("z.txt: %q", got)
	}
	if len(c.Files) != 2 {
		t.Errorf("files %q", paths(c))
	}
}

func TestSparseCheckout(t *testing.T) {
	f := newFixture(t)
	f.write("in/a.txt", "a\n")
	f.write("out/b.txt", "b\n")
	f.commit("base")
	f.git("sparse-checkout", "set", "in")
	f.write("in/a.txt", "aa\n")
	c := f.change(Options{})
	if d := cmp.Diff([]string{"modified in/a.txt"}, paths(c)); d != "" {
		t.Error(d)
	}
	checkRead(t, c, "sparse", review.Head, "out/b.txt", "b\n", nil)
}

func TestLineEndsOfTheCheckout(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "one\ntwo\n")
	f.commit("base")
	f.git("config", "core.autocrlf", "true")
	f.write("a.txt", "one\r\n2\r\n")
	if got := text(file(t, f.change(Options{}), "a.txt")); got != " one\n-two\n+2\n" {
		t.Errorf("diff %q", got)
	}
}
