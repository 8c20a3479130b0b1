package repohealth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/repohealth"
	"assay/internal/fault"
	"assay/review"
)

// repo is a repository of text by path. A path that ends in "@" is a link, and
// one with a size in place of text is "size:N".
type repo map[string]string

func (r repo) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := r[path]
	if !ok {
		text, ok = r[path+"@"]
	}
	switch {
	case side != review.Head || !ok:
		return nil, review.ErrNotExist
	case text == "(fails)":
		return nil, errors.New("no answer")
	case text == "large":
		return nil, fmt.Errorf("read it: %w", review.ErrTooLarge)
	case strings.HasPrefix(text, "followed:"):
		return []byte("the text of another file"), nil
	}
	return []byte(text), nil
}

func (r repo) List(context.Context, review.Side) ([]review.Entry, error) {
	if _, ok := r["too many"]; ok {
		return nil, review.ErrTooLarge
	}
	var all []review.Entry
	for p, text := range r {
		e := review.Entry{Path: p, Mode: "100644", Size: int64(len(text))}
		if name, ok := strings.CutSuffix(p, "@"); ok {
			e.Path, e.Mode = name, "120000"
		}
		if text == "submodule" {
			e.Mode = "160000"
		}
		_, _ = fmt.Sscanf(text, "size:%d", &e.Size)
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b review.Entry) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

type host struct {
	review.Host
	setup review.Setup
	err   error
}

func (h host) Setup(context.Context) (review.Setup, error) { return h.setup, h.err }

// guarded is a setup with nothing to say of.
func guarded() host {
	return host{setup: review.Setup{DefaultBranch: "main", Protected: true, RequiredChecks: []string{"test"}}}
}

const readme = "# Dates\n\nDates is a library that parses dates in any zone and any calendar. Call Parse with the text of a date."

// with is a healthy repository and more; a file whose text is "-" is left out.
func with(more repo) repo {
	r := repo{
		"README.md": readme, "LICENSE": "MIT", "SECURITY.md": "Write to us.", ".gitignore": "/bin", ".github/workflows/ci.yml": "on: push",
		".github/dependabot.yml": "version: 2", "go.mod": "module x", "go.sum": "x", "a.go": "package a",
	}
	for p, text := range more {
		if r[p] = text; text == "-" {
			delete(r, p)
		}
	}
	return r
}

func change(r repo, h review.Host) *review.Change {
	return &review.Change{Contents: r, Tree: r, Host: h, Pull: review.Pull{HeadRef: "main"}}
}

func told(findings []review.Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, strings.TrimSpace(strings.TrimPrefix(f.Rule, "repo-health/")+" "+strings.TrimPrefix(f.Location(), "pull request")))
	}
	slices.Sort(all)
	return all
}

