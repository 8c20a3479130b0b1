package dependencies

import (
	"fmt"
	"regexp"
	"strings"

	"assay/agents/dependencies/manifest"
	"assay/review"
)

// pinnedRef is a full hash of a commit, or a hash of what is downloaded.
var pinnedRef = regexp.MustCompile(`[@#:][0-9a-f]{40}\b|[#&](?:sha256|sha384|sha512|md5|sha1)=`)

// unpinned finds what comes from a place that can serve something else
// tomorrow. Lock files name what they resolved to, so of them only addresses
// without TLS are spoken of.
func (a *Agent) unpinned(d *delta) []review.Finding {
	var found []review.Finding
	told := make(map[id]bool)
	for _, e := range d.brought {
		if e.Source == "" || told[e.id()] {
			continue
		}
		var why string
		switch {
		case insecure(e.Source):
			why = "is fetched without TLS: whoever is on the way can put something else in its place"
		case e.file.after.Lock || pinnedRef.MatchString(e.Source):
			continue
		case isArchive(e):
			why = "is an archive at an address without a hash: what is there can change"
		default:
			why = "comes from a git repository without the full hash of a commit: what a branch or a tag stands for can change"
		}
		told[e.id()] = true
		found = append(found, a.finding(ruleUnpinned, e, fmt.Sprintf("%s %s.", e.shown(), why)))
	}
	return found
}

func insecure(source string) bool {
	for _, scheme := range []string{"http://", "git://", "git+http://", "git+git://", "svn+http://"} {
		if strings.HasPrefix(source, scheme) {
			return true
		}
	}
	return false
}

// isArchive reports whether the source is a file rather than a repository.
func isArchive(e entry) bool {
	source := strings.TrimSuffix(e.Source, "/")
	return strings.HasPrefix(source, "https://") && !strings.HasSuffix(source, ".git") && !strings.Contains(source, ".git#") &&
		(e.file.after.Ecosystem == manifest.PyPI || strings.Contains(source, ".tgz") || strings.Contains(source, ".tar.gz"))
}

// shown is the entry's name as people know it, which may be an address.
func (e entry) shown() string { return mask(e.Name) }

// scripts finds packages that run code when they are installed, and did not
// before.
func (a *Agent) scripts(d *delta) []review.Finding {
	ran := make(map[id]bool)
	for _, f := range d.files {
		for _, p := range f.before.Packages {
			if p.InstallScript {
				ran[id{f.before.Ecosystem, p.Name}] = true
			}
		}
	}
	var found []review.Finding
	for _, e := range d.brought {
		if !e.InstallScript || ran[e.id()] {
			continue
		}
		ran[e.id()] = true
		found = append(found, a.finding(ruleScript, e, fmt.Sprintf("%s %s runs a script when it is installed; look at what it does.", e.Name, e.Version)))
	}
	return found
}

// downgrades finds direct dependencies that go back. A package that has
// several versions on either side is left alone: which of them the project
// uses is not known.
func (a *Agent) downgrades(d *delta) []review.Finding {
	var found []review.Finding
	told := make(map[id]bool)
	before, after := make(map[*file]map[string][]string), make(map[*file]map[string][]string)
	for _, f := range d.files {
		before[f], after[f] = versionsOf(f.before), versionsOf(f.after)
	}
	for _, e := range d.brought {
		old := before[e.file][e.Name]
		if !e.Direct || e.Version == "" || told[e.id()] || len(old) != 1 || len(after[e.file][e.Name]) != 1 {
			continue
		}
		was, is := parseVersion(e.file.after.Ecosystem, old[0]), parseVersion(e.file.after.Ecosystem, e.Version)
		if was == nil || is == nil || is.Compare(was) >= 0 {
			continue
		}
		told[e.id()] = true
		found = append(found, a.finding(ruleDowngrade, e, fmt.Sprintf("%s goes back from %s to %s. Keep the newer version, or say why the older one is needed.", e.Name, old[0], e.Version)))
	}
	return found
}

// versionsOf are the versions of a file by name, each once.
func versionsOf(f manifest.File) map[string][]string {
	versions := make(map[string][]string)
	seen := make(map[review.Package]bool)
	for _, p := range f.Packages {
		key := review.Package{Name: p.Name, Version: p.Version}
		if p.Version != "" && !seen[key] {
			seen[key] = true
			versions[p.Name] = append(versions[p.Name], p.Version)
		}
	}
	return versions
}
