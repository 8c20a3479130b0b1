package checkout

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// cloned returns a clone of a repository whose branch main has a commit more
// than the branch feature, on which the clone is.
func cloned(t *testing.T, args ...string) (origin, clone fixture) {
	t.Helper()
	origin = newFixture(t)
	origin.write("a.txt", "a\n")
	origin.commit("first")
	origin.write("b.txt", "b\n")
	origin.commit("second")
	clone = origin.at(filepath.Join(t.TempDir(), "clone"))
	origin.git(append([]string{"clone", "--quiet", "file://" + origin.dir, clone.dir}, args...)...)
	clone.git("config", "user.name", "Bob")
	clone.git("config", "user.email", "bob@example.com")
	return origin, clone
}

func TestBaseIsFound(t *testing.T) {
	tests := []struct {
		name, want string
		prepare    func(f fixture)
	}{
		{"origin's HEAD", "origin/main", func(fixture) {}},
		{"origin's HEAD names another", "origin/trunk", func(f fixture) {
			f.git("update-ref", "refs/remotes/origin/trunk", "origin/main")
			f.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
		}},
		{"origin without HEAD", "origin/main", func(f fixture) { f.git("remote", "set-head", "origin", "--delete") }},
		{"origin/master", "origin/master", func(f fixture) {
			f.git("remote", "set-head", "origin", "--delete")
			f.git("update-ref", "refs/remotes/origin/master", "origin/main")
			f.git("update-ref", "-d", "refs/remotes/origin/main")
		}},
		{"fork", "upstream/main", func(f fixture) {
			f.git("remote", "add", "upstream", "https://github.com/team/project")
			f.git("update-ref", "refs/remotes/upstream/main", "origin/main")
		}},
		{"tracks another branch", "origin/release/2.x", func(f fixture) {
			f.git("update-ref", "refs/remotes/origin/release/2.x", "origin/main")
			f.git("branch", "--quiet", "--set-upstream-to", "origin/release/2.x")
		}},
		{"tracks its own copy", "origin/main", func(f fixture) {
			f.git("update-ref", "refs/remotes/origin/feature", "HEAD")
			f.git("branch", "--quiet", "--set-upstream-to", "origin/feature")
		}},
		{"tracks a local branch", "main", func(f fixture) { f.git("branch", "--quiet", "--set-upstream-to", "main") }},
		{"local main", "main", func(f fixture) { f.git("remote", "remove", "origin") }},
		{"init.defaultBranch", "trunk", func(f fixture) {
			f.git("remote", "remove", "origin")
			f.git("branch", "--quiet", "--move", "main", "trunk")
			f.git("config", "init.defaultBranch", "trunk")
		}},
		{"nothing but HEAD", "HEAD", func(f fixture) {
			f.git("remote", "remove", "origin")
			f.git("branch", "--quiet", "--move", "main", "else")
		}},
		{"detached", "origin/main", func(f fixture) { f.git("switch", "--quiet", "--detach") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, f := cloned(t)
			want := f.git("rev-parse", "HEAD~1")
			f.git("switch", "--quiet", "--create", "feature", "HEAD~1")
			f.write("feature.txt", "1\n")
			f.commit("On the feature\n\nWith a body.")
			f.write("feature.txt", "2\n")
			tt.prepare(f)
			c := f.change(Options{})
			if c.Pull.BaseRef != tt.want {
				t.Errorf("base %q, want %q", c.Pull.BaseRef, tt.want)
			}
			if tt.want == "HEAD" {
				return
			}
			// The base has b.txt since the branch left it: that is no change of ours.
			if d := cmp.Diff([]string{"added feature.txt"}, paths(c)); d != "" {
				t.Error(d)
			}
			if c.Pull.BaseSHA != want {
				t.Errorf("base %s, want %s", c.Pull.BaseSHA, want)
			}
		})
	}
}

func TestPull(t *testing.T) {
	_, f := cloned(t)
	f.git("remote", "set-url", "origin", "git@github.com:team/project.git")
	base := f.git("rev-parse", "HEAD")
	f.write("a.txt", "uncommitted\n")
	c := f.change(Options{})
	want := review.Pull{Title: "Uncommitted changes", Author: review.Actor{Login: "Bob"}, BaseRef: "origin/main", BaseSHA: base, HeadRef: "main"}
	if d := cmp.Diff(want, c.Pull); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(review.Repo{Owner: "team", Name: "project"}, c.Repo); d != "" {
		t.Error(d)
	}
	f.git("switch", "--quiet", "--create", "topic")
	f.git("config", "user.name", "Čeněk")
	first := f.commit("Change a\n\nBecause of b.\n")
	c = f.change(Options{Head: "topic"})
	want = review.Pull{
		Title: "Change a", Body: "Because of b.", Author: review.Actor{Login: "Čeněk"},
		BaseRef: "origin/main", BaseSHA: base, HeadRef: "topic", HeadSHA: first,
	}
	if d := cmp.Diff(want, c.Pull); d != "" {
		t.Error(d)
	}
	f.write("a.txt", "more\n")
	f.commit("Change a again\n\nAnd again.")
	c = f.change(Options{})
	if c.Pull.Title != "Change a again" || c.Pull.Body != "" || c.Pull.HeadRef != "topic" {
		t.Errorf("of two commits: %+v", c.Pull)
	}
	c = f.change(Options{Base: "HEAD~1", Head: "HEAD"})
	if c.Pull.BaseRef != "HEAD~1" || c.Pull.BaseSHA != first {
		t.Errorf("base named: %+v", c.Pull)
	}
}

