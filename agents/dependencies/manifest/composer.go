package manifest

import "strings"

// parseComposerJSON reads what a composer.json asks for. Names without a slash
// are PHP itself and its extensions.
func parseComposerJSON(text []byte, f *File) error {
	root, err := parseObject(text)
	if err != nil {
		return err
	}
	for _, group := range []string{"require", "require-dev"} {
		for _, dep := range root.get(group).all() {
			if !strings.Contains(dep.key, "/") {
				continue
			}
			p := Package{Name: strings.ToLower(dep.key), Range: dep.str(), Line: dep.line, Direct: true}
			if v := strings.TrimPrefix(p.Range, "v"); exactVersion(v) {
				p.Version = p.Range
			}
			if err := f.add(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func parseComposerLock(text []byte, f *File) error {
	root, err := parseObject(text)
	if err != nil {
		return err
	}
	for _, group := range []string{"packages", "packages-dev"} {
		for _, n := range root.get(group).all() {
			version := n.get("version")
			p := Package{
				Name: strings.ToLower(n.get("name").str()), Version: version.str(),
				Line: n.get("name").lineOr(n.line), VersionLine: version.lineOr(n.line),
			}
			var licences []string
			for _, l := range n.get("license").all() {
				licences = append(licences, l.str())
			}
			// Composer's list is a choice
			// (https://getcomposer.org/doc/04-schema.md#license).
			p.Licence = strings.Join(licences, " OR ")
			if err := f.add(p); err != nil {
				return err
			}
		}
	}
	return nil
}
