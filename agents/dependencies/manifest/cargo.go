package manifest

import "strings"

// parseCargoToml reads the dependencies of a crate or a workspace
// (https://doc.rust-lang.org/cargo/reference/specifying-dependencies.html).
func parseCargoToml(text []byte, f *File) error {
	root, err := parseTOML(text)
	if err != nil {
		return err
	}
	f.Overrides = root.get("patch") != nil || root.get("replace") != nil
	places := append(root.get("target").all(), root, root.get("workspace"))
	for _, place := range places {
		for _, group := range []string{"dependencies", "dev-dependencies", "build-dependencies"} {
			for _, dep := range place.get(group).all() {
				p := tableRequest(dep.key, dep)
				if name := dep.get("package").str(); name != "" {
					p.Name, p.As = name, dep.key
				}
				// The crates of a workspace need not use what it offers them.
				p.Optional = place == root.get("workspace")
				if v, ok := strings.CutPrefix(p.Range, "="); ok && exactVersion(strings.TrimSpace(v)) {
					p.Version = strings.TrimSpace(v)
				}
				if err := f.add(p); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func parseCargoLock(text []byte, f *File) error { return lockTables(text, f, crateEntry) }

func crateEntry(n *node) Package {
	p := Package{Name: n.get("name").str()}
	switch source := n.get("source").str(); {
	case source == "":
		p.Local = true
	case !hasAnyPrefix(source, "registry+", "sparse+"):
		p.Source = source
	}
	return p
}
