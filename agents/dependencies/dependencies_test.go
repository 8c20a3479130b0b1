package dependencies

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/internal/fault"
	"assay/review"
)

// sides are the contents of a change by side.
type sides [2]map[string]string

func (s sides) Read(_ context.Context, side review.Side, path string) ([]byte, error) {
	text, ok := s[side][path]
	switch {
	case !ok:
		return nil, review.ErrNotExist
	case text == "LARGE":
		return nil, review.ErrTooLarge
	case text == "BROKEN":
		return nil, errors.New("connection reset by 10.0.0.1")
	}
	return []byte(text), nil
}

// changed makes a change of the files that differ; the diff is as rough as a
// diff can be: every line that the base does not have is added.
func changed(base, head map[string]string) *review.Change {
	c := &review.Change{Contents: sides{base, head}}
	for _, path := range union(base, head) {
		before, was := base[path]
		after, is := head[path]
		if was && is && before == after {
			continue
		}
		f := review.File{Path: path, Status: review.Modified}
		switch {
		case !was:
			f.Status = review.Added
		case !is:
			f.Status = review.Removed
		}
		had := make(map[string]int)
		for l := range strings.Lines(before) {
			had[strings.TrimSpace(l)]++
		}
		h := review.Hunk{NewStart: 1}
		n := 0
		for l := range strings.Lines(after) {
			n++
			if had[strings.TrimSpace(l)]--; had[strings.TrimSpace(l)] < 0 {
				h.Lines = append(h.Lines, review.Line{Op: review.Add, New: n, Text: strings.TrimRight(l, "\r\n")})
			}
		}
		h.NewLines = n
		f.Hunks = []review.Hunk{h}
		c.Files = append(c.Files, f)
	}
	return c
}

func union(a, b map[string]string) []string {
	m := make(map[id]bool)
	for p := range a {
		m[id{name: p}] = true
	}
	for p := range b {
		m[id{name: p}] = true
	}
	var paths []string
	for _, k := range keys(m) {
		paths = append(paths, k.name)
	}
	return paths
}

// known is a source with advisories by "name version".
type known struct {
	advisories map[string][]review.Advisory
	err        error
	asked      *[]string
}

func (k known) Advisories(_ context.Context, _ *review.Change, packages []review.Package) ([]review.Advisory, error) {
	var found []review.Advisory
	for _, p := range packages {
		if k.asked != nil {
			*k.asked = append(*k.asked, p.Ecosystem+" "+p.Name+" "+p.Version)
		}
		for _, adv := range k.advisories[p.Name+" "+p.Version] {
			adv.Package = p
			found = append(found, adv)
		}
	}
	return found, k.err
}

var (
	ghsa  = review.Advisory{ID: "GHSA-1111", Aliases: []string{"CVE-1"}, Summary: "Prototype pollution", Severity: review.High, Fixed: []string{"4.17.21"}, URL: "https://osv.dev/vulnerability/GHSA-1111"}
	pysec = review.Advisory{ID: "PYSEC-1", Aliases: []string{"CVE-1"}, Fixed: []string{"4.17.21"}}
	worse = review.Advisory{ID: "GHSA-2222", Severity: review.Critical, Fixed: []string{"4.17.19", "5.0.1"}}
	nofix = review.Advisory{ID: "GHSA-3333"}
	mal   = review.Advisory{ID: "MAL-2024-1", Malicious: true, Summary: "Steals tokens"}
)

func lock(packages ...string) string {
	var b strings.Builder
	b.WriteString("{\n \"packages\": {\n")
	for i, p := range packages {
		name, version, _ := strings.Cut(p, " ")
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "  \"node_modules/%s\": {\n   \"version\": \"%s\"\n  }", name, version)
	}
	b.WriteString("\n }\n}\n")
	return b.String()
}

type files = map[string]string

