package rules_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/rules"
	"assay/review"
)

// file is a changed file whose lines are all added.
func file(path string, lines ...string) review.File {
	f := review.File{Path: path, Status: review.Added, Additions: len(lines)}
	h := review.Hunk{NewStart: 1, NewLines: len(lines)}
	for i, l := range lines {
		h.Lines = append(h.Lines, review.Line{Op: review.Add, New: i + 1, Text: l})
	}
	f.Hunks = []review.Hunk{h}
	return f
}

func pull(files ...review.File) *review.Change {
	return &review.Change{
		Repo:  review.Repo{Owner: "acme", Name: "app"},
		Pull:  review.Pull{Number: 1, Title: "Add x", Author: review.Actor{Login: "alice"}, Labels: []string{"db"}},
		Files: files,
	}
}

// run is through the runner, which checks findings as data.
func run(t *testing.T, change *review.Change, team ...review.TeamRule) agents.Outcome {
	t.Helper()
	runner, err := agents.New(agents.Config{})
	if err != nil {
		t.Fatal(err)
	}
	plan := agents.Parallel(rules.New())
	plan.Policies = map[string]review.Policy{"rules": {Rules: team}}
	return runner.Run(t.Context(), plan, change, nil)
}

func TestRules(t *testing.T) {
	migration, code := file("db/migrations/1.sql", "CREATE TABLE x"), file("a.go", "x := 1", "fmt.Println(x) // TODO(bob) this")
	kept := review.File{Path: "b.go", Status: review.Modified, Hunks: []review.Hunk{{NewStart: 7, NewLines: 1, OldStart: 7, OldLines: 1, Lines: []review.Line{
		{Op: review.Context, Old: 7, New: 7, Text: "fmt.Println(y)"}, {Op: review.Delete, Old: 8, Text: "fmt.Println(z)"},
	}}}}
	tests := []struct {
		name string
		rule review.TeamRule
		want []string // "severity place: message"
		full string   // the files with a full receipt
	}{
		{"a condition speaks of the pull request", review.TeamRule{When: `files.exists(f, f.path.startsWith("db/"))`}, []string{"medium pull request: m"}, "db/migrations/1.sql a.go b.go"},
		{"a condition that does not hold", review.TeamRule{When: `"go" in pr.labels`}, nil, "db/migrations/1.sql a.go b.go"},
		{"labels, authors and sizes", review.TeamRule{When: `"db" in pr.labels && pr.author == "alice" && size(files) > 2`}, []string{"medium pull request: m"}, "db/migrations/1.sql a.go b.go"},
		{"paths speak of each file", review.TeamRule{Paths: []string{"db/**", "b.*"}}, []string{"medium b.go: m", "medium db/migrations/1.sql: m"}, "db/migrations/1.sql b.go"},
		{"paths that match nothing", review.TeamRule{Paths: []string{"x/**"}}, nil, ""},
		{"a condition and paths", review.TeamRule{When: "pr.draft", Paths: []string{"db/**"}}, nil, "db/migrations/1.sql"},
		{"added lines alone", review.TeamRule{Added: `fmt\.Println`}, []string{"medium a.go:2: m"}, "db/migrations/1.sql a.go b.go"},
		{"added lines of some paths", review.TeamRule{Added: `\w`, Paths: []string{"*.sql", "db/**"}}, []string{"medium db/migrations/1.sql:1: m"}, "db/migrations/1.sql"},
		{"all three", review.TeamRule{Added: `x`, Paths: []string{"*.go"}, When: "true"}, []string{"medium a.go:1: m", "medium a.go:2: m"}, "a.go b.go"},
		{"groups", review.TeamRule{Added: `TODO\((?P<who>\w+)\)( never)?`, Message: "$who or ${1} or $1,$2 for $$3 $4 ${x} $whom"}, []string{"medium a.go:2: bob or bob or bob, for $3 $4 ${x} $whom"}, "db/migrations/1.sql a.go b.go"},
		{"no groups without lines", review.TeamRule{When: "true", Message: "costs $1"}, []string{"medium pull request: costs $1"}, "db/migrations/1.sql a.go b.go"},
		{"what to do", review.TeamRule{When: "true", Fix: "Ask a DBA."}, []string{"medium pull request: m. Ask a DBA."}, "db/migrations/1.sql a.go b.go"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.ID, tt.rule.Severity = "r", review.Medium
			if tt.rule.Message == "" {
				tt.rule.Message = "m"
			}
			out := run(t, pull(migration, code, kept), tt.rule)
			var got, full []string
			for _, f := range out.Findings {
				if f.Rule != "rules/r" || f.Fix != nil || (f.StartLine > 0) != (f.Evidence != "") {
					t.Errorf("finding: %+v", f)
				}
				got = append(got, fmt.Sprintf("%s %s: %s", f.Severity, f.Location(), f.Message))
			}
			for _, c := range out.Coverage {
				if c.Level == review.Full {
					full = append(full, c.Path)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.full, strings.Join(full, " ")); d != "" {
				t.Error(d)
			}
			if out.Agents[0].Status != review.AgentDone {
				t.Errorf("agent: %+v", out.Agents[0])
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for url, want := range map[string]string{"https://wiki/x": "https://wiki/x", "http://wiki/x": "", "javascript:alert(1)": ""} {
		out := run(t, pull(file("a")), review.TeamRule{ID: "r", When: "true", Severity: review.Low, Message: "m", HelpURL: url})
		if len(out.Findings) != 1 || out.Findings[0].HelpURL != want {
			t.Errorf("%s: %+v", url, out.Findings)
		}
	}
}

// TestNoRules holds that a team without rules has no gap by it.
func TestNoRules(t *testing.T) {
	for _, change := range []*review.Change{pull(file("a.go", "x")), pull()} {
		out := run(t, change)
		if len(out.Findings) != 0 || len(out.Coverage) != 1 || out.Coverage[0].Level != review.NotApplicable || out.Agents[0].Status != review.AgentDone {
			t.Errorf("%+v", out)
		}
	}
}

// TestBrokenRule holds that a rule that cannot be asked is a gap with its name,
// and keeps no other rule from speaking.
func TestBrokenRule(t *testing.T) {
	other := review.TeamRule{ID: "other", When: "true", Severity: review.Low, Message: "m"}
	tests := []struct {
		name   string
		rule   review.TeamRule
		change *review.Change
		want   string // coverage
	}{
		{"a mistake on these values", review.TeamRule{When: `pr.labels[7] == "x"`}, pull(file("a.go", "x")), "a.go partial: the rule broken could not be applied"},
		{"no condition at all", review.TeamRule{When: `pr.titel == ""`}, pull(file("a.go", "x")), "a.go partial: the rule broken could not be applied"},
		{"no expression", review.TeamRule{Added: `(`}, pull(file("a.go", "x")), "a.go partial: the rule broken could not be applied"},
		{"of a change without files", review.TeamRule{When: `pr.labels[7] == "x"`}, pull(), ". partial: rules could not be applied: broken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.rule.ID, tt.rule.Severity, tt.rule.Message = "broken", review.High, "m"
			out := run(t, tt.change, tt.rule, other)
			if len(out.Findings) != 1 || out.Findings[0].Rule != "rules/other" {
				t.Errorf("findings: %+v", out.Findings)
			}
			if a := out.Agents[0]; a.Status != review.AgentDone || !strings.Contains(a.Reason, "the rule broken could not be applied: ") {
				t.Errorf("agent: %+v", a)
			}
			c := out.Coverage[0]
			if got := fmt.Sprintf("%s %s: %s", c.Path, c.Level, c.Reason); got != tt.want {
				t.Errorf("coverage %q, want %q", got, tt.want)
			}
		})
	}
}

func TestUnread(t *testing.T) {
	f := review.File{Path: "a.go", Status: review.Modified, Unread: "GitHub sent no patch"}
	out := run(t, pull(f), review.TeamRule{ID: "r", Added: "x", Severity: review.Low, Message: "m"})
	if c := out.Coverage[0]; c.Level != review.Partial || !strings.Contains(c.Reason, "GitHub sent no patch") {
		t.Errorf("%+v", c)
	}
	out = run(t, pull(f), review.TeamRule{ID: "r", When: "true", Severity: review.Low, Message: "m"})
	if c := out.Coverage[0]; c.Level != review.Full {
		t.Errorf("a rule on no lines: %+v", c)
	}
}

// TestBounds holds what a change of a stranger can cost, and that what was left
// out is said.
func TestBounds(t *testing.T) {
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = strings.Repeat("a", 1000)
	}
	many := run(t, pull(file("a", lines...)), review.TeamRule{ID: "r", Added: "a", Severity: review.Low, Message: "m"})
	if len(many.Findings) != 50 || many.Agents[0].Reason != "the rule r matches 950 more lines" || many.Coverage[0].Level != review.Full {
		t.Errorf("%d findings, %+v, %+v", len(many.Findings), many.Agents, many.Coverage)
	}
	var all []review.TeamRule
	for i := range 100 {
		all = append(all, review.TeamRule{ID: fmt.Sprint("r", i), Added: "b", Severity: review.Low, Message: "m"})
	}
	long := run(t, pull(file("a", lines...)), all...)
	c := long.Coverage[0]
	if c.Level != review.Partial || !strings.Contains(c.Reason, "the rule r67 was not applied to all of it") {
		t.Errorf("100 MB to search: %+v", c)
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := rules.New().Run(ctx, agents.Input{Change: pull(file("a")), Policy: review.Policy{Rules: []review.TeamRule{{ID: "r"}}}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// TestMessageOfStranger holds that what a line puts into a message is bounded,
// stays on its line and is not expanded again.
func TestMessageOfStranger(t *testing.T) {
	rule := review.TeamRule{ID: "r", Added: `(.*)`, Severity: review.Low, Message: "got $1"}
	for line, want := range map[string]string{
		"$1 ${1} $$":             "got $1 ${1} $$",
		"a\x00b\r\x1b[2Jc":       "got a b  [2Jc",
		strings.Repeat("ä", 400): "got " + strings.Repeat("ä", 50) + "…",
		"\xff":                   "got \uFFFD",
	} {
		out := run(t, pull(file("a", line)), rule)
		if len(out.Findings) != 1 || out.Findings[0].Message != want {
			t.Errorf("%q: %+v", line, out.Findings)
		}
	}
}

func FuzzAdded(f *testing.F) {
	f.Add(`(?P<n>a+)(b)?`, "$n ${2} $$ $12 $", "aaab")
	f.Add(`(`, "", "")
	f.Add(`\b`, "${n", "\xff\x00")
	f.Fuzz(func(t *testing.T, expression, message, line string) {
		if len(expression) > 500 || len(message) > 1000 {
			return // the config's bounds
		}
		in := agents.Input{Change: pull(file("a", line)), Policy: review.Policy{Rules: []review.TeamRule{
			{ID: "r", Added: expression, Severity: review.Low, Message: message},
		}}}
		out, err := rules.New().Run(t.Context(), in)
		if err != nil || len(out.Coverage) != 1 {
			t.Fatalf("%+v, %v", out, err)
		}
		for _, found := range out.Findings {
			if len(found.Message) > 4000 || utf8.ValidString(message) && !utf8.ValidString(found.Message) {
				t.Errorf("message %q", found.Message)
			}
		}
	})
}
