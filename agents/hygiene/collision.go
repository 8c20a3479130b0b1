package hygiene

import (
	"context"
	"fmt"
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"

	"assay/review"
)

// maxProbes is how many paths outside the change are asked for; each may be a
// request.
const maxProbes = 6

// familiar are names that stand in repositories in more than one spelling, so
// that it is worth asking whether the other is there.
var familiar = map[string][]string{
	"readme.md": {"README.md", "readme.md", "Readme.md"}, "license": {"LICENSE", "License", "license"}, "makefile": {"Makefile", "makefile"},
	"dockerfile": {"Dockerfile", "dockerfile"}, "changelog.md": {"CHANGELOG.md", "changelog.md", "Changelog.md"},
	"contributing.md": {"CONTRIBUTING.md", "contributing.md"},
}

// collisions finds added paths that differ from another by case alone (or by
// how accents are composed, which file systems treat alike). Of the paths that
// the change does not touch it knows only those it asks for.
func (a *Agent) collisions(ctx context.Context, change *review.Change) []review.Finding {
	byFold := make(map[string]string, len(change.Files))
	for _, f := range change.Files {
		if f.Status == review.Modified {
			byFold[fold(f.Path)] = f.Path
		}
	}
	var found []review.Finding
	near := neighbours{contents: change.Contents, gone: gonePaths(change)}
	for _, f := range change.Files {
		if f.Status == review.Removed || f.Status == review.Modified {
			continue
		}
		other, known := byFold[fold(f.Path)]
		if !known {
			byFold[fold(f.Path)] = f.Path
			other = near.find(ctx, f.Path)
		}
		if other == "" || other == f.Path {
			continue
		}
		c := a.finding(ruleCase, f.Path, fmt.Sprintf("This path and %q are one and the same where case does not count (Windows, macOS): rename one of them.", other))
		c.Evidence = f.Path + "\n" + other
		found = append(found, c)
	}
	return found
}

// gonePaths are the paths that the change takes away.
func gonePaths(change *review.Change) map[string]bool {
	gone := make(map[string]bool)
	for _, f := range change.Files {
		switch f.Status {
		case review.Removed:
			gone[f.Path] = true
		case review.Renamed:
			gone[f.OldPath] = true
		}
	}
	return gone
}

// neighbours finds paths outside the change. It is for one run.
type neighbours struct {
	contents review.Contents
	gone     map[string]bool
	probes   int
}

// find returns another spelling of the path that is at the head; empty when
// there is none that is known.
func (n *neighbours) find(ctx context.Context, p string) string {
	if n.contents == nil {
		return ""
	}
	dir, base := path.Split(p)
	for _, spelling := range familiar[strings.ToLower(base)] {
		other := dir + spelling
		if other == p || n.gone[other] || n.probes >= maxProbes {
			continue
		}
		n.probes++
		if _, err := n.contents.Read(ctx, review.Head, other); err == nil {
			return other
		}
	}
	return ""
}

func fold(p string) string { return strings.ToLower(norm.NFC.String(p)) }
