package hygiene

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"assay/agents"
	"assay/review"
)

const (
	ruleBrokenLink  = Name + "/broken-symlink"
	ruleOutsideLink = Name + "/outside-symlink"

	// modeSymlink is git's mode of symbolic links.
	modeSymlink = "120000"
	// maxHops bounds how many links are followed; Linux follows 40.
	maxHops = 40
)

func symlinkRules() []agents.Rule {
	return []agents.Rule{
		{
			ID: ruleBrokenLink, Severity: review.Medium, Category: review.Correctness,
			What: "A symbolic link leads to a file that the repository does not have.", Why: "Whatever reads it fails.",
			Fix: "Correct the target, which is relative to the directory of the link, or add the file.", Example: "bad:\ndocs/README.md -> REDAME.md\ngood:\ndocs/README.md -> ../README.md",
		},
		{
			ID: ruleOutsideLink, Severity: review.Medium, Category: review.Security,
			What: "A symbolic link leads out of the repository.", Why: "It leads elsewhere on every machine, and tools that follow it read or write files of whoever runs them.",
			Fix: "Link to a file of the repository, relative to the link.", Example: "bad:\nconfig -> /etc/passwd\nsrc -> ../../other/src\ngood:\nconfig -> ../shared/config",
		},
	}
}

// links looks at symbolic links. It is for one run, and lists the tree only
// when there is a link to look at.
type links struct {
	agent  *Agent
	change *review.Change
	asked  bool
	known  map[string]bool // files and directories at the head; nil where not known
	gap    string
}

// check makes the findings about a file if it is a link that the change adds or
// leads elsewhere.
func (l *links) check(ctx context.Context, f review.File) (found []review.Finding, gap string) {
	if f.Mode != modeSymlink {
		return nil, ""
	}
	target, line := "", 0
	for added := range f.Added() {
		if line != 0 {
			return nil, "" // a target with a newline in it
		}
		target, line = added.Text, added.New
	}
	if line == 0 && f.Status != review.Renamed {
		return nil, ""
	}
	if line == 0 {
		data, err := l.read(ctx, f.Path)
		if err != nil {
			return nil, "the target of the link could not be read"
		}
		target = data
	}
	finding := func(rule, message string) []review.Finding {
		c := l.agent.finding(rule, f.Path, message)
		c.StartLine, c.EndLine, c.Evidence = line, line, clip(target)
		return []review.Finding{c}
	}
	to, inside := resolve(f.Path, target)
	if !inside {
		return finding(ruleOutsideLink, fmt.Sprintf("This link leads to %q, out of the repository: link to a file of the repository, relative to the link.", clip(target))), ""
	}
	if l.load(ctx); l.known == nil {
		return nil, l.gap
	}
	if to != "." && !l.known[to] && !l.throughLink(to) {
		return finding(ruleBrokenLink, fmt.Sprintf("This link leads to %q, which is not in the repository: correct the target, or add the file.", clip(to))), ""
	}
	return nil, ""
}

func (l *links) read(ctx context.Context, p string) (string, error) {
	if l.change.Contents == nil {
		return "", review.ErrNotExist
	}
	data, err := l.change.Contents.Read(ctx, review.Head, p)
	return string(data), err
}

// resolve is the path in the repository that a link at p leads to; inside is
// false for one out of it.
func resolve(p, target string) (to string, inside bool) {
	if path.IsAbs(target) || strings.HasPrefix(target, `\`) || len(target) > 1 && target[1] == ':' {
		return "", false
	}
	to = path.Join(path.Dir(p), target)
	return to, to != ".." && !strings.HasPrefix(to, "../")
}

// throughLink reports whether a directory on the way is itself a link or a
// submodule, behind which files are not known.
func (l *links) throughLink(to string) bool {
	for dir, hops := path.Dir(to), 0; dir != "." && hops < maxHops; dir, hops = path.Dir(dir), hops+1 {
		if l.known[dir+"\x00"] {
			return true
		}
	}
	return false
}

// load lists the tree at the head, once.
func (l *links) load(ctx context.Context) {
	if l.asked {
		return
	}
	l.asked = true
	if l.change.Tree == nil {
		return // a change without a tree: nothing can be said, by design
	}
	entries, err := l.change.Tree.List(ctx, review.Head)
	switch {
	case errors.Is(err, review.ErrTooLarge):
		l.gap = "whether the link's target exists is not known: the repository is too large to list"
		return
	case err != nil:
		l.gap = "whether the link's target exists is not known: the files could not be listed"
		return
	}
	l.known = make(map[string]bool, 2*len(entries))
	for _, e := range entries {
		l.known[e.Path] = true
		if e.Mode == modeSymlink || e.Mode == "160000" {
			l.known[e.Path+"\x00"] = true
		}
		for dir := path.Dir(e.Path); dir != "." && !l.known[dir]; dir = path.Dir(dir) {
			l.known[dir] = true
		}
	}
}
