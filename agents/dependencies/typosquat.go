package dependencies

import (
	"embed"
	"fmt"
	"path"
	"regexp"
	"strings"

	"assay/agents/dependencies/manifest"
	"assay/review"
)

//go:embed popular/*.txt
var popularFiles embed.FS

// popular are names of popular packages by ecosystem, in the form in which
// they are compared. It does not change once read.
type popular struct {
	names map[string]map[string]string // to the name as people know it
	// near are honest packages whose names are near a popular one.
	near map[string]bool
}

// minName is the length from which names are compared: short ones are near
// each other by chance.
const minName = 5

func readPopular() popular {
	p := popular{names: make(map[string]map[string]string), near: make(map[string]bool)}
	for file, ecosystem := range map[string]string{
		"npm.txt": manifest.NPM, "pypi.txt": manifest.PyPI, "crates.txt": manifest.Crates, "rubygems.txt": manifest.RubyGems,
		"nuget.txt": manifest.NuGet, "packagist.txt": manifest.Composer, "go.txt": manifest.Go,
	} {
		names := make(map[string]string)
		for _, name := range lines(file) {
			names[plain(ecosystem, name)] = name
		}
		p.names[ecosystem] = names
	}
	for _, line := range lines("neighbours.txt") {
		p.near[line] = true
	}
	return p
}

// lines are the lines of an embedded list. That it is there, a test holds.
func lines(file string) []string {
	text, err := popularFiles.ReadFile(path.Join("popular", file))
	if err != nil {
		return nil
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// plain is a name as it is compared: where registries hold names that differ
// in case or separators to be the same, they are.
func plain(ecosystem, name string) string {
	switch ecosystem {
	case manifest.PyPI:
		return manifest.PyPIName(name)
	case manifest.Go:
		return strings.ToLower(goMajor.ReplaceAllString(name, ""))
	default:
		return strings.ToLower(name)
	}
}

// goMajor is the part of a module path that tells its major version.
var goMajor = regexp.MustCompile(`/v[0-9]+$`)

// imitates is the popular package whose name the name is nearly, but not;
// empty where there is none.
func (p popular) imitates(ecosystem, name string) string {
	n := plain(ecosystem, name)
	if _, itself := p.names[ecosystem][n]; itself || len(n) < minName || len(n) > 200 || p.near[ecosystem+" "+n] {
		return ""
	}
	best := ""
	for known, shown := range p.names[ecosystem] {
		if len(known) >= minName && slip(owner(ecosystem, n), owner(ecosystem, known), n, known) && (best == "" || shown < best) {
			best = shown
		}
	}
	return best
}

// slip reports whether name is known with one slip of the fingers. Names under
// the same owner are nobody's imitation: only the owner can publish there.
func slip(nameOwner, knownOwner, name, known string) bool {
	if nameOwner != knownOwner {
		// The owner is what is mistyped; the rest has to be the same.
		return nameOwner != "" && knownOwner != "" && len(knownOwner) >= minName &&
			strings.TrimPrefix(name, nameOwner) == strings.TrimPrefix(known, knownOwner) && oneSlip(nameOwner, knownOwner)
	}
	return nameOwner == "" && oneSlip(name, known)
}

// owner is the part of a name under which only its owner publishes: a scope of
// npm, a vendor of Composer, a repository's owner of Go; empty where there is
// none.
func owner(ecosystem, name string) string {
	switch ecosystem {
	case manifest.NPM:
		if scope, _, ok := strings.Cut(name, "/"); ok {
			return scope
		}
	case manifest.Composer:
		vendor, _, _ := strings.Cut(name, "/")
		return vendor
	case manifest.Go:
		parts := strings.SplitN(name, "/", 3)
		if len(parts) == 3 && parts[0] == "github.com" {
			return parts[0] + "/" + parts[1]
		}
		return parts[0]
	}
	return ""
}

// oneSlip reports whether name becomes known when one character is left out,
// added or doubled, or two neighbours are swapped, behind the first. What makes
// honest names too often is no slip: another letter, unless the two look the
// same; a letter before or behind the name (grequests, torchx); a digit or the
// s of a plural (urllib3, requests).
func oneSlip(name, known string) bool {
	switch {
	case len(name) == len(known):
		return oneSwap(name, known)
	case len(name)+1 == len(known):
		return oneMore(name, known)
	case len(name) == len(known)+1:
		last := len(known)
		return oneMore(known, name) && (name[:last] != known || name[last] == name[last-1])
	default:
		return false
	}
}

// oneSwap compares names of the same length.
func oneSwap(a, b string) bool {
	i := differ(a, b)
	if i == len(a) {
		return false
	}
	if i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] {
		return a[i+2:] == b[i+2:] && !digit(a[i]) && !digit(a[i+1])
	}
	return a[i+1:] == b[i+1:] && (alike(a[i], b[i]) || separator(a[i]) && separator(b[i]))
}

// oneMore reports whether long is short with one more character behind the
// first.
func oneMore(short, long string) bool {
	i := differ(short, long)
	if i == 0 || long[i+1:] != short[i:] {
		return false
	}
	plural := long[i] == 's' && i == len(long)-1 && long[i-1] != 's'
	return !digit(long[i]) && !plural
}

// differ is the first place at which the names differ.
func differ(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return i
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func separator(c byte) bool { return c == '-' || c == '_' || c == '.' }

// alike reports whether two characters are taken for each other.
func alike(a, b byte) bool {
	pair := string([]byte{min(a, b), max(a, b)})
	return pair == "0o" || pair == "1l" || pair == "1i" || pair == "il" || pair == "mn" || pair == "uv"
}

// typosquats finds new direct dependencies with nearly the name of a popular
// package.
func (a *Agent) typosquats(d *delta) []review.Finding {
	var found []review.Finding
	told := make(map[id]bool)
	for _, e := range d.brought {
		if len(found) > maxFindings {
			break
		}
		if !e.Direct || e.Source != "" || !d.isNew(e.id()) || told[e.id()] {
			continue
		}
		known := a.popular.imitates(e.file.after.Ecosystem, e.Name)
		if known == "" || e.file.has(known) {
			continue
		}
		told[e.id()] = true
		found = append(found, a.finding(ruleTyposquat, e, fmt.Sprintf("%s is nearly the name of the popular package %s. Check that it is the one that is meant.", e.Name, known)))
	}
	return found
}

// has reports whether the head's file holds the package, too: who uses both
// has not mistaken one for the other.
func (f *file) has(name string) bool {
	for _, p := range f.after.Packages {
		if plain(f.after.Ecosystem, p.Name) == plain(f.after.Ecosystem, name) {
			return true
		}
	}
	return false
}
