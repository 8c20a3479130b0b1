package dependencies

import (
	"slices"

	"deps.dev/util/semver"
)

// fixedVersion is the lowest version after current in which the problems are
// fixed; empty where there is none. all says that it fixes every one that it
// was asked about. A fix in the same major version is preferred: taking it is
// the smallest step.
func fixedVersion(ecosystem, current string, problems []*problem) (version string, all bool) {
	from := parseVersion(ecosystem, current)
	if from == nil {
		return "", false
	}
	all = true
	var best fix
	fixes := make([][]fix, 0, len(problems))
	for _, p := range problems {
		list := fixesAfter(ecosystem, from, p.fixed)
		if len(list) == 0 {
			all = false
			continue
		}
		fixes = append(fixes, list)
		first := list[0]
		if i := slices.IndexFunc(list, func(f fix) bool { return major(f.version) == major(from) }); i >= 0 {
			first = list[i]
		}
		if best.version == nil || first.version.Compare(best.version) > 0 {
			best = first
		}
	}
	if best.version == nil {
		return "", false
	}
	return settle(best, fixes).text, all
}

type fix struct {
	text    string
	version *semver.Version
}

// settle raises the version until no problem is left whose fix in the same
// major version comes later: the fix of one problem may be in a line of
// releases in which another still stands.
func settle(best fix, fixes [][]fix) fix {
	for range fixes {
		raised := false
		for _, list := range fixes {
			for _, f := range list {
				if major(f.version) != major(best.version) {
					continue
				}
				if f.version.Compare(best.version) > 0 {
					best, raised = f, true
				}
				break // the first in this major version is the one that counts
			}
		}
		if !raised {
			break
		}
	}
	return best
}

func fixesAfter(ecosystem string, from *semver.Version, fixed []string) []fix {
	var list []fix
	for _, text := range fixed {
		if v := parseVersion(ecosystem, text); v != nil && v.Compare(from) > 0 {
			list = append(list, fix{text, v})
		}
	}
	slices.SortStableFunc(list, func(a, b fix) int { return a.version.Compare(b.version) })
	return list
}

func sameMajor(ecosystem, a, b string) bool {
	x, y := parseVersion(ecosystem, a), parseVersion(ecosystem, b)
	return x != nil && y != nil && major(x) == major(y)
}

// major is the part of a version that stays while releases are compatible:
// before 1.0 that is nothing that can be relied on, and 0 does as well.
func major(v *semver.Version) int64 {
	m, _ := v.Major()
	return m
}
