package manifest

import (
	"errors"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// parseGoMod reads the modules that a go.mod requires, as its replacements make
// them: from Go 1.17 on that is all of the build. What is excluded, and the
// version of Go itself, it passes over.
func parseGoMod(text []byte, f *File) error {
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		// A directive that this version does not know is no reason to see nothing.
		if mod, err = modfile.ParseLax("go.mod", text, nil); err != nil {
			return errors.New("not a valid go.mod")
		}
	}
	replaced := make(map[module.Version]module.Version, len(mod.Replace))
	for _, r := range mod.Replace {
		replaced[r.Old] = r.New
	}
	for _, r := range mod.Require {
		p := Package{
			Name: r.Mod.Path, Version: r.Mod.Version, Range: r.Mod.Version,
			Line: r.Syntax.Start.Line, Direct: !r.Indirect,
		}
		to, ok := replaced[r.Mod]
		if !ok {
			to, ok = replaced[module.Version{Path: r.Mod.Path}]
		}
		if ok {
			p.Name, p.Version, p.Range = to.Path, to.Version, to.Version
			p.Local = to.Version == ""
		}
		if err := f.add(p); err != nil {
			return err
		}
	}
	return nil
}

// parseGoSum reads which modules a go.sum knows. They are no packages of the
// project: a go.sum names versions that were only looked at, too.
func parseGoSum(text []byte, f *File) error {
	f.Sums = make(map[string]bool)
	for _, line := range numbered(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 3 || !strings.HasPrefix(fields[1], "v") {
			return errors.New("not a valid go.sum")
		}
		if len(f.Sums) == 2*MaxPackages {
			return ErrTooMany
		}
		f.Sums[fields[0]+" "+strings.TrimSuffix(fields[1], "/go.mod")] = true
	}
	return nil
}
