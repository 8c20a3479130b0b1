package checkout

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"assay/review"
)

// fixture is a real repository, made with the git of this machine.
type fixture struct {
	t   testing.TB
	dir string
}

// newFixture makes a repository with nobody's settings but its own.
func newFixture(t testing.TB, args ...string) fixture {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatalf("these tests make real repositories and need git: %v", err)
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(t.TempDir(), "gitconfig"))
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	f := fixture{t: t, dir: filepath.Join(t.TempDir(), "project")}
	f.at(filepath.Dir(f.dir)).git(append([]string{"init", "--quiet", "--initial-branch=main", f.dir}, args...)...)
	f.git("config", "user.name", "Ada")
	f.git("config", "user.email", "ada@example.com")
	return f
}

func (f fixture) at(dir string) fixture { return fixture{f.t, dir} }

// git runs git and returns what it wrote, without the last newline.
func (f fixture) git(args ...string) string {
	f.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = f.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func (f fixture) write(path, text string) {
	f.t.Helper()
	full := filepath.Join(f.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) do(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f fixture) path(name string) string { return filepath.Join(f.dir, name) }

// commit commits everything.
func (f fixture) commit(message string) string {
	f.t.Helper()
	f.git("add", "--all")
	f.git("commit", "--quiet", "--allow-empty", "--message", message)
	return f.git("rev-parse", "HEAD")
}

func (f fixture) open() *Repo {
	f.t.Helper()
	r, err := Open(f.t.Context(), f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return r
}

func (f fixture) change(o Options) *review.Change {
	f.t.Helper()
	c, err := f.open().Change(f.t.Context(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// changeError returns the error of a change that must fail.
func (f fixture) changeError(o Options) error {
	f.t.Helper()
	c, err := f.open().Change(f.t.Context(), o)
	if err == nil {
		f.t.Fatalf("no error, but %d files", len(c.Files))
	}
	return err
}

// paths returns "status path" of every file.
func paths(c *review.Change) []string {
	var all []string
	for _, f := range c.Files {
		name := string(f.Status) + " " + f.Path
		if f.OldPath != "" {
			name = string(f.Status) + " " + f.OldPath + " -> " + f.Path
		}
		all = append(all, name)
	}
	return all
}

// text returns the lines of a file's hunks with their signs.
func text(f review.File) string {
	var b strings.Builder
	for _, h := range f.Hunks {
		for _, l := range h.Lines {
			b.WriteByte(byte(l.Op))
			b.WriteString(l.Text + "\n")
		}
	}
	return b.String()
}

func file(t *testing.T, c *review.Change, path string) review.File {
	t.Helper()
	f, ok := c.File(path)
	if !ok {
		t.Fatalf("no file %q in %q", path, paths(c))
	}
	return f
}

func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestOpen(t *testing.T) {
	f := newFixture(t)
	t.Run("outside", func(t *testing.T) {
		t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
		_, err := Open(t.Context(), t.TempDir())
		mustSay(t, err, "not in a git repository", "run this in a checkout")
	})
	t.Run("no such directory", func(t *testing.T) {
		_, err := Open(t.Context(), f.path("nowhere"))
		mustSay(t, err, "no such file")
	})
	t.Run("inside .git", func(t *testing.T) {
		_, err := Open(t.Context(), f.path(".git"))
		mustSay(t, err, "inside a .git directory")
	})
	t.Run("without git", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := Open(t.Context(), f.dir)
		mustSay(t, err, "find git", "install git 2.31")
	})
	t.Run("old git", func(t *testing.T) {
		bin := t.TempDir()
		f.do(os.WriteFile(filepath.Join(bin, "git"), []byte("#!/bin/sh\necho git version 2.30.9\n"), 0o755))
		t.Setenv("PATH", bin)
		_, err := Open(t.Context(), f.dir)
		mustSay(t, err, "git 2.30 is too old", "2.31")
	})
	t.Run("from a subdirectory, called by a hook", func(t *testing.T) {
		f.write("deep/er/a.txt", "a\n")
		t.Setenv("GIT_DIR", "/nowhere")
		t.Setenv("GIT_INDEX_FILE", "/nowhere/index")
		r, err := Open(t.Context(), f.path("deep/er"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		c, err := r.Change(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		file(t, c, "deep/er/a.txt")
	})
	t.Run("core.worktree elsewhere", func(t *testing.T) {
		elsewhere := t.TempDir()
		f.git("config", "core.worktree", elsewhere)
		_, err := Open(t.Context(), f.dir)
		f.do(os.WriteFile(f.path(".git/config"), nil, 0o644))
		mustSay(t, err, "inside a .git directory") // git calls the directory outside of its working tree
		inner := filepath.Join(elsewhere, "inner")
		f.do(os.Mkdir(inner, 0o755))
		f.at(inner).git("init", "--quiet")
		f.at(inner).git("config", "core.worktree", elsewhere)
		_, err = Open(t.Context(), inner)
		mustSay(t, err, "core.worktree")
	})
}

func TestCancelled(t *testing.T) {
	f := newFixture(t)
	f.write("a", "a\n")
	r := f.open()
	c, err := r.Change(t.Context(), Options{})
	f.do(err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Change(ctx, Options{})
	mustSay(t, err, context.Canceled.Error())
	_, err = c.Contents.Read(ctx, review.Base, "a")
	mustSay(t, err, context.Canceled.Error())
}