var cases = []struct {
	name       string
	base, head files
	policy     review.Policy
	advisories map[string][]review.Advisory
	want       []string // "rule severity path:line message"
}{
	{
		name: "an upgrade is nothing to speak of",
		base: files{"package.json": `{"dependencies": {"lodash": "^4.0.0"}}`, "package-lock.json": lock("lodash 4.17.20")},
		head: files{"package.json": `{"dependencies": {"lodash": "^4.17.21"}}`, "package-lock.json": lock("lodash 4.17.21")},
	},
	{
		name: "a vulnerable version is spoken of where the manifest asks for it",
		base: files{"package.json": "{\"dependencies\": {\n\"react\": \"1.0.0\"}}", "package-lock.json": lock("react 1.0.0")},
		head: files{"package.json": "{\"dependencies\": {\n\"lodash\": \"^4.17.0\",\n\"react\": \"1.0.0\"}}", "package-lock.json": lock("lodash 4.17.15", "react 1.0.0")},
		advisories: map[string][]review.Advisory{
			"lodash 4.17.15": {pysec, worse, ghsa}, "react 1.0.0": {nofix},
		},
		want: []string{"dependencies/known-vulnerability critical package.json:2 lodash 4.17.15 has 2 known vulnerabilities: GHSA-2222 (critical), GHSA-1111 (Prototype pollution; high). Use 4.17.21 or later."},
	},
	{
		name:       "what was vulnerable before is not repeated, what is new is",
		base:       files{"package-lock.json": lock("lodash 4.17.15")},
		head:       files{"package-lock.json": lock("lodash 4.17.16")},
		advisories: map[string][]review.Advisory{"lodash 4.17.15": {pysec}, "lodash 4.17.16": {ghsa, nofix}},
		want:       []string{"dependencies/known-vulnerability medium package-lock.json:4 lodash 4.17.16 has a known vulnerability: GHSA-3333. No version fixes it yet."},
	},
	{
		name:       "a vulnerable version that moves to another lock file was there before",
		base:       files{"yarn.lock": "lodash@^4:\n  version \"4.17.15\"\n"},
		head:       files{"package-lock.json": lock("lodash 4.17.15")},
		advisories: map[string][]review.Advisory{"lodash 4.17.15": {ghsa}},
	},
	{
		name:       "malicious",
		base:       files{"requirements.txt": "flask==2.0.0\n"},
		head:       files{"requirements.txt": "flask==2.0.0\nevil==1.0.0\n"},
		advisories: map[string][]review.Advisory{"evil 1.0.0": {mal}},
		want:       []string{"dependencies/malicious-package critical requirements.txt:2 evil 1.0.0 is known to be malicious (MAL-2024-1 (Steals tokens)). Do not install it; where it was installed, treat the machine and its secrets as stolen."},
	},
	{
		name:       "silenced rules are silent",
		head:       files{"requirements.txt": "evil==1.0.0\nlodash==4.17.15\n"},
		policy:     review.Policy{Severities: map[string]review.Severity{ruleMalicious: review.SeverityNone, ruleVulnerable: review.SeverityNone}},
		advisories: map[string][]review.Advisory{"evil 1.0.0": {mal}, "lodash 4.17.15": {ghsa}},
	},
	{
		name: "typosquats",
		base: files{"package.json": `{"dependencies": {"mongose": "1.0.0"}}`},
		head: files{
			"package.json":     "{\"dependencies\": {\"mongose\": \"2.0.0\",\n\"loadsh\": \"^4.0.0\",\n\"crossenv\": \"*\",\n\"preact-router\": \"*\",\n\"@reduxjs/toolkits\": \"*\"}}",
			"requirements.txt": "reqeusts==1.0\nurllib\nrequest\n", "go.mod": "module m\n\nrequire github.com/siruspen/logrus v1.0.0\nrequire github.com/sirupsen/logrus2 v1.0.0\n",
		},
		want: []string{
			"dependencies/typosquat medium go.mod:3 github.com/siruspen/logrus is nearly the name of the popular package github.com/sirupsen/logrus. Check that it is the one that is meant.",
			"dependencies/typosquat medium package.json:2 loadsh is nearly the name of the popular package lodash. Check that it is the one that is meant.",
			"dependencies/typosquat medium package.json:3 crossenv is nearly the name of the popular package cross-env. Check that it is the one that is meant.",
			"dependencies/typosquat medium requirements.txt:1 reqeusts is nearly the name of the popular package requests. Check that it is the one that is meant.",
		},
	},
	{
		name: "licences",
		base: files{"package-lock.json": `{"packages": {"node_modules/was": {"version": "1.0.0", "license": "AGPL-3.0"}}}`},
		head: files{"package-lock.json": `{"packages": {"node_modules/was": {"version": "1.0.1", "license": "AGPL-3.0"},
"node_modules/a": {"version": "1.0.0", "license": "(MIT OR GPL-3.0)"},
"node_modules/b": {"version": "1.0.0", "license": "GPL-3.0-only"},
"node_modules/c": {"version": "1.0.0", "license": "SEE LICENSE IN LICENSE.md"},
"node_modules/d": {"version": "1.0.0"}}}`},
		policy: review.Policy{Options: map[string]string{"allow_licenses": "MIT, Apache-2.0"}},
		want:   []string{"dependencies/licence medium package-lock.json:3 b 1.0.0 is under GPL-3.0-only, which the team does not allow. Use another package, or add it to allow_licenses."},
	},
	{
		name: "npm out of step",
		base: files{"package.json": "{\"dependencies\": {\"old\": \"^9.0.0\"}}", "package-lock.json": lock("lodash 4.17.21")},
		head: files{
			"package.json":      "{\"dependencies\": {\"old\": \"^9.0.0\",\n\"lodash\": \"^5.0.0\",\n\"absent\": \"1.0.0\",\n\"here\": \"file:x\",\n\"tag\": \"latest\"}}",
			"package-lock.json": lock("lodash 4.17.21", "tag 1.0.0"),
		},
		want: []string{
			"dependencies/lockfile-out-of-step medium package.json:2 lodash is asked for as \"^5.0.0\", and package-lock.json has 4.17.21. Bring package-lock.json up to date and commit it.",
			"dependencies/lockfile-out-of-step medium package.json:3 absent is not in package-lock.json. Bring package-lock.json up to date and commit it.",
		},
	},
	{
		name: "two lock files: which one counts is not known",
		base: files{"package-lock.json": lock("a 1.0.0"), "yarn.lock": "a@1:\n  version \"1.0.0\"\n"},
		head: files{"package-lock.json": lock("a 1.0.0"), "yarn.lock": "a@1:\n  version \"1.0.0\"\n", "package.json": `{"dependencies": {"b": "1.0.0"}}`},
	},
	{
		name: "yarn out of step, but not where resolutions rule",
		base: files{"yarn.lock": "a@^1.0.0:\n  version \"1.0.0\"\n", "x/yarn.lock": "a@^1.0.0:\n  version \"1.0.0\"\n"},
		head: files{
			"yarn.lock": "a@^1.0.0:\n  version \"1.0.0\"\n", "package.json": `{"dependencies": {"a": "^1.2.0"}}`,
			"x/yarn.lock": "a@^1.0.0:\n  version \"1.0.0\"\n", "x/package.json": `{"dependencies": {"a": "^1.2.0"}, "resolutions": {"a": "1.0.0"}}`,
		},
		want: []string{"dependencies/lockfile-out-of-step medium package.json:1 a as \"^1.2.0\" is not in yarn.lock. Bring yarn.lock up to date and commit it."},
	},
	{
		name: "go.sum out of step",
		base: files{"go.mod": "module m\n\nrequire a.b/c v1.0.0\n", "go.sum": "a.b/c v1.0.0 h1:x\n"},
		head: files{"go.mod": "module m\n\nrequire a.b/c v1.1.0\nrequire d.e/f v1.0.0\nreplace d.e/f => ../f\n", "go.sum": "a.b/c v1.0.0 h1:x\n"},
		want: []string{"dependencies/lockfile-out-of-step medium go.mod:3 a.b/c v1.1.0 is not in go.sum. Bring go.sum up to date and commit it."},
	},
	{
		name: "go.sum of a workspace is not the only one",
		base: files{"a/go.work": "go 1.26\n", "a/b/c/go.sum": "a.b/c v1.0.0 h1:x\n"},
		head: files{"a/go.work": "go 1.26\n", "a/b/c/go.sum": "a.b/c v1.0.0 h1:x\n", "a/b/c/go.mod": "module m\n\nrequire a.b/c v1.1.0\n"},
	},
	{
		name: "Cargo.lock out of step",
		base: files{"Cargo.lock": "[[package]]\nname = \"serde-x\"\nversion = \"1.0.5\"\n"},
		head: files{"Cargo.lock": "[[package]]\nname = \"serde-x\"\nversion = \"1.0.5\"\n", "Cargo.toml": "[dependencies]\nserde_x = \"1.0\"\nrand = \"0.8\"\n[workspace.dependencies]\nnobody = \"1\"\n"},
		want: []string{"dependencies/lockfile-out-of-step medium Cargo.toml:3 rand is not in Cargo.lock. Bring Cargo.lock up to date and commit it."},
	},
	{
		name:   "downgrades, with the standard profile",
		base:   files{"go.mod": "module m\n\nrequire a.b/c v1.10.0\nrequire a.b/d v1.0.0\n"},
		head:   files{"go.mod": "module m\n\nrequire a.b/c v1.9.0\nrequire a.b/d v1.1.0\n"},
		policy: review.Policy{Profile: review.ProfileStandard},
		want:   []string{"dependencies/downgrade low go.mod:3 a.b/c goes back from v1.10.0 to v1.9.0. Keep the newer version, or say why the older one is needed."},
	},
	{
		name: "the quiet profile is quiet",
		base: files{"go.mod": "module m\n\nrequire a.b/c v1.10.0\n"},
		head: files{"go.mod": "module m\n\nrequire a.b/c v1.9.0\n", "package.json": `{"dependencies": {"x": "me/x#main"}}`},
	},
	{
		name: "sources that can change",
		head: files{
			"package.json":     "{\"dependencies\": {\n\"a\": \"me/a#main\",\n\"b\": \"git+https://u:pw@h/b.git#" + strings.Repeat("a", 40) + "\",\n\"c\": \"http://u:pw@h/c.tgz\"}}",
			"requirements.txt": "git+https://h/d@v1#egg=dd\nee @ https://h/e.whl#sha256=aa\nff @ https://h/f.whl\n",
			"Gemfile.lock":     "GIT\n  remote: https://h/g\n  revision: abc\n  specs:\n    gg (1)\n",
		},
		policy: review.Policy{Profile: review.ProfileStrict},
		want: []string{
			"dependencies/unpinned-source low package.json:2 a comes from a git repository without the full hash of a commit: what a branch or a tag stands for can change.",
			"dependencies/unpinned-source low package.json:4 c is fetched without TLS: whoever is on the way can put something else in its place.",
			"dependencies/unpinned-source low requirements.txt:1 dd comes from a git repository without the full hash of a commit: what a branch or a tag stands for can change.",
			"dependencies/unpinned-source low requirements.txt:3 ff is an archive at an address without a hash: what is there can change.",
		},
	},
	{
		name:   "install scripts of new packages",
		base:   files{"package-lock.json": `{"packages": {"node_modules/a": {"version": "1.0.0", "hasInstallScript": true}}}`},
		head:   files{"package-lock.json": "{\"packages\": {\"node_modules/a\": {\"version\": \"1.0.1\", \"hasInstallScript\": true},\n\"node_modules/b\": {\"version\": \"1.0.0\", \"hasInstallScript\": true}}}"},
		policy: review.Policy{Severities: map[string]review.Severity{ruleScript: review.Medium}},
		want:   []string{"dependencies/install-script low package-lock.json:2 b 1.0.0 runs a script when it is installed; look at what it does."},
	},
	{
		name: "vendored manifests are other people's",
		head: files{"node_modules/x/package.json": `{"dependencies": {"loadsh": "1.0.0"}}`},
	},
}

