package checkout

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// listed is a side's files as "mode size path", the size counted in i's.
func listed(t *testing.T, c *review.Change, side review.Side, wantSHA bool) []string {
	t.Helper()
	entries, err := c.Tree.List(t.Context(), side)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if (e.SHA != "") != wantSHA {
			t.Errorf("%s has the SHA %q", e.Path, e.SHA)
		}
		out = append(out, strings.Join([]string{e.Mode, tally(e.Size), e.Path}, " "))
	}
	return out
}

func tally(n int64) string {
	if n < 0 {
		return "-"
	}
	return strings.Repeat("i", int(n))
}

func TestTree(t *testing.T) {
	f := newFixture(t)
	f.write("b.txt", "b\n")
	f.write("a/ü \"q\"\n.txt", "ab\n")
	f.write("gone.txt", "x")
	f.do(os.WriteFile(f.path("run.sh"), nil, 0o755))
	f.commit("one")
	f.write("b.txt", "bbb\n")
	f.write("new.txt", "n")
	f.write(".gitignore", "*.key\n")
	f.write("secret.key", "k")
	f.do(os.Symlink("b.txt", f.path("link")))
	f.do(os.Remove(f.path("gone.txt")))

	base := []string{"100644 iii a/ü \"q\"\n.txt", "100644 ii b.txt", "100644 i gone.txt", "100755  run.sh"}
	head := []string{"100644 iiiiii .gitignore", "100644 iii a/ü \"q\"\n.txt", "100644 iiii b.txt", "120000 iiiii link", "100644 i new.txt", "100755  run.sh"}
	c := f.change(Options{Base: "HEAD"})
	if d := cmp.Diff(base, listed(t, c, review.Base, true)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(head, listed(t, c, review.Head, false)); d != "" {
		t.Error(d)
	}

	f.commit("two")
	c = f.change(Options{Base: "HEAD~1", Head: "HEAD"})
	if d := cmp.Diff(base, listed(t, c, review.Base, true)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(head, listed(t, c, review.Head, true)); d != "" {
		t.Error(d)
	}
	c = f.change(Options{Base: f.git("hash-object", "-t", "tree", "/dev/null"), Head: "HEAD"})
	if got := listed(t, c, review.Base, true); len(got) != 0 {
		t.Errorf("the empty tree has %q", got)
	}
}

func TestTreeOfSubmoduleAndSparseCheckout(t *testing.T) {
	f := newFixture(t)
	f.write("in/a", "a")
	f.write("out/b", "bb")
	f.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("ab", 20)+",lib")
	f.git("add", "in", "out")
	f.git("commit", "--quiet", "-m", "one")
	f.git("sparse-checkout", "set", "in")
	f.do(os.MkdirAll(f.path("lib"), 0o755))
	f.write("in/a", "aaa")
	c := f.change(Options{})
	if d := cmp.Diff([]string{"100644 i in/a", "160000 - lib", "100644 ii out/b"}, listed(t, c, review.Base, true)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"100644 iii in/a", "160000 - lib", " ii out/b"}, listed(t, c, review.Head, false)); d != "" {
		t.Error(d)
	}
}

func TestTreeLimits(t *testing.T) {
	f := newFixture(t)
	f.write("a", "a")
	f.write("b", "b")
	f.commit("one")
	f.write("a", "aa")
	r := f.open()
	r.limits.entries = 1
	c, err := r.Change(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []review.Side{review.Base, review.Head} {
		if _, err := c.Tree.List(t.Context(), side); !errors.Is(err, review.ErrTooLarge) {
			t.Errorf("side %d: %v", side, err)
		}
	}
}

func TestParseEntry(t *testing.T) {
	for _, bad := range []string{"", "100644 blob abc 1", "100644 blob abc\tx", "100644 blob abc 1\t"} {
		if _, err := parseEntry(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
