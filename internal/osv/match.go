package osv

import (
	"regexp"
	"slices"
	"strings"

	"deps.dev/util/semver"

	"assay/review"
)

const ecosystemGo = "Go"

// maxVersion is the longest version that is compared, in bytes.
const maxVersion = 256

// systemOf is an ecosystem's way of comparing versions.
func systemOf(ecosystem string) semver.System {
	switch ecosystem {
	case ecosystemGo:
		return semver.Go
	case "npm":
		return semver.NPM
	case "PyPI":
		return semver.PyPI
	case "crates.io":
		return semver.Cargo
	case "Maven":
		return semver.Maven
	case "RubyGems":
		return semver.RubyGems
	case "NuGet":
		return semver.NuGet
	case "Packagist":
		return semver.Composer
	default:
		return semver.DefaultSystem
	}
}

// nameOf is a name in the form in which the ecosystem compares names.
func nameOf(ecosystem, name string) string {
	switch ecosystem {
	case "PyPI":
		return strings.ToLower(separators.ReplaceAllString(name, "-"))
	case "NuGet", "Packagist":
		return strings.ToLower(name)
	default:
		return name
	}
}

var separators = regexp.MustCompile(`[-_.]+`)

// parse reads a version; nil where it is none.
func parse(ecosystem, text string) *semver.Version {
	if text == "" || len(text) > maxVersion {
		return nil
	}
	v, err := systemOf(ecosystem).Parse(written(ecosystem, text))
	if err != nil || v.IsWildcard() {
		return nil
	}
	return v
}

// affects reports whether the record says that the version is affected, as the
// schema says it is found out
// (https://ossf.github.io/osv-schema/#evaluation): the version is listed, or
// is in one of the ranges. What cannot be compared is not affected.
func (r *record) affects(p review.Package) bool {
	if p.Version == "" {
		return false
	}
	v := parse(p.Ecosystem, p.Version)
	for _, a := range r.of(p) {
		if listed(a.Versions, p, v) {
			return true
		}
		for _, span := range a.Ranges {
			if v != nil && span.Type != "GIT" && span.holds(p.Ecosystem, v) {
				return true
			}
		}
	}
	return false
}

func listed(versions []string, p review.Package, v *semver.Version) bool {
	for _, text := range versions {
		if text == p.Version || written(p.Ecosystem, text) == p.Version {
			return true
		}
		// 1.0 and 1.0.0 are one version for most, and PyPI's have many forms.
		if v != nil && len(text) > 0 && text[0] == p.Version[0] {
			if other := parse(p.Ecosystem, text); other != nil && other.Compare(v) == 0 {
				return true
			}
		}
	}
	return false
}

// bound is an event at its version; nil stands for the beginning of time.
type bound struct {
	at   *semver.Version
	kind int
}

// The kinds of events, in the order in which they count at one version.
const (
	introduced = iota
	fixed
	lastAffected
)

// holds goes through the events up to the version; the last of them says.
func (s versionSpan) holds(ecosystem string, v *semver.Version) bool {
	bounds := make([]bound, 0, len(s.Events))
	for _, e := range s.Events {
		b := bound{kind: introduced}
		text := e.Introduced
		switch {
		case e.Fixed != "":
			b.kind, text = fixed, e.Fixed
		case e.LastAffected != "":
			b.kind, text = lastAffected, e.LastAffected
		case e.Introduced == "":
			continue // a limit: of git alone
		}
		if b.kind != introduced || text != "0" {
			if b.at = parse(ecosystem, text); b.at == nil {
				return false
			}
		}
		bounds = append(bounds, b)
	}
	slices.SortStableFunc(bounds, func(a, b bound) int {
		if c := compare(a.at, b.at); c != 0 {
			return c
		}
		return a.kind - b.kind
	})
	in := false
	for _, b := range bounds {
		c := compare(v, b.at)
		switch {
		case b.kind == introduced && c >= 0:
			in = true
		case b.kind == fixed && c >= 0, b.kind == lastAffected && c > 0:
			in = false
		}
	}
	return in
}

// compare orders versions; nil is before all.
func compare(a, b *semver.Version) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	default:
		return a.Compare(b)
	}
}
