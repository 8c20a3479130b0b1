package repohealth

import (
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"

	"assay/agents"
	"assay/review"
)

// Modes of git's entries.
const (
	modeLink      = "120000"
	modeSubmodule = "160000"
)

// tree is the files of the head, made to be asked.
type tree struct {
	entries []review.Entry
	byPath  map[string]review.Entry
	// dirs are the directories that hold files, by path; the root is not one.
	dirs map[string]bool
}

func newTree(entries []review.Entry) tree {
	t := tree{entries: entries, byPath: make(map[string]review.Entry, len(entries)), dirs: make(map[string]bool)}
	for _, e := range entries {
		t.byPath[e.Path] = e
		for dir := path.Dir(e.Path); dir != "." && dir != "/" && !t.dirs[dir]; dir = path.Dir(dir) {
			t.dirs[dir] = true
		}
	}
	return t
}

func (t tree) has(paths ...string) bool {
	for _, p := range paths {
		if _, ok := t.byPath[p]; ok {
			return true
		}
	}
	return false
}

// document finds a file that GitHub shows as one of the repository's documents
// where it looks for such: .github, the root and docs, in this order. name is
// lower case and without extension.
func (t tree) document(names ...string) (string, bool) {
	for _, dir := range []string{".github/", "", "docs/"} {
		for _, e := range t.entries {
			rest, ok := strings.CutPrefix(e.Path, dir)
			if !ok || strings.Contains(rest, "/") {
				continue
			}
			rest = strings.ToLower(rest)
			for _, name := range names {
				if after, ok := strings.CutPrefix(rest, name); ok && (after == "" || strings.Contains(".-_", after[:1])) {
					return e.Path, true
				}
			}
		}
	}
	return "", false
}

// own reports whether the file is the project's own: no fixture, nothing
// vendored.
func own(p string) bool {
	return !agents.TestPath(p) && !agents.GeneratedPath(path.Join(path.Dir(p), "x"))
}

// fold is the path as a file system sees it to which case does not count.
func fold(p string) string { return strings.ToLower(norm.NFC.String(p)) }
