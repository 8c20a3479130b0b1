package agents_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/review"
)

func TestFindingsAreCheckedAsData(t *testing.T) {
	good := review.Finding{
		Rule: "x/rule", Severity: review.High, Category: review.Security, Path: "a.go", StartLine: 1, EndLine: 2,
		Message: "m", Evidence: "package a", Fix: &review.Fix{Replacement: "package b"},
	}
	with := func(change func(*review.Finding)) review.Finding {
		f := good
		change(&f)
		f.Agent, f.ID = "somebody", "ffff"
		return f
	}
	fileLevel := with(func(f *review.Finding) { f.StartLine, f.EndLine, f.Fix = 0, 0, nil })
	tests := []struct {
		name string
		in   review.Finding
		want *review.Finding // nil: dropped
	}{
		{"good", good, &good},
		{"another agent's rule", with(func(f *review.Finding) { f.Rule = "y/rule" }), nil},
		{"no rule", with(func(f *review.Finding) { f.Rule = "x/" }), nil},
		{"markup in the rule", with(func(f *review.Finding) { f.Rule = "x/<b>" }), nil},
		{"no severity", with(func(f *review.Finding) { f.Severity = 0 }), nil},
		{"severity out of range", with(func(f *review.Finding) { f.Severity = 9 }), nil},
		{"no message", with(func(f *review.Finding) { f.Message = " \n" }), nil},
		{"path not in the change", with(func(f *review.Finding) { f.Path = "../etc/passwd" }), nil},
		{"line after the end of an added file", with(func(f *review.Finding) { f.EndLine = 3 }), &fileLevel},
		{"line 0 to 2", with(func(f *review.Finding) { f.StartLine = 0 }), &fileLevel},
		{"negative", with(func(f *review.Finding) { f.StartLine = -5 }), &fileLevel},
		{"backwards", with(func(f *review.Finding) { f.StartLine, f.EndLine = 2, 1 }), &fileLevel},
		{"removed file", with(func(f *review.Finding) { f.Path = "gone.go" }), new(with(func(f *review.Finding) { f.Path, f.StartLine, f.EndLine, f.Fix = "gone.go", 0, 0, nil }))},
		{"outside the hunks of a modified file", with(func(f *review.Finding) { f.Path, f.StartLine, f.EndLine = "b.go", 99, 99 }), new(with(func(f *review.Finding) { f.Path, f.StartLine, f.EndLine = "b.go", 99, 99 }))},
		{"whole pull request", with(func(f *review.Finding) { f.Path = "" }), new(with(func(f *review.Finding) { f.Path, f.StartLine, f.EndLine, f.Fix = "", 0, 0, nil }))},
		{"broken text", with(func(f *review.Finding) { f.Message, f.Evidence = "a\x00b\xff", "\xfe" }), new(with(func(f *review.Finding) { f.Message, f.Evidence = "a\uFFFDb\uFFFD", "\uFFFD" }))},
		{"long message", with(func(f *review.Finding) { f.Message = strings.Repeat("é", 4000) }), new(with(func(f *review.Finding) { f.Message = strings.Repeat("é", 2000) + "…" }))},
		{"broken fix", with(func(f *review.Finding) { f.Fix = &review.Fix{Replacement: "\xff"} }), new(with(func(f *review.Finding) { f.Fix = nil }))},
		{"unknown category", with(func(f *review.Finding) { f.Category = "fun" }), new(with(func(f *review.Finding) { f.Category = review.Correctness }))},
		{"script as help", with(func(f *review.Finding) { f.HelpURL = "javascript:alert(1)" }), &good},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// A sound finding beside it keeps the agent from being refused.
			sound := review.Finding{Rule: "x/sound", Severity: review.Info, Message: "sound"}
			out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(finder("x", tt.in, sound)), change(), nil)
			kept := out.Findings[:len(out.Findings)-1]
			if tt.want == nil {
				if len(kept) != 0 || out.Agents[0].Reason != "1 malformed findings were dropped" {
					t.Errorf("kept %+v, reason %q", kept, out.Agents[0].Reason)
				}
				return
			}
			want := *tt.want
			want.Agent = "x"
			if len(kept) != 1 {
				t.Fatalf("kept %d findings, reason %q", len(kept), out.Agents[0].Reason)
			}
			want.ID = kept[0].ID
			if d := cmp.Diff(want, kept[0]); d != "" {
				t.Error(d)
			}
			if want.ID == "ffff" {
				t.Error("the agent chose its finding's ID")
			}
		})
	}
}

func TestTooManyFindings(t *testing.T) {
	var many []review.Finding
	for i := range agents.MaxFindings + 5 {
		many = append(many, review.Finding{Rule: "x/r", Severity: review.Low, Message: fmt.Sprint(i)})
	}
	many = append(many, many[0]) // a repeat is not another finding
	many = append(many, review.Finding{Rule: "x/r", Severity: review.Critical, Message: "the one that matters"})
	out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(finder("x", many...)), change(), nil)
	if len(out.Findings) != agents.MaxFindings || out.Findings[0].Message != "the one that matters" {
		t.Errorf("%d findings, first %q", len(out.Findings), out.Findings[0].Message)
	}
	if a := out.Agents[0]; a.Status != review.AgentDone || a.Reason != "6 more findings were left out" || a.Findings != agents.MaxFindings {
		t.Errorf("agent: %+v", a)
	}
}

