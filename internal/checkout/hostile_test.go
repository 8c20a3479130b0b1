package checkout

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// TestHostileRepositoryRunsNothing plants every program that a repository can
// name to git. Each writes a marker; none may appear.
func TestHostileRepositoryRunsNothing(t *testing.T) {
	f := newFixture(t)
	f.write("a.txt", "a\n")
	f.write("b.odd", "b\n")
	f.write("c.piped", "c\n")
	f.write("stat.txt", "same\n")
	f.commit("base")
	f.git("switch", "--quiet", "--create", "feature")
	f.git("submodule", "--quiet", "add", "file://"+f.dir, "sub")
	f.commit("with a submodule")

	markers := t.TempDir()
	program := func(name string) string {
		path := filepath.Join(t.TempDir(), "program")
		script := fmt.Sprintf("#!/bin/sh\n: > '%s'\ncat\n", filepath.Join(markers, name))
		f.do(os.WriteFile(path, []byte(script), 0o755))
		return path
	}
	hooks := t.TempDir()
	for _, hook := range []string{"post-index-change", "fsmonitor-watchman", "pre-auto-gc", "reference-transaction", "post-checkout"} {
		f.do(os.Rename(program("hook-"+hook), filepath.Join(hooks, hook)))
	}
	plant := func(f fixture, where string) {
		for key, value := range map[string]string{
			"core.fsmonitor": program(where + "fsmonitor"), "core.hooksPath": hooks, "core.pager": program(where + "pager"),
			"core.sshCommand": program(where + "ssh"), "core.askPass": program(where + "askpass"), "core.editor": program(where + "editor"),
			"pager.diff": program(where + "pager"), "diff.external": program(where + "external"), "diff.odd.command": program(where + "driver"),
			"diff.odd.textconv": program(where + "textconv"), "diff.odd.cachetextconv": "true", "interactive.diffFilter": program(where + "diffFilter"),
			"filter.odd.clean": program(where + "clean"), "filter.odd.smudge": program(where + "smudge"), "filter.odd.required": "true",
			"filter.pi=ped.x.process": program(where + "process"), "filter.pi=ped.x.required": "true",
			"credential.helper": "!" + program(where+"credential"), "gpg.program": program(where + "gpg"), "log.showSignature": "true",
			"alias.diff": "!" + program(where+"alias"), "core.alternateRefsCommand": program(where + "alternates"),
			"protocol.allow": "always", "protocol.ext.allow": "always", "remote.origin.url": "ext::" + program(where+"transport") + " %S",
			"remote.origin.promisor": "true", "remote.origin.partialclonefilter": "blob:none", "extensions.partialClone": "origin",
			"core.quotePath": "true", "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "diff.renames": "false", "color.ui": "always",
			"diff.context": "0", "diff.interHunkContext": "50", "diff.submodule": "log", "diff.relative": "true", "diff.suppressBlankEmpty": "true",
			"diff.orderFile": "/dev/null", "core.attributesFile": f.path(".gitattributes"), "diff.wordRegex": ".",
		} {
			f.git("config", key, value)
		}
	}
	f.write(".gitattributes", "*.odd diff=odd filter=odd\n*.piped filter=pi=ped.x\n*.txt diff=odd\n")
	f.write("a.txt", "aa\n")
	f.write("b.odd", "bb\n")
	f.write("c.piped", "cc\n")
	f.write("stat.txt", "else\n")
	f.write("stat.txt", "same\n")
	f.write("new.txt", "new\n")
	f.write("new.odd", "new\n")
	f.at(f.path("sub")).write("a.txt", "dirt\n")
	head := f.git("commit-tree", "-p", "HEAD", "-m", "head", f.git("rev-parse", "HEAD^{tree}"))
	before := snapshot(t, f.path(".git"))
	plant(f, "")
	plant(f.at(f.path("sub")), "sub-")
	f.write("sub/.gitattributes", "* filter=odd diff=odd\n")
	before["config"], before["modules/sub/config"] = snapshot(t, f.path(".git"))["config"], snapshot(t, f.path(".git"))["modules/sub/config"]

	c := f.change(Options{Base: "main"})
	for path, want := range map[string]string{"a.txt": "-a\n+aa\n", "new.txt": "+new\n", "b.odd": "", "c.piped": "", "new.odd": ""} {
		got := file(t, c, path)
		if text(got) != want {
			t.Errorf("%s: diff %q, want %q", path, text(got), want)
		}
		if filtered := want == ""; filtered != strings.Contains(got.Unread, "filter") {
			t.Errorf("%s: unread %q", path, got.Unread)
		}
		checkRead(t, c, "hostile", review.Base, "b.odd", "b\n", nil)
		checkRead(t, c, "hostile", review.Head, "b.odd", "bb\n", nil)
	}
	commit := f.change(Options{Base: "main", Head: head})
	if len(commit.Files) == 0 {
		t.Error("no files between commits")
	}
	checkRead(t, commit, "hostile", review.Head, "absent", "", review.ErrNotExist)

	planted, err := os.ReadDir(markers)
	f.do(err)
	for _, marker := range planted {
		t.Errorf("%s was run", marker.Name())
	}
	if d := cmp.Diff(before, snapshot(t, f.path(".git"))); d != "" {
		t.Errorf("the repository was written to:\n%s", d)
	}
}

// TestPlantedProgramsWouldRun holds that the traps above are good ones: plain
// git falls into them.
func TestPlantedProgramsWouldRun(t *testing.T) {
	f := newFixture(t)
	f.write("a.odd", "a\n")
	f.write(".gitattributes", "*.odd filter=odd diff=odd\n")
	f.commit("base")
	marker := filepath.Join(t.TempDir(), "marker")
	program := filepath.Join(t.TempDir(), "program")
	f.do(os.WriteFile(program, []byte("#!/bin/sh\n: > '"+marker+"'\n"), 0o755))
	for _, key := range []string{"core.fsmonitor", "diff.external", "diff.odd.textconv", "filter.odd.clean"} {
		f.do(os.RemoveAll(marker))
		f.write("a.odd", key+"\n")
		f.git("config", key, program)
		f.git("diff", "HEAD")
		f.git("config", "--unset", key)
		if _, err := os.Stat(marker); err != nil {
			t.Errorf("plain git does not run %s: the trap is none", key)
		}
	}
}

// snapshot returns size and content of every file under a directory.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