func TestNothingToReview(t *testing.T) {
	f := newFixture(t)
	err := f.changeError(Options{})
	mustSay(t, err, "nothing to review", "no files")
	f.write("a.txt", "a\n")
	f.commit("first")
	err = f.changeError(Options{})
	mustSay(t, err, "nothing to review", "the same as its base main", "--base 4b825dc642cb6eb9a060e54bf8d69288fbee4904")
	if !errors.Is(err, ErrNoChange) {
		t.Errorf("error %v is not ErrNoChange", err)
	}
	c := f.change(Options{Base: "4b825dc642cb6eb9a060e54bf8d69288fbee4904"})
	if d := cmp.Diff([]string{"added a.txt"}, paths(c)); d != "" {
		t.Error(d)
	}
	f.write("a.txt", "b\n")
	f.commit("second")
	mustSay(t, f.changeError(Options{}), "--base HEAD~1")
	mustSay(t, f.changeError(Options{Head: "main"}), "--base main~1")
	mustSay(t, f.changeError(Options{Base: "HEAD"}), "name another commit")
	if c := f.change(Options{Base: "HEAD~1"}); text(file(t, c, "a.txt")) != "-a\n+b\n" {
		t.Error("--base HEAD~1 does not show the last commit")
	}
	// A file whose time alone has changed is no change.
	f.write("a.txt", "c\n")
	f.write("a.txt", "b\n")
	mustSay(t, f.changeError(Options{}), "nothing to review")
}

func TestNoCommitsYet(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "a\n")
	f.write("staged.txt", "s\n")
	f.git("add", "staged.txt")
	c := f.change(Options{})
	if d := cmp.Diff([]string{"added a.txt", "added staged.txt"}, paths(c)); d != "" {
		t.Error(d)
	}
	if !strings.Contains(c.Pull.BaseRef, "no commits yet") || c.Pull.HeadRef != "main" {
		t.Errorf("pull %+v", c.Pull)
	}
	mustSay(t, f.changeError(Options{Head: "HEAD"}), `--head "HEAD" is not a revision`)
	mustSay(t, f.changeError(Options{Base: "main"}), `--base "main" is not a revision`)
}

func TestRevisions(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "a\n")
	f.commit("first")
	f.write("a.txt", "b\n")
	f.commit("fix: second")
	f.git("tag", "--annotate", "--message", "tag", "v1", "HEAD~1")
	for _, rev := range []string{"-x", "--output=x", "a\nb", "no-such", "HEAD~9", "HEAD~1..HEAD", ""} {
		if rev != "" {
			mustSay(t, f.changeError(Options{Base: rev}), "--base", "not a revision")
			mustSay(t, f.changeError(Options{Head: rev}), "--head", "not a revision")
		}
	}
	mustSay(t, f.changeError(Options{Head: "HEAD:a.txt"}), "not a commit")
	mustSay(t, f.changeError(Options{Base: "HEAD:a.txt"}), "neither a commit nor a tree")
	for _, o := range []Options{{Base: "v1"}, {Base: "HEAD^{tree}", Head: "v1"}, {Base: ":/first", Head: ":/fix"}} {
		if c := f.change(o); len(c.Files) != 1 {
			t.Errorf("%+v: files %q", o, paths(c))
		}
	}
	f.git("switch", "--quiet", "--orphan", "other")
	f.write("c.txt", "c\n")
	f.commit("unrelated")
	mustSay(t, f.changeError(Options{}), "main and the working tree have no common ancestor", "--base")
}

func TestShallowClone(t *testing.T) {
	_, f := cloned(t, "--depth=1")
	mustSay(t, f.changeError(Options{}), "shallow clone", "git fetch --unshallow")
	mustSay(t, f.changeError(Options{Base: "HEAD~1"}), "shallow clone")
	f.write("a.txt", "changed\n")
	if c := f.change(Options{}); text(file(t, c, "a.txt")) != "-a\n+changed\n" {
		t.Errorf("files %q", paths(c))
	}
	// A branch that parted before the history begins.
	origin, _ := cloned(t)
	origin.git("switch", "--quiet", "--create", "feature", "HEAD~1")
	origin.write("c.txt", "c\n")
	origin.commit("third")
	f = origin.at(filepath.Join(t.TempDir(), "shallow"))
	origin.git("clone", "--quiet", "--depth=1", "--no-single-branch", "file://"+origin.dir, f.dir)
	f.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
	mustSay(t, f.changeError(Options{Head: "origin/feature"}), "no common ancestor in this shallow clone", "fetch-depth: 0")
}

