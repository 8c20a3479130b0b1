package manifest

import (
	"errors"
	"strings"
)

var errNotObject = errors.New("not an object")

func parseObject(text []byte) (*node, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, err
	}
	if root.kind != object {
		return nil, errNotObject
	}
	return root, nil
}

// parsePackageJSON reads what a package.json asks for.
func parsePackageJSON(text []byte, f *File) error {
	root, err := parseObject(text)
	if err != nil {
		return err
	}
	f.Workspaces = root.get("workspaces") != nil
	for _, key := range []string{"overrides", "resolutions"} {
		f.Overrides = f.Overrides || len(root.get(key).all()) > 0
	}
	f.Overrides = f.Overrides || len(root.get("pnpm", "overrides").all()) > 0
	for _, group := range []string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies"} {
		for _, dep := range root.get(group).all() {
			p := npmRequest(dep.key, dep.str())
			p.Line, p.Direct, p.Optional = dep.line, true, group == "peerDependencies"
			if err := f.add(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// npmRequest reads the right side of an entry of a package.json
// (https://docs.npmjs.com/cli/configuring-npm/package-json#dependencies).
func npmRequest(name, spec string) Package {
	p := Package{Name: name, Range: strings.TrimSpace(spec)}
	if alias, ok := strings.CutPrefix(p.Range, "npm:"); ok {
		p.As = name
		p.Name, p.Range = cutLast(alias, "@")
		spec = p.Range
	}
	switch {
	case hasAnyPrefix(spec, "file:", "link:", "portal:", "workspace:", "./", "../", "/", "~/"):
		p.Local = true
	case hasAnyPrefix(spec, "git:", "git+", "git@", "http:", "https:", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:"),
		strings.Contains(spec, "/") && !strings.Contains(spec, ":"): // owner/repository on GitHub
		p.Source = spec
	case exactVersion(p.Range):
		p.Version = p.Range
	}
	return p
}

// exactVersion reports whether a range of npm is one version: three numbers,
// and what may follow them.
func exactVersion(s string) bool {
	core, _, _ := strings.Cut(s, "+")
	core, _, _ = strings.Cut(core, "-")
	parts := strings.Split(core, ".")
	if len(parts) != 3 || strings.ContainsAny(s, " |<>=^~*") {
		return false
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

// parsePackageLock reads versions 1 to 3
// (https://docs.npmjs.com/cli/configuring-npm/package-lock-json).
func parsePackageLock(text []byte, f *File) error {
	root, err := parseObject(text)
	if err != nil {
		return err
	}
	packages := root.get("packages")
	if packages == nil {
		return lockTree(root.get("dependencies"), f)
	}
	asked := make(map[string]bool)
	f.Asked = make(map[string]string)
	for _, group := range []string{"dependencies", "devDependencies", "optionalDependencies"} {
		for _, dep := range packages.get("", group).all() {
			asked["node_modules/"+dep.key] = true
			f.Asked[dep.key] = dep.str()
		}
	}
	for _, n := range packages.all() {
		_, name := cutLast("/"+n.key, "/node_modules/")
		if n.key == "" || name == "" || n.get("link").is("true") {
			continue // the project itself, or a directory of it
		}
		if alias := n.get("name").str(); alias != "" {
			name = alias
		}
		p := lockEntry(name, n)
		p.Direct, p.InstallScript = asked[n.key], n.get("hasInstallScript").is("true")
		if err := f.add(p); err != nil {
			return err
		}
	}
	return nil
}

// lockTree reads the nested dependencies of version 1.
func lockTree(deps *node, f *File) error {
	for _, n := range deps.all() {
		p := lockEntry(n.key, n)
		p.Direct = false // what is at the top may be there for others
		if err := f.add(p); err != nil {
			return err
		}
		if err := lockTree(n.get("dependencies"), f); err != nil {
			return err
		}
	}
	return nil
}

func lockEntry(name string, n *node) Package {
	version := n.get("version")
	p := npmRequest(name, version.str())
	p.Range, p.Line, p.VersionLine = "", n.line, version.lineOr(n.line)
	if from := n.get("resolved"); !isRegistryTarball(from.str()) {
		p.Source, p.VersionLine = from.str(), from.lineOr(p.VersionLine)
	}
	p.Licence = n.get("license").str()
	return p
}

// isRegistryTarball tells what a registry serves over TLS from all else.
func isRegistryTarball(url string) bool {
	return url == "" || strings.HasPrefix(url, "https://") && (strings.Contains(url, "/-/") || strings.Contains(url, "/download/")) || strings.HasPrefix(url, "file:")
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// cutLast cuts at the last separator that is not the first byte: the @ of a
// scope is none.
func cutLast(s, sep string) (before, after string) {
	if at := strings.LastIndex(s, sep); at > 0 || at == 0 && len(sep) > 1 {
		return s[:at], s[at+len(sep):]
	}
	return s, ""
}