func TestFindings(t *testing.T) {
	code := repo{".github/workflows/ci.yml": "-"}
	for i := range 6 {
		code[fmt.Sprintf("pkg/%d.go", i)] = "package pkg"
	}
	tests := []struct {
		name  string
		files repo
		host  *host
		quiet []string
		more  []string // said by the standard profile too
	}{
		{name: "healthy"},
		{name: "nothing", files: repo{"README.md": "-", "LICENSE": "-", "SECURITY.md": "-"}, quiet: []string{"license-missing", "readme-missing"}, more: []string{"security-policy-missing"}},
		{name: "other names", files: repo{"README.md": "-", ".github/readme.rst": readme, "LICENSE": "-", "COPYING_GPL.txt": "x", "SECURITY.md": "-", "docs/security.adoc": "x"}},
		{name: "readme in a package", files: repo{"README.md": "-", "pkg/README.md": readme}, quiet: []string{"readme-missing"}},
		{name: "REUSE", files: repo{"LICENSE": "-", "LICENSES/MIT.txt": "x"}},
		{name: "stub", files: repo{"README.md": "# A long heading that says it all in very many words, which are not counted\n[![badge](https://example.com/a/very/long/address/of/a/badge.svg)](https://example.com/a/very/long/address)\n<!-- TODO: say what this is for, how it is built and who made it, at length -->\nTODO\n"}, more: []string{"readme-stub README.md"}},
		{name: "unprotected", host: &host{setup: review.Setup{DefaultBranch: "main"}}, more: []string{"branch-unprotected"}},
		{name: "no checks", host: &host{setup: review.Setup{Protected: true}}, more: []string{"no-required-checks"}},
		{name: "no CI to require", files: repo{".github/workflows/ci.yml": "-"}, host: &host{setup: review.Setup{Protected: true}}},
		{name: "no CI", files: code, more: []string{"no-ci"}},
		{name: "a script needs none", files: repo{".github/workflows/ci.yml": "-"}},
		{name: "another CI", files: repo{".github/workflows/ci.yml": "-", ".buildkite/pipeline.yml": "x", "1.py": "x", "2.py": "x", "3.py": "x", "4.py": "x", "5.py": "x", "6.py": "x"}},
		{name: "no updates", files: repo{".github/dependabot.yml": "-"}, more: []string{"no-update-config"}},
		{name: "renovate in package.json", files: repo{".github/dependabot.yml": "-", "package.json": `{"renovate": {}}`}},
		{name: "manifests of fixtures", files: repo{".github/dependabot.yml": "-", "go.mod": "-", "go.sum": "-", "testdata/go.mod": "x", "vendor/x/go.mod": "x"}},
		{name: "no gitignore", files: repo{".gitignore": "-", "package.json": "{}"}, more: []string{"gitignore-missing"}},
		{name: "Go leaves nothing", files: repo{".gitignore": "-"}},
		{name: "orphan", files: repo{"web/yarn.lock": "x", "app/Cargo.lock": "x", "app/Cargo.toml": "x", "testdata/go.sum": "x", "empty/go.sum": ""}, quiet: []string{"lock-without-manifest web/yarn.lock"}},
		{name: "rivals", files: repo{"web/package.json": "{}", "web/yarn.lock": "x", "web/package-lock.json": "x"}, more: []string{"rival-lock-files web/yarn.lock"}},
		{name: "sizes", files: repo{"a.bin": "size:52428800", "b.bin": "size:52428799", "c.bin": "size:10485759", "d.bin": "size:-1"}, quiet: []string{"huge-file a.bin"}, more: []string{"large-file b.bin"}},
		{name: "binaries", files: repo{"tool.EXE": "MZ", "gradle/wrapper/gradle-wrapper.jar": "PK", "testdata/x.class": "x"}, more: []string{"compiled-binary tool.EXE"}},
		{name: "junk", files: repo{"web/node_modules/a/index.js": "x", "web/node_modules/b.dll": "x", ".DS_Store": "x", "fixtures/node_modules/x.js": "x"}, quiet: []string{"junk-tracked .DS_Store", "junk-tracked web/node_modules/a/index.js"}},
		{name: "case", files: repo{"docs/a.md": "x", "Docs/A.md": "x", "Pkg": "x", "pkg/b.go": "x", "e\u0301.md": "x", "é.md": "x"}, quiet: []string{"case-collision Pkg", "case-collision docs/a.md", "case-collision é.md"}},
		{name: "same name in two directories", files: repo{"a/x.md": "x", "b/x.md": "x"}},
		{
			name: "links",
			files: repo{
				"broken@": "gone.go", "up@": "../outside", "abs@": "/etc/passwd", "good@": "a.go", "dir@": ".github/workflows", "chain@": "broken", "circle@": "circle",
				"followed@": "followed:", "none@": "large", "built@": "bazel-bin/x", "packages@": "web/node_modules/x", "sub": "submodule", "into@": "sub/file", "through@": "dir/ci.yml", "pkg/rel@": "../gone.go", "testdata/l@": "gone",
				"root@": "pkg/..",
			},
			quiet: []string{"broken-symlink broken", "broken-symlink chain", "broken-symlink circle", "broken-symlink pkg/rel"},
		},
		{name: "owners", files: repo{".github/CODEOWNERS": "* @ada\n/gone/ @ada\n*.go ada\n/app/[id] @ada\n"}, quiet: []string{"codeowners-syntax .github/CODEOWNERS:3"}, more: []string{"codeowners-unmatched .github/CODEOWNERS:2"}},
		{name: "owners over GitHub's limit", files: repo{"CODEOWNERS": "size:3145729"}, quiet: []string{"codeowners-too-large CODEOWNERS"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := guarded()
			if tt.host != nil {
				h = *tt.host
			}
			for _, profile := range []review.Profile{"", review.ProfileStandard} {
				out, err := repohealth.New().Run(t.Context(), agents.Input{Change: change(with(tt.files), h), Policy: review.Policy{Profile: profile}})
				if err != nil {
					t.Fatal(err)
				}
				want := slices.Clone(tt.quiet)
				if profile != "" {
					want = append(want, tt.more...)
				}
				slices.Sort(want)
				if d := cmp.Diff(want, told(out.Findings)); d != "" {
					t.Errorf("profile %q: %s", profile, d)
				}
			}
		})
	}
}

