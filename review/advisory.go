package review

// Package is one version of a package of a package manager.
type Package struct {
	// Ecosystem is the name that the OSV schema has for it, as "npm" or "PyPI"
	// (https://ossf.github.io/osv-schema/#defined-ecosystems).
	Ecosystem string `json:"ecosystem"`
	// Name is the package's name as its ecosystem writes it: a module path of
	// Go, "group:artifact" of Maven.
	Name string `json:"name"`
	// Version is as the ecosystem writes it, with the v of Go.
	Version string `json:"version"`
}

// Advisory says that a version of a package is vulnerable, or malicious.
type Advisory struct {
	Package Package `json:"package"`
	// ID is the advisory's own ID ("GHSA-…", "GO-…", "MAL-…"); Aliases are the
	// IDs that others gave the same.
	ID      string   `json:"id"`
	Aliases []string `json:"aliases,omitempty"`
	Summary string   `json:"summary,omitempty"`
	// Severity is SeverityNone where the advisory does not tell.
	Severity Severity `json:"severity,omitempty"`
	// Malicious says that the package itself is the attack.
	Malicious bool `json:"malicious,omitempty"`
	// Fixed are the versions in which it is fixed, lowest first, one for each
	// line of releases; empty where there is none.
	Fixed []string `json:"fixed,omitempty"`
	URL   string   `json:"url,omitempty"`
}
