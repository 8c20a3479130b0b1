package manifest

import (
	"regexp"
	"strings"
)

// parsePnpmLock reads versions 5 to 9: packages are "/name/1.2.3",
// "/name@1.2.3(peer@1)" or "name@1.2.3".
func parsePnpmLock(text []byte, f *File) error {
	root, err := parseYAML(text)
	if err != nil {
		return err
	}
	asked := make(map[string]bool)
	for _, project := range append(root.get("importers").all(), root) {
		for _, dep := range pnpmAsked(project) {
			asked[dep.key] = true
		}
	}
	f.Asked = pnpmRanges(root)
	for _, n := range root.get("packages").all() {
		p := pnpmPackage(n)
		p.Direct = asked[p.Name]
		if err := f.add(p); err != nil {
			return err
		}
	}
	return nil
}

func pnpmAsked(project *node) (asked []*node) {
	for _, group := range []string{"dependencies", "devDependencies", "optionalDependencies"} {
		asked = append(asked, project.get(group).all()...)
	}
	return asked
}

// pnpmRanges are the ranges of the project at the lock file's own place.
func pnpmRanges(root *node) map[string]string {
	project := root.get("importers", ".")
	if project == nil {
		project = root
	}
	ranges := make(map[string]string)
	for _, dep := range pnpmAsked(project) {
		spec := dep.get("specifier")
		if spec == nil {
			spec = root.get("specifiers", dep.key)
		}
		ranges[dep.key] = spec.str()
	}
	return ranges
}

func pnpmPackage(n *node) Package {
	key, _, _ := strings.Cut(n.key, "(")
	p := Package{Line: n.line, InstallScript: n.get("requiresBuild").str() == "true"}
	if strings.Contains(key, "://") || hasAnyPrefix(key, "github.com/", "codeload.github.com/") || strings.Contains(key, "@git") || strings.Contains(key, "@http") {
		p.Name, p.Version, p.Source = n.get("name").str(), n.get("version").str(), key
		if p.Name == "" {
			p.Name, _ = cutProtocol(key)
		}
		return p
	}
	if hasAnyPrefix(key, "file:", "link:") || strings.Contains(key, "@file:") {
		p.Local = true
		return p
	}
	if m := pnpmKey.FindStringSubmatch(key); m != nil {
		p.Name, p.Version = m[1], m[2]
	}
	return p
}

// pnpmKey is the key of a package from a registry; what follows "_" are the
// peers that it was resolved with.
var pnpmKey = regexp.MustCompile(`^/?((?:@[^/@]+/)?[^/@]+)[/@]([^/@_]+)`)