// TestReceipt: what could not be learnt is told, and is no finding.
func TestReceipt(t *testing.T) {
	tests := []struct {
		name   string
		files  repo
		host   review.Host
		level  review.Level
		reason string
	}{
		{"all known", nil, guarded(), review.Full, ""},
		{"no host", nil, nil, review.Partial, "how the repository is set up on GitHub is not known here"},
		{"not allowed", nil, host{setup: review.Setup{Unknown: []string{"rulesets: no permission"}}}, review.Partial, "rulesets: no permission"},
		{"too many files", repo{"too many": ""}, guarded(), review.Partial, "the repository has more files than can be listed"},
		{"owners too large", repo{"CODEOWNERS": "large"}, guarded(), review.Partial, "CODEOWNERS is too large to be read"},
		{"archived", repo{"README.md": "-"}, host{setup: review.Setup{Archived: true}}, review.NotApplicable, "the repository is archived"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := change(with(tt.files), tt.host)
			c.Files = []review.File{{Path: "a.go"}}
			out, err := repohealth.New().Run(t.Context(), agents.Input{Change: c, Policy: review.Policy{Profile: review.ProfileStrict}})
			if err != nil || len(out.Findings) != 0 {
				t.Errorf("%+v, %v", out.Findings, err)
			}
			want := review.Coverage{Path: review.Whole, Level: tt.level, Reason: tt.reason}
			if d := cmp.Diff(want, out.Coverage[0]); d != "" || len(out.Coverage) != 2 || out.Coverage[1].Level != review.NotApplicable {
				t.Errorf("%s; %+v", d, out.Coverage)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name   string
		ctx    context.Context
		change *review.Change
		policy review.Policy
	}{
		{name: "no tree", change: &review.Change{Contents: repo{}}},
		{name: "option", change: change(with(nil), nil), policy: review.Policy{Options: map[string]string{"x": "1"}}},
		{name: "setup", change: change(with(nil), host{err: fault.New(fault.Transient, errors.New("no answer"))})},
		{name: "owners", change: change(with(repo{"CODEOWNERS": "(fails)"}), nil)},
		{name: "cancelled", ctx: cancelled, change: change(with(nil), nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.ctx == nil {
				tt.ctx = t.Context()
			}
			out, err := repohealth.New().Run(tt.ctx, agents.Input{Change: tt.change, Policy: tt.policy})
			if err == nil {
				t.Errorf("no error, and %+v", out)
			}
		})
	}
}

// TestHugeTree: 100,000 files, each with something to say of, and a CODEOWNERS
// with more patterns than can be tried.
func TestHugeTree(t *testing.T) {
	r := with(nil)
	for i := range 50_000 {
		name := "f%d.txt"
		if i%50 == 0 {
			name = "f%d.exe"
		}
		r[fmt.Sprintf("d%d/"+name, i%500, i)] = "x"
		r[fmt.Sprintf("D%d/"+name, i%500, i)] = "x"
	}
	for i := range 1000 {
		r[fmt.Sprintf("links/%d@", i)] = "gone"
	}
	var owners strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&owners, "/nothing%d*.x @ada\n", i)
	}
	r["CODEOWNERS"] = owners.String()
	start := time.Now()
	out, err := repohealth.New().Run(t.Context(), agents.Input{Change: change(r, guarded()), Policy: review.Policy{Profile: review.ProfileStandard}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d findings in %s", len(out.Findings), time.Since(start))
	if len(out.Findings) > 100 || time.Since(start) > time.Minute {
		t.Errorf("%d findings in %s", len(out.Findings), time.Since(start))
	}
	if want := "of the symbolic links only 200 were followed"; out.Coverage[0].Level != review.Partial || !strings.Contains(out.Coverage[0].Reason, want) || !strings.Contains(out.Coverage[0].Reason, "patterns of CODEOWNERS were not tried") {
		t.Errorf("receipt %+v", out.Coverage[0])
	}
	if !slices.ContainsFunc(out.Findings, func(f review.Finding) bool { return strings.HasSuffix(f.Message, "So it is in 49980 more places.") }) {
		t.Error("what was left out is not counted")
	}
}

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range repohealth.Rules() {
		if !strings.HasPrefix(r.ID, "repo-health/") || seen[r.ID] || r.Severity == 0 || r.What == "" || r.Why == "" || r.Fix == "" || r.Profile == "" {
			t.Errorf("rule %+v", r)
		}
		seen[r.ID] = true
	}
}
