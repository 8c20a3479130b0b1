// Package manifest reads what projects depend on from the manifests and lock
// files of package managers: names, versions, and the lines they stand on.
//
// It reads text alone: one file at a time, without a network, a file system or
// the package manager itself. What a file does not say (the version behind a
// variable, a parent's dependencies) it leaves out rather than guess. What the
// packages mean is left to others.
//
// The text is a stranger's: every parser is bounded in size, depth and number
// of entries, and none may panic.
package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// The ecosystems, by the names of the OSV schema
// (https://ossf.github.io/osv-schema/#defined-ecosystems).
const (
	Go       = "Go"
	NPM      = "npm"
	PyPI     = "PyPI"
	Crates   = "crates.io"
	Maven    = "Maven"
	RubyGems = "RubyGems"
	NuGet    = "NuGet"
	Composer = "Packagist"
)

// Bounds of one file.
const (
	// MaxFile is the largest file that is read, in bytes. Lock files of very
	// large projects have about 3 MB.
	MaxFile = 8 << 20
	// MaxPackages is the number of entries that are read of a file.
	MaxPackages = 50_000
	maxName     = 512 // bytes of a name, a version or a range
)

// Errors of Parse.
var (
	ErrTooLarge = fmt.Errorf("larger than %d MiB", MaxFile>>20)
	ErrTooMany  = fmt.Errorf("more than %d packages", MaxPackages)
)

// Package is one entry of a file.
type Package struct {
	Name string
	// As is the name that the project gives to it, where that is another.
	As string
	// Version is the one version that the entry stands for, as the ecosystem
	// writes it; empty where the file tells none.
	Version string
	// Range is what a manifest asks for, as it is written; empty in most lock
	// files.
	Range string
	// Line is the 1-based line of the entry, VersionLine that of its version:
	// the same line in most formats.
	Line, VersionLine int
	// Direct says that the project itself asks for the package, as far as the
	// file tells.
	Direct bool
	// Source is where the package comes from if that is not a registry: a git
	// repository or a URL, as it is written.
	Source string
	// Local says that the package is a directory of the project or the machine.
	Local bool
	// Optional says that the lock file need not know the entry: a dependency
	// that the project itself expects of others.
	Optional bool
	// Pinned says that the version stands literally on VersionLine, and that
	// nothing else in the project has to change with it.
	Pinned bool
	// Licence is the licence as the file tells it; mostly empty.
	Licence string
	// InstallScript says that installing the package runs code of it.
	InstallScript bool
}

// File is what a manifest or lock file holds.
type File struct {
	// Format is the name of the file that the package manager itself uses, as
	// "package-lock.json".
	Format    string
	Ecosystem string
	// Lock says that the file holds what was resolved; a manifest holds what was
	// asked for.
	Lock     bool
	Packages []Package
	// Overrides says that the manifest changes what its own entries and those of
	// others mean (npm's overrides, yarn's resolutions, Cargo's patches).
	Overrides bool
	// Workspaces says that the manifest is that of several projects, which may
	// ask for each other.
	Workspaces bool
	// Asked are the ranges that a lock file was made for, by the names in the
	// manifest; nil where it does not tell.
	Asked map[string]string
	// Sums are the "module version" pairs of a go.sum.
	Sums map[string]bool
}

// format is how one kind of file is recognised and read.
type format struct {
	name      string
	ecosystem string
	lock      bool
	match     func(base string) bool // nil: the base name is name
	parse     func(text []byte, f *File) error
}

// formats are all that can be read.
var formats = []format{
	{name: "go.mod", ecosystem: Go, parse: parseGoMod},
	{name: "go.sum", ecosystem: Go, lock: true, parse: parseGoSum},
	{name: "package.json", ecosystem: NPM, parse: parsePackageJSON},
	{name: "package-lock.json", ecosystem: NPM, lock: true, parse: parsePackageLock},
	{name: "npm-shrinkwrap.json", ecosystem: NPM, lock: true, parse: parsePackageLock},
	{name: "yarn.lock", ecosystem: NPM, lock: true, parse: parseYarnLock},
	{name: "pnpm-lock.yaml", ecosystem: NPM, lock: true, parse: parsePnpmLock},
	{name: "requirements.txt", ecosystem: PyPI, match: isRequirements, parse: parseRequirements},
	{name: "pyproject.toml", ecosystem: PyPI, parse: parsePyproject},
	{name: "poetry.lock", ecosystem: PyPI, lock: true, parse: parsePoetryLock},
	{name: "uv.lock", ecosystem: PyPI, lock: true, parse: parseUVLock},
	{name: "Pipfile.lock", ecosystem: PyPI, lock: true, parse: parsePipfileLock},
	{name: "Cargo.toml", ecosystem: Crates, parse: parseCargoToml},
	{name: "Cargo.lock", ecosystem: Crates, lock: true, parse: parseCargoLock},
	{name: "pom.xml", ecosystem: Maven, parse: parsePOM},
	{name: "gradle.lockfile", ecosystem: Maven, lock: true, parse: parseGradleLock},
	{name: "Gemfile.lock", ecosystem: RubyGems, lock: true, parse: parseGemfileLock},
	{name: "packages.lock.json", ecosystem: NuGet, lock: true, parse: parseNuGetLock},
	{name: "composer.json", ecosystem: Composer, parse: parseComposerJSON},
	{name: "composer.lock", ecosystem: Composer, lock: true, parse: parseComposerLock},
}

func formatOf(p string) (format, bool) {
	base := path.Base(p)
	for _, f := range formats {
		if base == f.name || f.match != nil && f.match(base) {
			return f, true
		}
	}
	return format{}, false
}

// Known reports whether the file at the path is one that Parse reads. Files of
// other people's packages, which lie in the project as copies, are not.
func Known(p string) bool {
	if slices.ContainsFunc(strings.Split(path.Dir(p), "/"), func(dir string) bool { return dir == "node_modules" || dir == "vendor" }) {
		return false
	}
	_, ok := formatOf(p)
	return ok
}

// Names are the names of the files that Parse reads.
func Names() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// Parse reads a file by the name of its path. With ErrTooMany the file holds
// the entries up to the bound; with other errors there is nothing.
func Parse(p string, text []byte) (File, error) {
	format, ok := formatOf(p)
	if !ok {
		return File{}, fmt.Errorf("%s is no manifest that is known", path.Base(p))
	}
	f := File{Format: format.name, Ecosystem: format.ecosystem, Lock: format.lock}
	if len(text) > MaxFile {
		return f, ErrTooLarge
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if err := format.parse(text, &f); err != nil {
		if !errors.Is(err, ErrTooMany) {
			f.Packages = nil
		}
		return f, fmt.Errorf("read %s: %w", format.name, err)
	}
	return f, nil
}

// add takes an entry in. It drops what cannot be a package, and fails when
// there are too many.
func (f *File) add(p Package) error {
	if p.Name == "" || len(p.Name) > maxName || len(p.Version) > maxName || len(p.Range) > maxName || len(p.Source) > maxName {
		return nil
	}
	if len(f.Packages) == MaxPackages {
		return ErrTooMany
	}
	if p.VersionLine == 0 {
		p.VersionLine = p.Line
	}
	f.Packages = append(f.Packages, p)
	return nil
}

// numbered yields the lines of a text with their 1-based numbers, without
// their ends.
func numbered(text []byte) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		n := 0
		for line := range strings.Lines(string(text)) {
			n++
			if !yield(n, strings.TrimRight(line, "\r\n")) {
				return
			}
		}
	}
}