func TestBareRepository(t *testing.T) {
	origin, _ := cloned(t)
	f := origin.at(filepath.Join(t.TempDir(), "project.git"))
	origin.git("clone", "--quiet", "--bare", origin.dir, f.dir)
	mustSay(t, f.changeError(Options{}), "bare repository", "--head")
	c := f.change(Options{Base: "HEAD~1", Head: "main"})
	if d := cmp.Diff([]string{"added b.txt"}, paths(c)); d != "" {
		t.Error(d)
	}
	checkRead(t, c, "bare", review.Head, "b.txt", "b\n", nil)
	if c.Repo.Name != "project" {
		t.Errorf("repository %v", c.Repo)
	}
}

func TestWorktree(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "a\n")
	f.commit("first")
	other := f.at(filepath.Join(t.TempDir(), "other"))
	f.git("worktree", "add", "--quiet", "-b", "feature", other.dir)
	other.write("b.txt", "b\n")
	c := other.change(Options{})
	if d := cmp.Diff([]string{"added b.txt"}, paths(c)); d != "" {
		t.Error(d)
	}
	checkRead(t, c, "worktree", review.Head, "b.txt", "b\n", nil)
}

func TestSubmodule(t *testing.T) {
	library, _ := cloned(t)
	f := library.at(filepath.Join(t.TempDir(), "main"))
	f.do(os.Mkdir(f.dir, 0o755))
	f.git("init", "--quiet", "--initial-branch=main")
	f.git("config", "user.name", "Ada")
	f.git("config", "user.email", "ada@example.com")
	f.git("submodule", "--quiet", "add", "file://"+library.dir, "lib")
	f.commit("with a library")
	lib := f.at(f.path("lib"))
	lib.git("checkout", "--quiet", "HEAD~1")
	lib.write("a.txt", "nor is this\n")
	lib.write("dirt.txt", "not ours to review\n")
	f.do(os.Mkdir(f.path("nested"), 0o755))
	f.at(f.path("nested")).git("init", "--quiet")
	f.write("nested/a.txt", "a\n")

	c := f.change(Options{})
	if d := cmp.Diff([]string{"modified lib"}, paths(c)); d != "" {
		t.Error(d)
	}
	got := file(t, c, "lib")
	if got.Mode != "160000" || text(got) != "-Subproject commit "+library.git("rev-parse", "HEAD")+"\n+Subproject commit "+library.git("rev-parse", "HEAD~1")+"\n" {
		t.Errorf("%+v", got)
	}
	checkRead(t, c, "submodule", review.Head, "lib", "", review.ErrNotExist)
	checkRead(t, c, "submodule", review.Base, "lib", "", review.ErrNotExist)
	checkRead(t, c, "submodule", review.Head, "lib/dirt.txt", "", review.ErrNotExist)
	// Inside, the submodule is a repository of its own.
	if d := cmp.Diff([]string{"modified a.txt", "added dirt.txt"}, paths(lib.change(Options{}))); d != "" {
		t.Error(d)
	}
}

func TestPartialClone(t *testing.T) {
	origin, _ := cloned(t)
	origin.git("config", "uploadpack.allowFilter", "true")
	f := origin.at(filepath.Join(t.TempDir(), "partial"))
	origin.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", "file://"+origin.dir, f.dir)
	mustSay(t, f.changeError(Options{Base: "HEAD~1", Head: "HEAD"}), "partial clone", "git diff")
}

func TestSHA256(t *testing.T) {
	f := newFixture(t, "--object-format=sha256")
	f.write("a.txt", "a\n")
	f.commit("first")
	f.write("a.txt", "b\n")
	f.write("new.txt", "n\n")
	c := f.change(Options{})
	if got := text(file(t, c, "a.txt")); got != "-a\n+b\n" || len(c.Files) != 2 || len(c.Pull.BaseSHA) != 64 {
		t.Errorf("%q, %+v", got, c.Pull)
	}
	checkRead(t, c, "sha256", review.Base, "a.txt", "a\n", nil)
}

func TestRepoOfURL(t *testing.T) {
	local := review.Repo{Owner: "local", Name: "dir"}
	team := review.Repo{Owner: "team", Name: "pro.ject"}
	for url, want := range map[string]review.Repo{
		"https://github.com/team/pro.ject.git":                 team,
		"https://github.com/team/pro.ject/":                    team,
		"https://x-access-token:ghs_1@ghe.local/team/pro.ject": team,
		"git@github.com:team/pro.ject.git":                     team,
		"github.com:team/pro.ject":                             team,
		"ssh://git@ssh.github.com:443/team/pro.ject.git":       team,
		"git://host/team/pro.ject":                             team,
		"":                                                     local,
		"/srv/git/pro.ject.git":                                local,
		"file:///srv/team/pro.ject":                            local,
		"../team/pro.ject":                                     local,
		`C:\team\pro.ject`:                                     local,
		"C:/team/pro.ject":                                     local,
		"https://gitlab.com/group/team/pro.ject":               local,
	} {
		if got := (gitConfig{"remote.origin.url": {url}}).repo("/some/dir"); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}
