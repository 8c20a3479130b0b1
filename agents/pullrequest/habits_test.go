package pullrequest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/pullrequest"
	"assay/internal/fault"
	"assay/review"
)

type host struct {
	review.Host
	messages []string
	err      error
}

func (h host) Commits(context.Context) ([]review.Commit, error) {
	var all []review.Commit
	for _, m := range h.messages {
		all = append(all, review.Commit{Message: m})
	}
	return all, h.err
}

func TestCommits(t *testing.T) {
	tests := map[string][]string{
		"fixup! Parse dates":          {"commits-to-squash"},
		"squash! Parse dates\n\nmore": {"commits-to-squash"},
		"Fix fixup! of dates":         nil,
		"Parse\n\nfixup! dates":       nil,
		"fixup!":                      nil,
	}
	for message, want := range tests {
		c := changeOf(sides{})
		c.Host = host{messages: []string{"Parse dates", message, message}}
		if d := cmp.Diff(want, said(t, c, "", nil)); d != "" {
			t.Errorf("%q: %s", message, d)
		}
		c.Pull.Draft = true
		if got := said(t, c, "", nil); len(got) != 0 {
			t.Errorf("draft: %v", got)
		}
	}
}

// TestGaps: what could not be asked is told, and the rest is still done.
func TestGaps(t *testing.T) {
	tests := map[string]*review.Change{
		"list the commits: no answer":    {Pull: pull("", "b"), Host: host{err: errors.New("no answer")}},
		"read CODEOWNERS: no answer":     {Pull: pull("", "b"), Contents: sides{head: map[string]string{"CODEOWNERS": "(fails)"}}, Files: []review.File{{Path: "CODEOWNERS"}}},
		"read api.go: no answer":         {Pull: pull("", "b"), Contents: sides{head: map[string]string{"api.go": "(fails)", "go.mod": "module x/v2"}, base: map[string]string{"go.mod": "module x/v2"}}, Files: []review.File{{Path: "api.go", Status: review.Added}}},
		"read d.proto: no answer":        {Pull: pull("", "b"), Contents: sides{head: map[string]string{"d.proto": "(fails)"}}, Files: []review.File{{Path: "d.proto", Status: review.Added}}},
		"read .github/CODEOWNERS: no an": {Pull: review.Pull{Number: 1, Body: "b", BaseSHA: "b"}, Tree: sides{}, Contents: sides{base: map[string]string{".github/CODEOWNERS": "(fails)"}}},
	}
	for reason, c := range tests {
		out, err := runAgent(t.Context(), agents.Input{Change: c, Policy: review.Policy{Profile: review.ProfileStandard}})
		if err != nil || len(out.Findings) != 1 {
			t.Errorf("%s: %+v, %v", reason, out.Findings, err)
		}
		last := out.Coverage[len(out.Coverage)-1]
		if last.Path != review.Whole || last.Level != review.Partial || !strings.HasPrefix(last.Reason, reason) {
			t.Errorf("%s: %+v", reason, last)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, options := range []map[string]string{{"go_api": "sometimes"}, {"goapi": "never"}} {
		_, err := runAgent(t.Context(), agents.Input{Change: &review.Change{}, Policy: review.Policy{Options: options}})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: %v", options, err)
		}
	}
}

func TestOwnersSyntax(t *testing.T) {
	f := added(".github/CODEOWNERS", 1, "*.go ada")
	f.Status, f.Hunks[0].NewStart, f.Hunks[0].Lines[0].New = review.Modified, 3, 3
	head := map[string]string{".github/CODEOWNERS": "!old @ada\n* @ada\n*.go ada\n", "pkg/CODEOWNERS": "!x y"}
	c := &review.Change{Pull: pull("Own dates", "b"), Contents: sides{head: head}, Files: []review.File{f, added("pkg/CODEOWNERS", 1, "!x y")}}
	if d := cmp.Diff([]string{"codeowners-syntax .github/CODEOWNERS:3 *.go ada"}, said(t, c, "", nil)); d != "" {
		t.Error(d)
	}
}

func TestUnowned(t *testing.T) {
	base := func(owners string) map[string]string {
		files := map[string]string{"CODEOWNERS": owners}
		for i := range 40 {
			files[fmt.Sprintf("src/%d.md", i)] = "x"
		}
		return files
	}
	tests := []struct {
		name, owners, path string
		want               []string
	}{
		{"nobody", "/src/ @ada\n/CODEOWNERS @ada\n", "new/a.md", []string{"unowned-files"}},
		{"owned", "/src/ @ada\n", "src/a.md", nil},
		{"owned by the last line of the base", "* @ada\n", "new/a.md", nil},
		{"nobody on purpose", "* @ada\n/new/\n", "new/a.md", nil},
		{"covers little", "/src/1.md @ada\n", "new/a.md", nil},
		{"not known", "/src/ @ada\n/$x @ada\n", "new/a.md", nil},
		{"no CODEOWNERS", "", "new/a.md", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sides{base: base(tt.owners), head: base(tt.owners)}
			if tt.owners == "" {
				delete(s.base, "CODEOWNERS")
				delete(s.head, "CODEOWNERS")
			}
			s.head[tt.path] = "x"
			if d := cmp.Diff(tt.want, said(t, changeOf(s), review.ProfileStandard, nil)); d != "" {
				t.Error(d)
			}
			if got := said(t, changeOf(s), "", nil); len(got) != 0 {
				t.Errorf("quiet: %v", got)
			}
		})
	}
}