func TestReceipts(t *testing.T) {
	agent := fake{"x", func(context.Context, agents.Input) (agents.Result, error) {
		return agents.Result{Coverage: []review.Coverage{
			{Agent: "y", Path: "b.go", Level: review.Full, Reason: "so there"},
			{Path: "b.go", Level: review.Partial},
			{Path: "not-changed.go", Level: review.Full},
			{Path: "gone.go", Level: "complete"},
		}}, nil
	}}
	out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(agent), change(), nil)
	want := []review.Coverage{
		{Agent: "x", Path: "a.go", Level: review.Skipped, Reason: "the agent gave no receipt"},
		{Agent: "x", Path: "b.go", Level: review.Partial, Reason: "the agent gave no reason"},
		{Agent: "x", Path: "gone.go", Level: review.Skipped, Reason: "the agent's receipt was malformed"},
	}
	if d := cmp.Diff(want, out.Coverage); d != "" {
		t.Error(d)
	}
	if out.Agents[0].Examined != 1 {
		t.Errorf("examined %d files, want 1", out.Agents[0].Examined)
	}
}

// TestWhole: an agent that looked at the repository as a whole says so with a
// receipt of its own, and its findings may stand in any file.
func TestWhole(t *testing.T) {
	finding := func(path string, line int) review.Finding {
		return review.Finding{Rule: "x/rule", Severity: review.Low, Message: "m", Path: path, StartLine: line, EndLine: line}
	}
	tests := []struct {
		name     string
		change   *review.Change
		receipts []review.Coverage
		coverage []review.Coverage
		paths    []string
	}{
		{
			name: "no files", change: &review.Change{},
			receipts: []review.Coverage{{Path: review.Whole, Level: review.Full}},
			coverage: []review.Coverage{{Agent: "x", Path: review.Whole, Level: review.Full}},
			paths:    []string{"", "a.go", "docs/a.md:7"},
		},
		{
			name: "in part, beside files", change: &review.Change{Files: []review.File{{Path: "a.go"}}},
			receipts: []review.Coverage{{Path: review.Whole, Level: review.Partial}, {Path: "a.go", Level: review.NotApplicable}},
			coverage: []review.Coverage{{Agent: "x", Path: review.Whole, Level: review.Partial, Reason: "the agent gave no reason"}, {Agent: "x", Path: "a.go", Level: review.NotApplicable}},
			paths:    []string{"", "a.go", "docs/a.md:7"},
		},
		{
			name: "not looked at", change: &review.Change{},
			receipts: []review.Coverage{{Path: review.Whole, Level: review.NotApplicable}},
			coverage: []review.Coverage{{Agent: "x", Path: review.Whole, Level: review.NotApplicable}},
			paths:    []string{""},
		},
		{name: "no receipt", change: &review.Change{}, paths: []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agent := answering("x", agents.Result{Coverage: tt.receipts, Findings: []review.Finding{
				finding("", 0), finding("a.go", 0), finding("docs/a.md", 7),
				finding("../etc/passwd", 1), finding("/etc/passwd", 1), finding(".", 1), finding("a\x00b", 1), finding(strings.Repeat("a", 5000), 1),
			}})
			out := newRunner(t, agents.Config{}).Run(t.Context(), agents.Parallel(agent), tt.change, nil)
			var paths []string
			for _, f := range out.Findings {
				paths = append(paths, strings.TrimPrefix(f.Location(), "pull request"))
			}
			if d := cmp.Diff(tt.paths, paths); d != "" {
				t.Error("findings:", d)
			}
			if d := cmp.Diff(tt.coverage, out.Coverage); d != "" && len(tt.coverage)+len(out.Coverage) > 0 {
				t.Error("coverage:", d)
			}
			if out.Agents[0].Status != review.AgentDone {
				t.Errorf("agent: %+v", out.Agents[0])
			}
		})
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"internal/a_test.go": true, "test/a.go": true, "src/test/java/A.java": true, "a/testdata/x.pem": true, "web/App.spec.ts": true,
		"src/main/FooTest.java": true, "Acme.Tests/Foo.cs": true, ".env.example": true, "tests/conftest.py": true, "test_x.py": true, "examples/k8s.yml": true, "lib/_fixture/key.pem": true, "test-fixtures/a": true, "__mocks__/a.js": true, "_examples/a.go": true,
		"fixtures.go": false, "main.go": false, "latest/a.go": false, "contest.go": false, "src/Latest.java": false, "attestation.py": false, "internal/testify.go": false, ".env": false,
	} {
		if got := agents.TestPath(path); got != want {
			t.Errorf("TestPath(%q) = %v", path, got)
		}
	}
	for path, want := range map[string]bool{
		"go.sum": true, "vendor.sum": true, "go_test.sum": true, "web/package-lock.json": true, "api/a.pb.go": true, "vendor/x/y.go": true, "a.min.js": true, "dist/app.js": true, "Cargo.lock": true,
		"main.go": false, "distance/a.go": false, "lock.go": false, "regen.go": false,
	} {
		if got := agents.GeneratedPath(path); got != want {
			t.Errorf("GeneratedPath(%q) = %v", path, got)
		}
	}
}
