package ghfake

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The IDs are those that git itself gives.
func TestObjectIDs(t *testing.T) {
	o := newObjects()
	if got, want := o.blob("hello\n"), "ce013625030ba8dba906f756967f9e9ca394464a"; got != want {
		t.Errorf("blob %s, want %s", got, want)
	}
	if got, want := o.apply("", nil), "4b825dc642cb6eb9a060e54bf8d69288fbee4904"; got != want {
		t.Errorf("empty tree %s, want %s", got, want)
	}
}

// TestObjectsAgreeWithGit builds the same commit with git.
func TestObjectsAgreeWithGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is needed: install it")
	}
	o := newObjects()
	tree := o.apply("", Files{"a.txt": Text("a"), "a/b.txt": Text("b\n"), "a/c/d": {Data: "#!/bin/sh\n", Mode: ModeExecutable}, "a-b": Text("x"), "link": {Data: "a.txt", Mode: ModeSymlink}})
	sha := o.commit(commit{tree: tree, message: "Message\n\nBody", author: "alice", when: time.Unix(1_700_000_000, 0)})

	dir := t.TempDir()
	git := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		cmd.Env = append(cmd.Environ(), "GIT_AUTHOR_NAME=alice", "GIT_AUTHOR_EMAIL="+emailOf("alice"), "GIT_AUTHOR_DATE=1700000000 +0000",
			"GIT_COMMITTER_NAME=alice", "GIT_COMMITTER_EMAIL="+emailOf("alice"), "GIT_COMMITTER_DATE=1700000000 +0000")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	git("", "init", "-q")
	for path, l := range o.files(tree) {
		git("", "update-index", "--add", "--cacheinfo", l.mode+","+git(o.blobs[l.sha], "hash-object", "-w", "--stdin")+","+path)
	}
	if got := git("", "write-tree"); got != tree {
		t.Fatalf("tree %s, git says %s", tree, got)
	}
	raw := "tree " + tree + "\nauthor alice <" + emailOf("alice") + "> 1700000000 +0000\ncommitter alice <" + emailOf("alice") + "> 1700000000 +0000\n\nMessage\n\nBody"
	if got := git(raw, "hash-object", "-t", "commit", "-w", "--stdin"); got != sha {
		t.Fatalf("commit %s, git says %s", sha, got)
	}
}

func TestMergeBase(t *testing.T) {
	o := newObjects()
	at := func(message string, parents ...string) string {
		return o.commit(commit{tree: o.apply("", Files{"f": Text(message)}), parents: parents, message: message, author: "a"})
	}
	root := at("root")
	one, two := at("one", root), at("two", root)
	merged := at("merged", two, one)
	unrelated := at("unrelated")
	for _, tt := range []struct{ a, b, want string }{
		{one, two, root}, {two, one, root}, {root, one, root}, {one, merged, one}, {merged, two, two}, {one, one, one}, {one, unrelated, ""},
	} {
		if got := o.mergeBase(tt.a, tt.b); got != tt.want {
			t.Errorf("merge base of %.7s and %.7s is %.7q, want %.7q", tt.a, tt.b, got, tt.want)
		}
	}
	if got := len(o.since(two, merged)); got != 2 { // one, merged
		t.Errorf("%d commits since, want 2", got)
	}
}

func TestMisuseOfFiles(t *testing.T) {
	for name, files := range map[string]Files{
		"absolute": {"/a": Text("")}, "directory": {"a/": Text("")}, "empty": {"": Text("")}, "deletes nothing": {"a": Deleted()},
		"submodule without a commit": {"a": {Data: "x", Mode: ModeSubmodule}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			newObjects().apply("", files)
		})
	}
}
