package sarif

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// roots knows where a run's files lie.
type roots struct {
	// dirs are the absolute directories that may be the repository's root.
	dirs []string
}

// roots lists the directories that the caller and the log know of.
func (o *raw) roots(root string) roots {
	var r roots
	add := func(dir string) {
		if dir = slashed(dir); strings.HasPrefix(dir, "/") && dir != "/" {
			r.dirs = append(r.dirs, strings.TrimSuffix(dir, "/")+"/")
		}
	}
	add(root)
	for name, p := range o.bases {
		// A log of one base means the repository by it, whatever it calls it.
		if len(o.bases) == 1 || strings.Trim(name, "%") == "SRCROOT" {
			add(local(p.URI))
		}
	}
	for _, c := range o.calls {
		add(local(c.Directory.URI))
	}
	return r
}

// path is where a place is within the repository. Of one that is not within it,
// or nowhere, path is empty, and outside is what was written.
func (r roots) path(o *raw, p wirePlace) (within, outside string) {
	if i := p.Index; i != nil && p.URI == "" && *i >= 0 && *i < len(o.artifacts) {
		p = o.artifacts[*i].Location
	}
	if p.URI == "" {
		return "", ""
	}
	if len(p.URI) > maxURI {
		return "", cut(p.URI, maxName)
	}
	name := local(p.URI)
	if !strings.HasPrefix(name, "/") && p.Base != "" {
		// A base that is relative lies within the repository; one that is
		// absolute is a root itself or lies below one.
		if base := local(o.bases[p.Base].URI); base != "" && base != "/" {
			name = strings.TrimSuffix(base, "/") + "/" + name
		}
	}
	if within = r.within(name); within == "" {
		return "", cut(p.URI, maxName)
	}
	return within, ""
}

func (r roots) within(name string) string {
	name = path.Clean(name)
	if strings.HasPrefix(name, "/") {
		name = r.rootless(name)
	}
	if name == "" || name == "." || name == ".." || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") || strings.ContainsRune(name, 0) {
		return ""
	}
	return name
}

// rootless takes the root off an absolute path. GitHub's runners check
// repositories out at a place that is known
// (https://docs.github.com/actions/reference/workflows-and-actions/variables, GITHUB_WORKSPACE).
func (r roots) rootless(name string) string {
	for _, dir := range r.dirs {
		if rest, ok := strings.CutPrefix(name, dir); ok {
			return rest
		}
	}
	if m := runner.FindStringSubmatch(name); m != nil && m[1] == m[2] {
		return m[3]
	}
	if rest, ok := strings.CutPrefix(name, "/github/workspace/"); ok {
		return rest
	}
	return ""
}

var runner = regexp.MustCompile(`^/(?:[A-Za-z]:/a|home/runner/work|Users/runner/work)/([^/]+)/([^/]+)/(.+)$`)

// local is the path that a URI means; "" for one of another scheme. Tools that
// do not escape their paths are common, and so are backslashes.
func local(uri string) string {
	name := uri
	if scheme, rest, ok := strings.Cut(uri, "://"); ok && letters(scheme) {
		if !strings.EqualFold(scheme, "file") {
			return ""
		}
		// file://host/path is a path of another machine, but tools mean theirs.
		if at := strings.IndexByte(rest, '/'); at > 0 {
			rest = rest[at:]
		}
		name = rest
	} else if rest, ok := strings.CutPrefix(uri, "file:"); ok {
		name = rest
	}
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return slashed(name)
}

// slashed is a path with slashes; one of a Windows drive begins with one.
func slashed(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	if len(name) > 2 && name[1] == ':' && name[2] == '/' && letters(name[:1]) {
		name = "/" + name
	}
	return name
}

func letters(s string) bool {
	for _, r := range s {
		if r < 'A' || r > 'z' || r > 'Z' && r < 'a' {
			return false
		}
	}
	return s != ""
}
