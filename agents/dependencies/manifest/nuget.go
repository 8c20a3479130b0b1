package manifest

// parseNuGetLock reads a packages.lock.json: packages by target framework.
func parseNuGetLock(text []byte, f *File) error {
	root, err := parseObject(text)
	if err != nil {
		return err
	}
	for _, framework := range root.get("dependencies").all() {
		for _, n := range framework.all() {
			version := n.get("resolved")
			p := Package{
				Name: n.key, Version: version.str(), Line: n.line, VersionLine: version.lineOr(n.line),
				Direct: n.get("type").str() == "Direct", Local: n.get("type").str() == "Project",
			}
			if err := f.add(p); err != nil {
				return err
			}
		}
	}
	return nil
}