func TestConvention(t *testing.T) {
	tests := []struct {
		title, file, text string
		want              bool
	}{
		{"Parse dates", ".commitlintrc.json", "", true},
		{"Parse dates", "commitlint.config.mjs", "", true},
		{"Parse: dates and: times", "release-please-config.json", "", false}, // the form is all that is known
		{"feat(api)!: parse dates", ".commitlintrc.json", "", false},
		{`Revert "Parse dates"`, ".commitlintrc.json", "", false},
		{"feat:parse dates", ".commitlintrc.json", "", true},
		{"Parse dates", "docs/.commitlintrc.json", "", false},
		{"Parse dates", "package.json", `{"devDependencies": {"@commitlint/config-conventional": "1"}}`, true},
		{"Parse dates", "package.json", `{}`, false},
		{"Parse dates", "", "", false},
	}
	for _, tt := range tests {
		files := map[string]string{"README.md": "x"}
		if tt.file != "" {
			files[tt.file] = tt.text
		}
		c := changeOf(sides{files, files})
		c.Pull.Title = tt.title
		if got := len(said(t, c, review.ProfileStandard, nil)) == 1; got != tt.want {
			t.Errorf("%q with %q: %v, want %v", tt.title, tt.file, got, tt.want)
		}
	}
}

func TestIssue(t *testing.T) {
	tests := map[string]bool{
		"Parse dates (#12)": true, "Parse dates for GH-12": true, "DATE-12: parse": true, "Parse": false, "Parse &#12;": false, "Use UTF-8": true, "Section a#12": false,
		"See https://github.com/a/b/issues/7": true,
	}
	for title, linked := range tests {
		c := &review.Change{Pull: pull(title, "<!-- #1 -->Because."), Files: []review.File{added("a.md", 100, "x")}}
		if got := len(said(t, c, review.ProfileStrict, nil)) == 0; got != linked {
			t.Errorf("%q: linked %v, want %v", title, got, linked)
		}
		if got := said(t, c, review.ProfileStandard, nil); len(got) != 0 {
			t.Errorf("standard: %v", got)
		}
	}
}

// TestTestsOfTheLanguage: code without tests is only spoken of where the
// repository has tests in its language.
func TestTestsOfTheLanguage(t *testing.T) {
	tests := []struct {
		code, other string
		want        []string
	}{
		{"a.go", "b_test.go", []string{"tests-missing"}},
		{"a.go", "b.test.ts", nil},
		{"a.tsx", "b.spec.js", []string{"tests-missing"}},
		{"A.java", "src/test/java/BTest.java", []string{"tests-missing"}},
		{"a.py", "tests/test_b.py", []string{"tests-missing"}},
		{"a.rb", "spec/b_spec.rb", []string{"tests-missing"}},
		{"a.py", "examples/b.py", nil},
		{"a.go", "README.md", nil},
	}
	for _, tt := range tests {
		files := map[string]string{tt.code: "x", tt.other: "x"}
		c := changeOf(sides{files, files})
		c.Files = []review.File{added(tt.code, 60, "x := 1")}
		if d := cmp.Diff(tt.want, said(t, c, review.ProfileStandard, nil)); d != "" {
			t.Errorf("%s beside %s: %s", tt.code, tt.other, d)
		}
	}
}

// TestQuiet: the default profile leaves out what is a matter of taste.
func TestQuiet(t *testing.T) {
	c := &review.Change{Pull: pull(strings.Repeat("long ", 30), "why"), Files: []review.File{added("a.go", 5000, "x := 1")}}
	if got := said(t, c, "", nil); len(got) != 0 {
		t.Errorf("quiet: %v", got)
	}
	if got := said(t, c, review.ProfileStandard, nil); len(got) != 3 {
		t.Errorf("standard: %v", got)
	}
}

func TestRules(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range pullrequest.Rules() {
		if !strings.HasPrefix(r.ID, "pull-request/") || seen[r.ID] || r.Severity == 0 || r.What == "" || r.Why == "" || r.Fix == "" {
			t.Errorf("rule %+v", r)
		}
		seen[r.ID] = true
	}
}

// TestCommitsOutage holds that a run is healed that could not list its commits.
func TestCommitsOutage(t *testing.T) {
	down := fault.From("github", fault.New(fault.Transient, errors.New("502")))
	c := &review.Change{Pull: pull("Add a thing", ""), Host: host{err: down}}
	if _, err := runAgent(t.Context(), agents.Input{Change: c}); fault.DependencyOf(err) != "github" {
		t.Errorf("got %v", err)
	}
}
