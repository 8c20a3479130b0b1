package dependencies

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"assay/agents/dependencies/manifest"
)

// id names a package in the whole change.
type id struct{ ecosystem, name string }

// entry is a package on a line of the head.
type entry struct {
	manifest.Package
	file *file
}

func (e entry) id() id { return id{e.file.after.Ecosystem, e.Name} }

// line is the line to speak of: that of the version where the change adds it,
// else that of the name.
func (e entry) line() int {
	if !e.file.added[e.VersionLine] && e.file.added[e.Line] {
		return e.Line
	}
	return e.VersionLine
}

// evidence is the entry as it stands at the head: the line of its name and
// that of its version. Passwords in addresses are masked.
func (e entry) evidence() string {
	text := e.text(e.Line)
	if e.VersionLine != e.Line {
		text += "\n" + e.text(e.VersionLine)
	}
	return mask(text)
}

func (e entry) text(line int) string {
	const most = 300
	if line < 1 || line > len(e.file.lines) {
		return ""
	}
	text := strings.TrimSpace(e.file.lines[line-1])
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// mask hides who an address is called as.
func mask(s string) string { return userinfo.ReplaceAllString(s, "://***@") }

var userinfo = regexp.MustCompile(`://[^/@\s"']+@`)

// delta is what a change does to dependencies.
type delta struct {
	files []*file
	// before are the versions that were there, of all files together;
	// beforeRanges, what was asked for.
	before, beforeRanges map[id][]string
	// brought are the entries that are new: another version, another range or
	// another package than was there in any of the files.
	brought []entry
}

func compare(files []*file) *delta {
	d := &delta{files: files, before: make(map[id][]string), beforeRanges: make(map[id][]string)}
	had := make(map[id]map[string]bool)
	for _, f := range files {
		for _, p := range f.before.Packages {
			key := id{f.before.Ecosystem, p.Name}
			if had[key] == nil {
				had[key] = make(map[string]bool)
			}
			if !had[key]["v"+p.Version] && p.Version != "" {
				d.before[key] = append(d.before[key], p.Version)
			}
			if !had[key]["r"+asked(p)] {
				d.beforeRanges[key] = append(d.beforeRanges[key], asked(p))
			}
			had[key]["v"+p.Version], had[key]["r"+asked(p)] = true, true
		}
	}
	for _, f := range files {
		for _, p := range f.after.Packages {
			e := entry{p, f}
			known := had[e.id()]
			switch {
			case p.Local:
			case f.unknown && !f.added[p.Line] && !f.added[p.VersionLine]:
			case p.Version != "" && known["v"+p.Version] && p.Source == "":
			case p.Version == "" && known["r"+asked(p)]:
			case p.Source != "" && known["r"+asked(p)]:
			default:
				d.brought = append(d.brought, e)
			}
		}
	}
	return d
}

// asked is what an entry asks for where it tells no version.
func asked(p manifest.Package) string { return p.Range + "\x00" + p.Source }

// isNew reports whether no version of the package was there.
func (d *delta) isNew(key id) bool { return len(d.beforeRanges[key]) == 0 && len(d.before[key]) == 0 }

// places are the brought entries by package and version, each sorted by where
// a reviewer looks first: lines of the diff, and manifests before lock files.
func (d *delta) places() map[id]map[string][]entry {
	found := make(map[id]map[string][]entry)
	for _, e := range d.brought {
		if e.Version == "" || e.Source != "" {
			continue
		}
		if found[e.id()] == nil {
			found[e.id()] = make(map[string][]entry)
		}
		found[e.id()][e.Version] = append(found[e.id()][e.Version], e)
	}
	for _, e := range d.brought {
		// A range in a manifest stands for the version that its lock file has,
		// as long as there is only one.
		if versions := found[e.id()]; e.Version == "" && e.Source == "" && e.Direct && len(versions) == 1 {
			for v := range versions {
				versions[v] = append(versions[v], e)
			}
		}
	}
	for _, versions := range found {
		for _, list := range versions {
			slices.SortStableFunc(list, func(a, b entry) int { return cmp.Compare(a.remote(), b.remote()) })
		}
	}
	return found
}

// remote says how far an entry is from where a reviewer looks.
func (e entry) remote() int {
	far := 0
	if !e.file.added[e.line()] {
		far += 2
	}
	if e.file.after.Lock {
		far++
	}
	return far
}

// keys are the keys of a map by package, in order.
func keys[V any](m map[id]V) []id {
	list := make([]id, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b id) int {
		return cmp.Or(cmp.Compare(a.ecosystem, b.ecosystem), cmp.Compare(a.name, b.name))
	})
	return list
}
