package osv

import (
	"cmp"
	"slices"
	"strings"

	"assay/review"
)

// record is an entry of the database, as far as it is used
// (https://ossf.github.io/osv-schema/).
type record struct {
	ID               string     `json:"id"`
	Withdrawn        string     `json:"withdrawn"`
	Aliases          []string   `json:"aliases"`
	Summary          string     `json:"summary"`
	Severity         []score    `json:"severity"`
	Affected         []affected `json:"affected"`
	DatabaseSpecific rated      `json:"database_specific"`
}

type rated struct {
	Severity any `json:"severity"` // GitHub: a word; others: anything
}

type score struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity []score       `json:"severity"`
	Ranges   []versionSpan `json:"ranges"`
	Versions []string      `json:"versions"`
}

// versionSpan is a range, told as what happened in the order of versions.
type versionSpan struct {
	Type   string  `json:"type"`
	Events []event `json:"events"`
}

type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// of are the parts of the record that are about the package.
func (r *record) of(p review.Package) []affected {
	var parts []affected
	for _, a := range r.Affected {
		if ecosystemOf(a.Package.Ecosystem) == p.Ecosystem && nameOf(p.Ecosystem, a.Package.Name) == nameOf(p.Ecosystem, p.Name) {
			parts = append(parts, a)
		}
	}
	return parts
}

// ecosystemOf takes the suffix off that tells a repository or a release, as of
// "Maven:https://…".
func ecosystemOf(s string) string {
	s, _, _ = strings.Cut(s, ":")
	return s
}

// advisory is what the record says of the package, whose version it affects.
func (r *record) advisory(p review.Package) review.Advisory {
	a := review.Advisory{
		Package: p, ID: r.ID, Aliases: r.Aliases, Summary: r.Summary,
		Malicious: malicious(r.ID) || slices.ContainsFunc(r.Aliases, malicious),
		URL:       "https://osv.dev/vulnerability/" + r.ID,
		Severity:  r.severity(r.Severity),
	}
	sys := systemOf(p.Ecosystem)
	for _, part := range r.of(p) {
		if a.Severity == review.SeverityNone {
			a.Severity = r.severity(part.Severity)
		}
		for _, span := range part.Ranges {
			for _, e := range span.Events {
				if span.Type != "GIT" && e.Fixed != "" && parse(p.Ecosystem, e.Fixed) != nil {
					a.Fixed = append(a.Fixed, written(p.Ecosystem, e.Fixed))
				}
			}
		}
	}
	slices.SortFunc(a.Fixed, func(x, y string) int { return cmp.Or(sys.Compare(x, y), cmp.Compare(x, y)) })
	a.Fixed = slices.Compact(a.Fixed)
	return a
}

// malicious reports whether an ID is of the collection of malicious packages
// (https://github.com/ossf/malicious-packages).
func malicious(id string) bool { return strings.HasPrefix(id, "MAL-") }

// written is a version as its ecosystem writes it: the database leaves out the
// v of Go.
func written(ecosystem, version string) string {
	if ecosystem == ecosystemGo && !strings.HasPrefix(version, "v") {
		return "v" + version
	}
	return version
}
