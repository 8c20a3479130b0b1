package ghfake

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git names its objects by SHA-1
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Git's file modes.
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeSymlink    = "120000" // Data is the target
	ModeSubmodule  = "160000" // Data is the commit

	modeTree = "040000"
)

// File is a file of a commit.
type File struct {
	Data string
	// Mode is git's mode; ModeFile when empty.
	Mode string
	// Deleted removes the file; Data and Mode do not matter then.
	Deleted bool
}

// Files are files by their path. A set of Files is laid over what was there:
// what it does not name stays.
type Files map[string]File

// Text is a plain file.
func Text(data string) File { return File{Data: data} }

// Deleted removes a file.
func Deleted() File { return File{Deleted: true} }

// leaf is a file in a tree.
type leaf struct{ mode, sha string }

// treeEntry is a line of a tree object.
type treeEntry struct{ mode, name, sha string }

func (e treeEntry) kind() string {
	switch e.mode {
	case modeTree:
		return "tree"
	case ModeSubmodule:
		return "commit"
	default:
		return "blob"
	}
}

// commit is a commit object.
type commit struct {
	sha     string
	tree    string
	parents []string
	message string
	author  string // a login
	when    time.Time
}

// objects is a git object database, shared by a repository and its forks.
// What is stored never changes.
type objects struct {
	blobs   map[string]string
	trees   map[string][]treeEntry
	commits map[string]*commit
	flat    map[string]map[string]leaf // root tree → path → file
	diffs   map[[2]string][]fileDiff   // trees → their diff
}

func newObjects() *objects {
	return &objects{
		blobs: map[string]string{}, trees: map[string][]treeEntry{}, commits: map[string]*commit{},
		flat: map[string]map[string]leaf{}, diffs: map[[2]string][]fileDiff{},
	}
}

// objectID is git's name of an object.
func objectID(kind string, data []byte) string {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "%s %d\x00", kind, len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

func (o *objects) blob(data string) string {
	id := objectID("blob", []byte(data))
	o.blobs[id] = data
	return id
}

// apply lays files over a tree and returns the new tree. An empty base is the
// empty tree.
func (o *objects) apply(base string, files Files) string {
	all := map[string]leaf{}
	for path, l := range o.files(base) {
		all[path] = l
	}
	for path, f := range files {
		if path == "" || strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
			panic(fmt.Sprintf("ghfake: %q is not a path of a file", path))
		}
		switch {
		case f.Deleted:
			if _, exists := all[path]; !exists {
				panic(fmt.Sprintf("ghfake: cannot delete %s: no such file", path))
			}
			delete(all, path)
		case f.Mode == ModeSubmodule:
			all[path] = leaf{ModeSubmodule, f.Data}
		default:
			setDefault(&f.Mode, ModeFile)
			all[path] = leaf{f.Mode, o.blob(f.Data)}
		}
	}
	id := o.tree(all)
	o.flat[id] = all
	return id
}

// tree stores the tree objects of a set of files and returns the root.
func (o *objects) tree(files map[string]leaf) string {
	var entries []treeEntry
	below := map[string]map[string]leaf{}
	for path, l := range files {
		dir, rest, nested := strings.Cut(path, "/")
		if !nested {
			entries = append(entries, treeEntry{l.mode, path, l.sha})
			continue
		}
		if below[dir] == nil {
			below[dir] = map[string]leaf{}
		}
		below[dir][rest] = l
	}
	for dir, files := range below {
		entries = append(entries, treeEntry{modeTree, dir, o.tree(files)})
	}
	// Git sorts a directory as though its name ended in a slash.
	key := func(e treeEntry) string {
		if e.mode == modeTree {
			return e.name + "/"
		}
		return e.name
	}
	slices.SortFunc(entries, func(a, b treeEntry) int { return strings.Compare(key(a), key(b)) })
	var buf bytes.Buffer
	for _, e := range entries {
		raw, err := hex.DecodeString(e.sha)
		if err != nil || len(raw) != sha1.Size {
			panic(fmt.Sprintf("ghfake: %q is not the ID of an object", e.sha))
		}
		// Inside the object, git writes the mode of a tree without its zero.
		fmt.Fprintf(&buf, "%s %s\x00%s", strings.TrimPrefix(e.mode, "0"), e.name, raw)
	}
	id := objectID("tree", buf.Bytes())
	o.trees[id] = entries
	return id
}

// files are the files of the tree of a commit, by path; none for the empty ID.
// The map must not be changed.
func (o *objects) files(tree string) map[string]leaf { return o.flat[tree] }

// commit stores a commit and returns its ID.
func (o *objects) commit(c commit) string {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", c.tree)
	for _, p := range c.parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	who := fmt.Sprintf("%s <%s> %d +0000", c.author, emailOf(c.author), c.when.Unix())
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s", who, who, c.message)
	c.sha = objectID("commit", []byte(b.String()))
	o.commits[c.sha] = &c
	return c.sha
}

func emailOf(login string) string { return login + "@users.noreply.example.com" }

// history yields the commits reachable from sha, each once, newest first as far
// as parents tell.
func (o *objects) history(sha string) []*commit {
	var out []*commit
	seen := map[string]bool{}
	for next := []string{sha}; len(next) > 0; next = next[1:] {
		c := o.commits[next[0]]
		if c == nil || seen[c.sha] {
			continue
		}
		seen[c.sha] = true
		out = append(out, c)
		next = append(next, c.parents...)
	}
	return out
}

// mergeBase is the nearest commit that both have; empty when there is none.
func (o *objects) mergeBase(a, b string) string {
	reach := map[string]bool{}
	for _, c := range o.history(a) {
		reach[c.sha] = true
	}
	for _, c := range o.history(b) {
		if reach[c.sha] {
			return c.sha
		}
	}
	return ""
}

// since are the commits that head has and base has not, oldest first, as GitHub
// lists them.
func (o *objects) since(base, head string) []*commit {
	reach := map[string]bool{}
	for _, c := range o.history(base) {
		reach[c.sha] = true
	}
	var out []*commit
	for _, c := range o.history(head) {
		if !reach[c.sha] {
			out = append(out, c)
		}
	}
	slices.Reverse(out)
	return out
}

// treeOf is the tree of a commit; empty when there is no such commit.
func (o *objects) treeOf(sha string) string {
	if c := o.commits[sha]; c != nil {
		return c.tree
	}
	return ""
}
