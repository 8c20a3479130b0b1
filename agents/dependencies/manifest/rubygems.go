package manifest

import (
	"regexp"
	"strings"
)

var (
	// gemSpec is a locked gem, four spaces in; what it needs itself is six in.
	gemSpec = regexp.MustCompile(`^ {4}([A-Za-z0-9][A-Za-z0-9._-]*) \(([^)]+)\)$`)
	// gemAsked is a line of DEPENDENCIES; "!" marks one that is not from a
	// registry.
	gemAsked = regexp.MustCompile(`^ {2}([A-Za-z0-9][A-Za-z0-9._-]*)(?: \([^)]*\))?!?$`)
)

// parseGemfileLock reads the sections of a Gemfile.lock. GIT and PATH hold gems
// that no registry serves.
func parseGemfileLock(text []byte, f *File) error {
	section, remote, revision := "", "", ""
	asked := make(map[string]bool)
	for line, s := range numbered(text) {
		if s != "" && s[0] != ' ' {
			section, remote, revision = s, "", ""
			continue
		}
		if section == "DEPENDENCIES" {
			if m := gemAsked.FindStringSubmatch(s); m != nil {
				asked[m[1]] = true
			}
			continue
		}
		if v, ok := strings.CutPrefix(s, "  remote: "); ok {
			remote = v
		} else if v, ok := strings.CutPrefix(s, "  revision: "); ok {
			revision = v
		}
		m := gemSpec.FindStringSubmatch(s)
		if m == nil || section != "GEM" && section != "GIT" && section != "PATH" {
			continue
		}
		p := Package{Name: m[1], Version: gemVersion(m[2]), Line: line, Local: section == "PATH"}
		switch {
		case section == "GIT":
			p.Source = "git+" + remote + "@" + revision
		case strings.HasPrefix(remote, "http://"):
			p.Source = remote
		}
		if err := f.add(p); err != nil {
			return err
		}
	}
	for i := range f.Packages {
		f.Packages[i].Direct = asked[f.Packages[i].Name]
	}
	return nil
}

// gemVersion takes the platform off: "1.16.0-x86_64-linux" is version 1.16.0.
// Versions of gems have no hyphen of their own.
func gemVersion(s string) string {
	v, _, _ := strings.Cut(s, "-")
	return v
}
