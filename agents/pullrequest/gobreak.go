package pullrequest

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/agents"
	"assay/review"
)

// maxGoFiles is how many changed Go files are compared; a change of more is a
// migration, of which its author knows that it breaks.
const maxGoFiles = 300

// goBreaks compares what the changed files of each Go package export before and
// after. Files that do not change export the same on both sides, so a
// declaration that moves within its package is seen to be still there.
//
// Only packages that others import at a stable version are looked at: not
// internal, not main, and of a module whose path says v2 or later. That a module
// is at v1 its path does not tell; the option goAPI does.
func (a *Agent) goBreaks(ctx context.Context, change *review.Change, always bool) ([]review.Finding, error) {
	var found []review.Finding
	modules := moduleFinder{change: change, always: always, known: make(map[string]bool)}
	dirs := goPackages(change)
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		stable, err := modules.stable(ctx, dir)
		if err != nil || !stable {
			if err != nil {
				return found, err
			}
			continue
		}
		base, head, ok, err := readPackage(ctx, change, dir, dirs[dir])
		if err != nil {
			return found, err
		}
		if ok && base.pkg != "main" {
			found = append(found, a.compareGo(dir, base, head, change)...)
		}
	}
	return found, nil
}

// goPackages are the changed files by the directory that they are in at the
// base; empty where nothing can be said of them.
func goPackages(change *review.Change) map[string][]review.File {
	dirs := make(map[string][]review.File)
	n := 0
	for _, f := range change.Files {
		if path.Ext(f.Path) != ".go" || strings.HasSuffix(f.Path, "_test.go") {
			continue
		}
		if n++; n > maxGoFiles {
			return nil
		}
		for _, dir := range []string{path.Dir(basePath(f)), path.Dir(f.Path)} {
			if public(dir) && !slices.ContainsFunc(dirs[dir], func(g review.File) bool { return g.Path == f.Path }) {
				dirs[dir] = append(dirs[dir], f)
			}
		}
	}
	return dirs
}

func basePath(f review.File) string {
	if f.OldPath != "" && f.Status == review.Renamed {
		return f.OldPath
	}
	return f.Path
}

// public reports whether packages in the directory may be imported by others.
func public(dir string) bool {
	for part := range strings.SplitSeq(dir, "/") {
		switch part {
		case "internal", "cmd", "vendor", "testdata":
			return false
		}
		if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") && part != "." {
			return false
		}
	}
	return !agents.TestPath(dir+"/x.go") && !agents.GeneratedPath(dir+"/x.go")
}

// readPackage reads those of the files that are in the directory, on both
// sides; ok is false where one of them cannot be read or is for some builds
// only.
func readPackage(ctx context.Context, change *review.Change, dir string, files []review.File) (base, head *api, ok bool, err error) {
	base, head = newAPI(), newAPI()
	for _, f := range files {
		if f.Status != review.Added && f.Status != review.Copied && path.Dir(basePath(f)) == dir {
			text, ok, err := readSide(ctx, change, review.Base, basePath(f))
			if err != nil || !ok || !base.add(f.Path, text) {
				return nil, nil, false, err
			}
		}
		if f.Status != review.Removed && path.Dir(f.Path) == dir {
			text, ok, err := readSide(ctx, change, review.Head, f.Path)
			if err != nil || !ok || !head.add(f.Path, text) {
				return nil, nil, false, err
			}
		}
	}
	return base, head, true, nil
}

// compareGo makes a finding for each thing that was exported and is not any
// more, or is something else.
func (a *Agent) compareGo(dir string, base, head *api, change *review.Change) []review.Finding {
	var found []review.Finding
	for _, name := range slices.Sorted(maps.Keys(base.names)) {
		was, is := base.names[name], export{}
		is, there := head.names[name]
		owner, _, member := strings.Cut(name, ".")
		switch {
		case was.twice || is.twice:
		case !there && member && (head.names[owner].show == "" && base.names[owner].show != "" || head.names[owner].aliased || head.names[owner].sig != base.names[owner].sig):
			// told of with its type, or not known
		case !there:
			found = append(found, a.goFinding(was, change, fmt.Sprintf("%s of package %s is removed, which breaks whoever uses it.", was.show, dir), 0))
		case was.sig != "" && is.sig != "" && was.sig != is.sig && !is.aliased && !was.aliased && !sameCalls(was.sig, is.sig):
			found = append(found, a.goFinding(is, change, fmt.Sprintf("%s of package %s changes, which breaks whoever uses it: it was %s and is %s.", is.show, dir, short(was.sig), short(is.sig)), is.line))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(head.names)) {
		owner, _, member := strings.Cut(name, ".")
		if _, was := base.names[name]; !was && member && base.names[owner].open && head.names[owner].open {
			is := head.names[name]
			found = append(found, a.goFinding(is, change, fmt.Sprintf("%s is added to an interface of package %s, which breaks whoever implements it.", is.show, dir), is.line))
		}
	}
	return found
}

// sameCalls reports whether the difference is only that a method can now be
// called on values too.
func sameCalls(was, is string) bool { return was == "*"+is }

func (a *Agent) goFinding(e export, change *review.Change, message string, line int) review.Finding {
	f := a.finding(ruleGoAPI, message)
	f.Evidence = e.show
	if file, ok := change.File(e.path); ok {
		f.Path = file.Path
		if file.Status != review.Removed {
			f.StartLine, f.EndLine = line, line
		}
	}
	return f
}

func short(sig string) string {
	const most = 200
	if r := []rune(sig); len(r) > most {
		return string(r[:most]) + "…"
	}
	return sig
}

// moduleFinder knows which directories belong to modules at a stable version.
type moduleFinder struct {
	change *review.Change
	always bool
	known  map[string]bool
}

var (
	moduleLine = regexp.MustCompile(`(?m)^module[ \t]+"?([^\s"]+)"?`)
	stablePath = regexp.MustCompile(`/v[0-9]+$|^gopkg\.in/.*\.v[1-9][0-9]*$`)
)

// stable finds the go.mod of the directory at the base. A module whose path
// changes with this change is a new one, which breaks nobody.
func (m moduleFinder) stable(ctx context.Context, dir string) (bool, error) {
	if known, ok := m.known[dir]; ok {
		return known, nil
	}
	at := path.Join(dir, "go.mod")
	text, ok, err := readSide(ctx, m.change, review.Base, at)
	if err != nil {
		return false, err
	}
	stable := false
	switch name := moduleName(text); {
	case ok && name != "":
		now, _, err := readSide(ctx, m.change, review.Head, at)
		if err != nil {
			return false, err
		}
		stable = moduleName(now) == name && (m.always || stablePath.MatchString(name))
	case dir != ".":
		if stable, err = m.stable(ctx, path.Dir(dir)); err != nil {
			return false, err
		}
	}
	m.known[dir] = stable
	return stable, nil
}

func moduleName(text []byte) string {
	if m := moduleLine.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}
