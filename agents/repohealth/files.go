package repohealth

import (
	"fmt"
	"path"
	"strings"

	"assay/agents"
)

// Sizes from which files are spoken of, in bytes. GitHub warns from 50 MiB
// (largeHelp).
const (
	hugeFile  = 50 << 20
	largeFile = 10 << 20
)

// names finds paths of which only one can exist where case does not count: two
// files, or a file and a directory.
func (e *exam) names() {
	files := make(map[string]string, len(e.tree.entries))
	dirs := make(map[string]bool, len(e.tree.dirs))
	for dir := range e.tree.dirs {
		dirs[fold(dir)] = true
	}
	for _, f := range e.tree.entries {
		key := fold(f.Path)
		switch other, taken := files[key]; {
		case taken:
			e.say(ruleCase, f.Path, f.Path+"\n"+other, fmt.Sprintf("This path and %q are one and the same where case does not count (Windows, macOS): rename one of them.", other))
		case dirs[key]:
			e.say(ruleCase, f.Path, f.Path, "This file and a directory have the same name where case does not count (Windows, macOS): rename one of them.")
		default:
			files[key] = f.Path
		}
	}
}

// manifestsOf are the manifests that a lock file belongs to, any of which must
// stand beside it.
var manifestsOf = map[string][]string{
	"package-lock.json": {"package.json"}, "npm-shrinkwrap.json": {"package.json"}, "yarn.lock": {"package.json"}, "bun.lock": {"package.json"}, "bun.lockb": {"package.json"},
	"pnpm-lock.yaml": {"package.json", "pnpm-workspace.yaml", "package.json5", "package.yaml"},
	"go.sum":         {"go.mod"}, "go.work.sum": {"go.work"}, "Cargo.lock": {"Cargo.toml"}, "Gemfile.lock": {"Gemfile"}, "composer.lock": {"composer.json"},
	"poetry.lock": {"pyproject.toml"}, "pdm.lock": {"pyproject.toml"}, "uv.lock": {"pyproject.toml"}, "Pipfile.lock": {"Pipfile"}, "mix.lock": {"mix.exs"}, "pubspec.lock": {"pubspec.yaml"},
}

// rivals are lock files of which a directory should have one.
var rivals = []string{"package-lock.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"}

func (e *exam) locks() {
	for _, f := range e.tree.entries {
		dir, base := path.Split(f.Path)
		wanted, ok := manifestsOf[base]
		if !ok || f.Size == 0 || !own(f.Path) || f.Mode == modeLink {
			continue
		}
		if !e.beside(dir, wanted) {
			e.say(ruleLockOrphan, f.Path, "", fmt.Sprintf("There is no %s beside this lock file, so nothing keeps it up to date: remove it, or put the manifest back.", wanted[0]))
			continue
		}
		e.rival(dir, base, f.Path)
	}
}

func (e *exam) beside(dir string, names []string) bool {
	for _, name := range names {
		if e.tree.has(dir + name) {
			return true
		}
	}
	return false
}

// rival speaks on the second of two, so that a pair is told of once.
func (e *exam) rival(dir, base, at string) {
	for _, other := range rivals {
		if other == base {
			return
		}
		if isRival(base) && e.tree.has(dir+other) {
			e.say(ruleLockRivals, at, "", fmt.Sprintf("Beside this lock file stands %s, of another package manager: keep the one that the project uses.", other))
			return
		}
	}
}

func isRival(base string) bool {
	for _, r := range rivals {
		if r == base {
			return true
		}
	}
	return false
}

var binaries = map[string]bool{
	".exe": true, ".dll": true, ".so": true, ".dylib": true, ".class": true, ".pyd": true, ".o": true, ".a": true, ".lib": true, ".obj": true,
	".jar": true, ".war": true, ".ear": true, ".whl": true, ".egg": true, ".msi": true, ".deb": true, ".rpm": true, ".apk": true, ".dmg": true,
}

// wrappers are compiled code that its makers say to commit.
var wrappers = map[string]bool{"gradle-wrapper.jar": true, "maven-wrapper.jar": true}

// junk is what tools leave behind, by the name of a directory or a file.
var junk = map[string]bool{"node_modules": true, "__pycache__": true, ".DS_Store": true, "Thumbs.db": true}

// blobs looks at sizes and kinds of files. Of junk each kind is told of once.
func (e *exam) blobs() {
	counts := make(map[string]int)
	first := make(map[string]string)
	for _, f := range e.tree.entries {
		if f.Mode == modeLink || f.Mode == modeSubmodule {
			continue
		}
		if kind := junkIn(f.Path); kind != "" {
			if counts[kind]++; counts[kind] == 1 {
				first[kind] = f.Path
			}
			continue
		}
		e.size(f.Path, f.Size)
		if base := path.Base(f.Path); binaries[strings.ToLower(path.Ext(base))] && !wrappers[base] && f.Size != 0 && !agents.TestPath(f.Path) {
			e.say(ruleBinary, f.Path, "", "Compiled code is tracked, which nobody can review: build it where it is needed, or publish it.")
		}
	}
	for _, kind := range []string{"node_modules", "__pycache__", ".DS_Store", "Thumbs.db"} {
		if n := counts[kind]; n > 0 {
			e.say(ruleJunk, first[kind], kind, fmt.Sprintf("%s of %s: remove from git what tools leave behind, and add it to .gitignore.", files(n), kind))
		}
	}
}

// junkIn is the kind of junk that the path is of; empty for none. Fixtures may
// hold any.
func junkIn(p string) string {
	for part := range strings.SplitSeq(p, "/") {
		if junk[part] && !agents.TestPath(p) {
			return part
		}
	}
	return ""
}

func (e *exam) size(p string, size int64) {
	message := fmt.Sprintf("The file has %d MiB, which every clone downloads: keep it elsewhere, or in Git LFS.", size>>20)
	switch {
	case size >= hugeFile:
		e.say(ruleHuge, p, "", message)
	case size >= largeFile:
		e.say(ruleLarge, p, "", message)
	}
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
