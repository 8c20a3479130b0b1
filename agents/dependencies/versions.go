package dependencies

import (
	"deps.dev/util/semver"

	"assay/agents/dependencies/manifest"
)

// maxVersion is the longest version or range that is compared, in bytes.
const maxVersion = 256

// system is the ecosystem's way of comparing versions.
func system(ecosystem string) semver.System {
	switch ecosystem {
	case manifest.Go:
		return semver.Go
	case manifest.NPM:
		return semver.NPM
	case manifest.PyPI:
		return semver.PyPI
	case manifest.Crates:
		return semver.Cargo
	case manifest.Maven:
		return semver.Maven
	case manifest.RubyGems:
		return semver.RubyGems
	case manifest.NuGet:
		return semver.NuGet
	case manifest.Composer:
		return semver.Composer
	default:
		return semver.DefaultSystem
	}
}

// parseVersion reads a version; nil where it is none.
func parseVersion(ecosystem, text string) *semver.Version {
	if text == "" || len(text) > maxVersion {
		return nil
	}
	if ecosystem == manifest.Go && text[0] != 'v' {
		text = "v" + text // as advisories write them
	}
	v, err := system(ecosystem).Parse(text)
	if err != nil || v.IsWildcard() {
		return nil
	}
	return v
}

// satisfies reports whether a version is one that the range asks for; known is
// false where either cannot be understood.
func satisfies(ecosystem, version, want string) (ok, known bool) {
	v := parseVersion(ecosystem, version)
	if v == nil || want == "" || len(want) > maxVersion {
		return false, false
	}
	c, err := system(ecosystem).ParseConstraint(want)
	if err != nil {
		return false, false
	}
	// npm takes a prerelease for a range only in some cases; to speak of it
	// would be hairsplitting.
	return c.MatchVersion(v) || c.MatchVersionPrerelease(v), true
}