func TestRun(t *testing.T) {
	spoken := make(map[string]bool)
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			change := changed(tt.base, tt.head)
			result, err := New(known{advisories: tt.advisories}).Run(t.Context(), agents.Input{Change: change, Policy: tt.policy})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			review.Fingerprint(result.Findings)
			for _, f := range result.Findings {
				spoken[f.Rule] = true
				got = append(got, fmt.Sprintf("%s %s %s %s", f.Rule, f.Severity, f.Location(), f.Message))
				if f.Evidence == "" || strings.Contains(f.Evidence, "pw@") {
					t.Errorf("evidence is %q", f.Evidence)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if len(result.Coverage) != len(change.Files) {
				t.Errorf("%d receipts for %d files", len(result.Coverage), len(change.Files))
			}
		})
	}
	for _, r := range Rules() {
		if !spoken[r.ID] {
			t.Errorf("no test hears %s", r.ID)
		}
	}
}

func TestCoverage(t *testing.T) {
	change := changed(
		files{"go.mod": "module m\n", "gone.mod": "x", "composer.lock": "{", "poetry.lock": "", "Cargo.lock": "BROKEN"},
		files{
			"go.mod": "module m\n\ngo 1.26\n", "main.go": "package m", "package.json": "{", "yarn.lock": "LARGE", "uv.lock": "BROKEN",
			"composer.lock": "{}", "Cargo.lock": "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+x\"\n",
		})
	result, err := New(nil).Run(t.Context(), agents.Input{Change: change})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, c := range result.Coverage {
		got[c.Path] = strings.TrimSpace(string(c.Level) + " " + c.Reason)
	}
	want := map[string]string{
		"go.mod": "full", "main.go": "not_applicable", "gone.mod": "not_applicable", "poetry.lock": "not_applicable",
		"package.json":  "skipped read package.json: line 1: not valid JSON",
		"yarn.lock":     "skipped it is too large to be read",
		"uv.lock":       "skipped it could not be read",
		"composer.lock": "partial only added lines were checked: at the base read composer.lock: line 1: not valid JSON",
		"Cargo.lock":    "partial only added lines were checked: at the base it could not be read",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestUnknownBase: where the base cannot be read, lines that were there are
// not taken for new ones.
func TestUnknownBase(t *testing.T) {
	change := changed(files{"requirements.txt": "BROKEN"}, files{"requirements.txt": "lodash==4.17.15\nreqeusts==1.0\n"})
	change.Files[0].Hunks = []review.Hunk{{NewStart: 2, NewLines: 1, Lines: []review.Line{{Op: review.Add, New: 2, Text: "reqeusts==1.0"}}}}
	source := known{advisories: map[string][]review.Advisory{"lodash 4.17.15": {ghsa}}}
	result, err := New(source).Run(t.Context(), agents.Input{Change: change})
	if err != nil || len(result.Findings) != 1 || result.Findings[0].Rule != ruleTyposquat {
		t.Errorf("findings %v, error %v", result.Findings, err)
	}
}

func TestSourceTroubles(t *testing.T) {
	change := changed(nil, files{"requirements.txt": "reqeusts==1.0\n"})
	down := fault.From("osv", fault.New(fault.Transient, errors.New("osv answered 503")))
	result, err := New(known{err: down}).Run(t.Context(), agents.Input{Change: change})
	if fault.DependencyOf(err) != "osv" || fault.KindOf(err) != fault.Transient {
		t.Errorf("error %v", err)
	}
	if len(result.Findings) != 1 || len(result.Coverage) != 1 {
		t.Errorf("what was found beside the outage is lost: %+v", result)
	}

	result, err = New(nil).Run(t.Context(), agents.Input{Change: change})
	if err != nil || !strings.Contains(result.Note, "were not looked up") || result.Coverage[0].Level != review.Full {
		t.Errorf("without a source: note %q, coverage %v, error %v", result.Note, result.Coverage, err)
	}
	result, err = New(nil).Run(t.Context(), agents.Input{Change: changed(nil, files{"main.go": "package m"})})
	if err != nil || result.Note != "" {
		t.Errorf("nothing to look up: note %q, error %v", result.Note, err)
	}
}

// TestAsked holds what leaves the house: versions that are new and those they
// replace, and nothing else.
func TestAsked(t *testing.T) {
	var asked []string
	change := changed(
		files{"package-lock.json": lock("kept 1.0.0", "raised 1.0.0"), "go.mod": "module m\n"},
		files{
			"package-lock.json": strings.Replace(lock("kept 1.0.0", "raised 2.0.0"), "\n }\n}", `,
"node_modules/private": {"version": "1.0.0", "resolved": "git+ssh://git@host/p.git#abc"}}}`, 1),
			"go.mod":     "module m\n\nrequire secret.example/x v1.0.0\nreplace secret.example/x => ../x\n",
			"Cargo.lock": "[[package]]\nname = \"our-own\"\nversion = \"0.1.0\"\n",
		})
	if _, err := New(known{asked: &asked}).Run(t.Context(), agents.Input{Change: change}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"npm raised 2.0.0", "npm raised 1.0.0"}, asked); d != "" {
		t.Error(d)
	}
}

// TestPlace: where two files bring the same in, the one that a reviewer sees
// in the diff is spoken of.
func TestPlace(t *testing.T) {
	change := changed(nil, files{"a/requirements.txt": "lodash==4.17.15\n", "b/requirements.txt": "lodash==4.17.15\n"})
	change.Files[0].Hunks = nil
	source := known{advisories: map[string][]review.Advisory{"lodash 4.17.15": {ghsa}}}
	result, err := New(source).Run(t.Context(), agents.Input{Change: change})
	if err != nil || len(result.Findings) != 1 || result.Findings[0].Path != "b/requirements.txt" {
		t.Errorf("findings %v, error %v", result.Findings, err)
	}
}

func TestFix(t *testing.T) {
	tests := []struct {
		name, path, text string
		fixed            []string
		want             string // empty: no fix
	}{
		{"a pin", "requirements.txt", "lodash==4.17.15  # why\n", []string{"4.17.21"}, "lodash==4.17.21  # why"},
		{"a hash", "requirements.txt", "lodash==4.17.15 --hash=sha256:aa\n", []string{"4.17.21"}, ""},
		{"another major version", "requirements.txt", "lodash==4.17.15\n", []string{"5.0.0"}, ""},
		{"made by a tool", "requirements.txt", "# This file is autogenerated by pip-compile\nlodash==4.17.15\n", []string{"4.17.21"}, ""},
		{"a lock file", "package-lock.json", lock("lodash 4.17.15"), []string{"4.17.21"}, ""},
		{"CRLF", "requirements.txt", "lodash==4.17.15\r\n", []string{"4.17.21"}, "lodash==4.17.21"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			adv := ghsa
			adv.Fixed = tt.fixed
			source := known{advisories: map[string][]review.Advisory{"lodash 4.17.15": {adv}}}
			result, err := New(source).Run(t.Context(), agents.Input{Change: changed(nil, files{tt.path: tt.text})})
			if err != nil || len(result.Findings) != 1 {
				t.Fatalf("findings %v, error %v", result.Findings, err)
			}
			got := ""
			if fix := result.Findings[0].Fix; fix != nil {
				got = fix.Replacement
			}
			if got != tt.want {
				t.Errorf("fix %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFixedVersion(t *testing.T) {
	tests := []struct {
		current string
		fixed   [][]string
		want    string
		all     bool
	}{
		{"1.2.3", [][]string{{"1.2.9", "2.0.3"}}, "1.2.9", true},
		{"1.2.3", [][]string{{"2.0.0"}, {"1.2.9", "2.0.3"}}, "2.0.3", true},
		{"1.2.3", [][]string{{"1.2.4"}, {"1.3.0"}}, "1.3.0", true},
		{"1.2.3", [][]string{{"1.2.4"}, nil}, "1.2.4", false},
		{"1.2.3", [][]string{{"1.0.0"}}, "", false},
		{"nonsense", [][]string{{"1.0.0"}}, "", false},
	}
	for _, tt := range tests {
		var problems []*problem
		for _, f := range tt.fixed {
			problems = append(problems, &problem{fixed: f})
		}
		if got, all := fixedVersion("npm", tt.current, problems); got != tt.want || all != tt.all {
			t.Errorf("%s with %v: %q %v, want %q %v", tt.current, tt.fixed, got, all, tt.want, tt.all)
		}
	}
}

func TestPermits(t *testing.T) {
	allowed := map[string]bool{"mit": true, "apache-2.0": true, "lgpl-2.1-only": true, "gpl-2.0 with classpath-exception-2.0": true}
	for expression, want := range map[string][2]bool{
		"MIT": {true, true}, "mit": {true, true}, "GPL-3.0": {false, true}, "MIT OR GPL-3.0": {true, true}, "MIT AND GPL-3.0": {false, true},
		"(MIT AND Apache-2.0) OR GPL-3.0": {true, true}, "GPL-3.0 OR MIT AND X": {false, true}, "LGPL-2.1-or-later": {true, true}, "LGPL-2.1+": {true, true},
		"GPL-2.0 WITH Classpath-exception-2.0": {true, true}, "Apache-2.0 WITH LLVM-exception": {true, true},
		"": {false, false}, "(MIT": {true, false}, "MIT)": {true, false}, "UNLICENSED": {false, false}, "proprietary": {false, false},
		"SEE LICENSE IN x": {false, false}, strings.Repeat("(", 500) + "MIT": {false, false}, "MIT GPL": {true, false},
	} {
		ok, known := permits(expression, allowed)
		if known != want[1] || known && ok != want[0] {
			t.Errorf("%.40q: ok %v, known %v, want %v", expression, ok, known, want)
		}
	}
}

func TestImitates(t *testing.T) {
	p := readPopular()
	for ecosystem, names := range p.names {
		if len(names) < 20 {
			t.Errorf("%d popular names of %s", len(names), ecosystem)
		}
		for _, name := range names {
			if known := p.imitates(ecosystem, name); known != "" {
				t.Errorf("%s, popular itself, imitates %s", name, known)
			}
		}
	}
	// Names of attacks that became known.
	for name, known := range map[string]string{
		"crossenv": "cross-env", "mongose": "mongoose", "electorn": "electron", "loadsh": "lodash", "expres": "express", "babelcli": "babel-cli", "nodemailer.js": "", "discordjs": "discord.js",
	} {
		if got := p.imitates("npm", name); got != known {
			t.Errorf("%s imitates %q, want %q", name, got, known)
		}
	}
	for _, honest := range []string{"urllib", "request", "torchx", "grequests", "cattrs", "scapy", "pyaml", "py", "boto", "pycryptodomex"} {
		if got := p.imitates("PyPI", honest); got != "" {
			t.Errorf("%s imitates %s", honest, got)
		}
	}
	for _, honest := range []string{"github.com/sirupsen/logrus/v2", "github.com/spf13/cobra-cli", "github.com/me/errors"} {
		if got := p.imitates("Go", honest); got != "" {
			t.Errorf("%s imitates %s", honest, got)
		}
	}
}

// TestManyFindings: a hostile manifest takes neither long nor all the room.
func TestManyFindings(t *testing.T) {
	var text strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&text, "l0dash-%d==1.%d\nhttp://h/%d.whl\n", i, i, i)
	}
	for _, name := range []string{"dango", "djago", "djano", "djang", "djnago", "reqests", "requsts"} {
		fmt.Fprintf(&text, "%s\n", name)
	}
	policy := review.Policy{Profile: review.ProfileStrict}
	result, err := New(nil).Run(t.Context(), agents.Input{Change: changed(nil, files{"requirements.txt": text.String()}), Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(result.Findings); n != maxFindings || !strings.Contains(result.Note, "only the first 100 findings") {
		t.Errorf("%d findings, note %q", n, result.Note)
	}
	if c := result.Coverage[0]; c.Level != review.Partial {
		t.Errorf("receipt %v", c)
	}
}

func FuzzRun(f *testing.F) {
	for _, tt := range cases {
		for path, head := range tt.head {
			f.Add(path, tt.base[path], head)
		}
	}
	agent := New(known{})
	f.Fuzz(func(t *testing.T, path, base, head string) {
		change := changed(files{path: base}, files{path: head})
		result, err := agent.Run(t.Context(), agents.Input{Change: change, Policy: review.Policy{
			Profile: review.ProfileStrict, Options: map[string]string{"allow_licenses": "MIT"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(head, "\n") + 1
		for _, finding := range result.Findings {
			if finding.StartLine < 1 || finding.EndLine > lines || finding.Message == "" {
				t.Fatalf("%+v in a file of %d lines", finding, lines)
			}
		}
	})
}

// BenchmarkLockFile compares a lock file of about 1 MB with one that differs in
// a tenth of its packages.
func BenchmarkLockFile(b *testing.B) {
	var was, is []string
	for i := range 16_000 {
		was = append(was, fmt.Sprintf("package-%d 1.0.0", i))
		is = append(is, fmt.Sprintf("package-%d 1.%d.0", i, i%10/9))
	}
	change := changed(files{"package-lock.json": lock(was...)}, files{"package-lock.json": lock(is...)})
	agent := New(known{})
	b.SetBytes(int64(len(lock(is...))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := agent.Run(b.Context(), agents.Input{Change: change}); err != nil {
			b.Fatal(err)
		}
	}
}
