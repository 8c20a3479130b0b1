package dependencies

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"assay/agents/dependencies/manifest"
	"assay/review"
)

const (
	// maxSiblings bounds the files that are read beside changed manifests.
	maxSiblings = 20
	// maxNew bounds the new entries of one manifest that are looked up, and
	// maxLocked the entries of one name in a lock file: with more, no two
	// honest files are compared.
	maxNew, maxLocked = 2000, 100
)

// locksOf are the lock files that may stand beside a manifest.
func locksOf(format string) []string {
	switch format {
	case "package.json":
		return []string{"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"}
	case "go.mod":
		return []string{"go.sum"}
	case "Cargo.toml":
		return []string{"Cargo.lock"}
	default:
		return nil
	}
}

// outOfStep finds entries that the change gives a manifest and that its lock
// file does not hold. It speaks only where that is certain: where exactly one
// lock file stands beside the manifest, and nothing in the project changes what
// entries mean.
func (a *Agent) outOfStep(ctx context.Context, change *review.Change, d *delta) []review.Finding {
	s := &siblings{change: change, files: d.files}
	var found []review.Finding
	for _, f := range d.files {
		if f.after.Lock || len(locksOf(f.after.Format)) == 0 || f.after.Overrides {
			continue
		}
		var news []entry
		for _, e := range d.brought {
			if e.file == f && len(news) < maxNew && !e.Optional && e.As == "" && e.Source == "" {
				news = append(news, e)
			}
		}
		if len(news) == 0 {
			continue
		}
		lock, name := s.lock(ctx, f)
		if lock == nil {
			continue
		}
		var problems []review.Finding
		check := newStep(f.after, lock)
		for _, e := range news {
			if problem := check.problem(e.Package); problem != "" {
				problems = append(problems, a.finding(ruleOutOfStep, e, fmt.Sprintf("%s %s. Bring %s up to date and commit it.", e.Name, problem, name)))
			}
		}
		if len(problems) > 0 && !(name == "go.sum" && s.inWorkspace(ctx, path.Dir(f.path))) {
			found = append(found, problems...)
		}
	}
	return found
}

// step compares a manifest with its lock file.
type step struct {
	manifest manifest.File
	lock     *manifest.File
	byName   map[string][]manifest.Package
}

func newStep(m manifest.File, lock *manifest.File) *step {
	s := &step{manifest: m, lock: lock, byName: make(map[string][]manifest.Package)}
	for _, p := range lock.Packages {
		name := s.name(p.Name)
		if len(s.byName[name]) > maxLocked {
			continue
		}
		s.byName[name] = append(s.byName[name], p)
	}
	return s
}

// name is the form in which names are compared: for Cargo - and _ are the same.
func (s *step) name(name string) string {
	if s.lock.Ecosystem == manifest.Crates {
		return strings.ReplaceAll(name, "-", "_")
	}
	return name
}

// problem says what the lock file lacks of an entry; empty where it is in
// step, or that is not certain.
func (s *step) problem(p manifest.Package) string {
	switch s.lock.Format {
	case "go.sum":
		if p.Version != "" && !s.lock.Sums[p.Name+" "+p.Version] {
			return p.Version + " is not in go.sum"
		}
		return ""
	case "Cargo.lock":
		return s.unsatisfied(p)
	}
	if strings.Contains(p.Range, ":") { // another protocol than the registry's
		return ""
	}
	switch s.lock.Format {
	case "yarn.lock":
		return s.yarn(p)
	case "pnpm-lock.yaml":
		if want, ok := s.lock.Asked[p.Name]; !ok {
			return "is not in pnpm-lock.yaml"
		} else if want != p.Range && want != "" {
			return fmt.Sprintf("is asked for as %q, and pnpm-lock.yaml was made for %q", p.Range, want)
		}
		return ""
	}
	if want, ok := s.lock.Asked[p.Name]; ok && want == p.Range {
		return ""
	}
	return s.unsatisfied(p)
}

// unsatisfied says when no version in the lock file is one that is asked for.
func (s *step) unsatisfied(p manifest.Package) string {
	locked := s.byName[s.name(p.Name)]
	if len(locked) == 0 {
		if _, asked := s.lock.Asked[p.Name]; asked {
			return "" // a project of the same workspace
		}
		return "is not in " + s.lock.Format
	}
	if len(locked) > maxLocked {
		return ""
	}
	for _, l := range locked {
		if ok, known := satisfies(s.lock.Ecosystem, l.Version, p.Range); ok || !known {
			return ""
		}
	}
	return fmt.Sprintf("is asked for as %q, and %s has %s", p.Range, s.lock.Format, locked[0].Version)
}

// yarn knows that the entries of a yarn.lock begin with the very ranges that
// are asked for.
func (s *step) yarn(p manifest.Package) string {
	locked := s.byName[p.Name]
	for _, l := range locked {
		if l.Range == p.Range || l.Local {
			return ""
		}
	}
	if len(locked) == 0 && s.manifest.Workspaces || len(locked) > maxLocked {
		return ""
	}
	return fmt.Sprintf("as %q is not in yarn.lock", p.Range)
}

// siblings finds the lock files beside manifests.
type siblings struct {
	change *review.Change
	files  []*file
	read   int
	// listed are the paths at the head; nil where they are not known.
	listed map[string]bool
	asked  bool
}

// lock is the one lock file beside the manifest, and its name; nil where there
// is none, there are several, or it cannot be read.
func (s *siblings) lock(ctx context.Context, f *file) (lock *manifest.File, name string) {
	for _, candidate := range locksOf(f.after.Format) {
		l, there := s.parse(ctx, path.Join(path.Dir(f.path), candidate))
		if !there {
			continue
		}
		if lock != nil || l == nil {
			return nil, ""
		}
		lock, name = l, candidate
	}
	return lock, name
}

// parse reads the lock file at the head; there says that it exists, or that
// this is not known.
func (s *siblings) parse(ctx context.Context, p string) (lock *manifest.File, there bool) {
	for _, f := range s.files {
		if f.path == p && len(f.lines) > 0 {
			return &f.after, true
		}
	}
	text, err := s.content(ctx, p)
	if errors.Is(err, review.ErrNotExist) {
		return nil, false
	}
	if err != nil {
		return nil, true
	}
	parsed, err := manifest.Parse(p, text)
	if err != nil {
		return nil, true
	}
	return &parsed, true
}

// inWorkspace reports whether a go.work may stand in the directory or above
// it: then sums may be in its go.work.sum, and modules in the same repository.
func (s *siblings) inWorkspace(ctx context.Context, dir string) bool {
	for {
		if _, err := s.content(ctx, path.Join(dir, "go.work")); !errors.Is(err, review.ErrNotExist) {
			return true
		}
		if dir == "." || dir == "/" {
			return false
		}
		dir = path.Dir(dir)
	}
}

var errEnough = errors.New("enough files were read")

func (s *siblings) content(ctx context.Context, p string) ([]byte, error) {
	s.list(ctx)
	if s.listed != nil && !s.listed[p] {
		return nil, review.ErrNotExist
	}
	if s.read++; s.read > maxSiblings {
		return nil, errEnough
	}
	return readSide(ctx, s.change.Contents, review.Head, p)
}

func (s *siblings) list(ctx context.Context) {
	if s.asked || s.change.Tree == nil {
		return
	}
	s.asked = true
	entries, err := s.change.Tree.List(ctx, review.Head)
	if err != nil {
		return
	}
	s.listed = make(map[string]bool, len(entries))
	for _, e := range entries {
		s.listed[e.Path] = true
	}
}
