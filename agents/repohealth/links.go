package repohealth

import (
	"context"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"assay/agents"
)

const (
	maxLinks = 200 // links that are read
	maxHops  = 40  // links followed on one path, as Linux has it
)

// links finds symbolic links to nothing. Where a link was followed instead of
// read (GitHub does that for links to files), or could not be read, nothing is
// known against it. Links out of the repository and into what a build makes are
// somebody's intention.
func (e *exam) links(ctx context.Context) error {
	targets := make(map[string]string)
	n := 0
	for _, f := range e.tree.entries {
		if f.Mode != modeLink || !own(f.Path) {
			continue
		}
		if n++; n > maxLinks {
			e.gaps = append(e.gaps, fmt.Sprintf("of the symbolic links only %d were followed", maxLinks))
			break
		}
		text, ok, err := e.read(ctx, f.Path)
		if err != nil {
			return err
		}
		if ok && int64(len(text)) == f.Size && linkForm(string(text)) {
			targets[f.Path] = string(text)
		}
	}
	for _, f := range e.tree.entries {
		if target, ok := targets[f.Path]; ok && e.dangles(f.Path, target, targets) {
			e.say(ruleLink, f.Path, target, fmt.Sprintf("The symbolic link leads to %q, which is not in the repository.", target))
		}
	}
	return nil
}

func linkForm(target string) bool {
	return target != "" && len(target) < 4096 && utf8.ValidString(target) && !strings.ContainsAny(target, "\x00\n")
}

// dangles reports whether it is certain that the link leads to nothing.
func (e *exam) dangles(from, target string, targets map[string]string) bool {
	for range maxHops {
		if path.IsAbs(target) {
			return false
		}
		// path.Join resolves ".." by the text, which is right only while no
		// directory on the way is itself a link; through one nothing is said.
		to := path.Join(path.Dir(from), target)
		if to == "." || to == ".." || strings.HasPrefix(to, "../") || e.throughLink(to) || built(to) {
			return false
		}
		if e.tree.dirs[to] {
			return false
		}
		f, ok := e.tree.byPath[to]
		if !ok {
			return true
		}
		next, known := targets[to]
		if f.Mode != modeLink || !known {
			return false
		}
		from, target = to, next
	}
	return true // a circle
}

// built reports whether the path is where builds put what they make.
func built(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	switch first {
	case "build", "out", "target", "bin", "_build", "result":
		return true
	}
	return strings.HasPrefix(first, "bazel-") || agents.GeneratedPath(path.Join(p, "x"))
}

// throughLink reports whether a part of the path before the last is a link, a
// submodule or a file, beyond which the tree does not reach.
func (e *exam) throughLink(p string) bool {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if f, ok := e.tree.byPath[dir]; ok {
			return f.Mode == modeLink || f.Mode == modeSubmodule
		}
	}
	return false
}
