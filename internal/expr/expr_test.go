package expr

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"assay/review"
)

func mustCompile(t testing.TB, source string) *Program {
	t.Helper()
	p, err := Compile(source)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return p
}

var opened = review.Event{
	Name: "pull_request", Action: "opened", Label: "go", Edited: []string{"title"}, Schedule: "weekly",
	Repo:    review.Repo{Owner: "acme", Name: "app", DefaultBranch: "main", Private: true},
	Sender:  review.Actor{Login: "bob", Bot: true},
	Commits: &review.Commits{Ref: "refs/heads/main"},
	Issue:   &review.Issue{Number: 3, Title: "T", Body: "B", Author: review.Actor{Login: "carol"}, Labels: []string{"bug"}},
	Pull: &review.Pull{
		Number: 7, Title: "Add x", Body: "Because", Author: review.Actor{Login: "alice"}, Draft: true, Fork: true, Labels: []string{"go", "x"},
		BaseRef: "main", BaseSHA: "b", HeadRef: "topic", HeadSHA: "h",
	},
}

var changed = []review.File{
	{Path: "db/1.sql", Status: review.Added, Additions: 3, Mode: "100644"},
	{Path: "b.go", OldPath: "a.go", Status: review.Renamed, Deletions: 2, Binary: true},
}

func TestEval(t *testing.T) {
	tests := []struct {
		source string
		want   bool
		files  bool
	}{
		{"true", true, false},
		{`pr.number == 7 && pr.title == "Add x" && pr.body == "Because" && pr.author == "alice" && !pr.bot`, true, false},
		{`pr.draft && !pr.closed && pr.fork && "go" in pr.labels && size(pr.labels) == 2`, true, false},
		{`pr.base_ref == "main" && pr.base_sha == "b" && pr.head_ref == "topic" && pr.head_sha == "h"`, true, false},
		{`repo.owner == "acme" && repo.name == "app" && repo.full_name == "acme/app" && repo.default_branch == "main" && repo.private`, true, false},
		{`sender.login == "bob" && sender.bot`, true, false},
		{`event.name == "pull_request.opened" && event.label == "go" && event.edited == ["title"] && event.schedule == "weekly" && event.ref == "refs/heads/main"`, true, false},
		{`event.issue.number == 3 && event.issue.title == "T" && event.issue.body == "B" && event.issue.author == "carol" && "bug" in event.issue.labels && !event.issue.bot`, true, false},
		{`size(files) == 2`, true, true},
		{`files.exists(f, f.path.startsWith("db/") && f.status == "added" && f.additions == 3 && f.mode == "100644")`, true, true},
		{`files.exists(f, f.old_path == "a.go" && f.deletions == 2 && f.binary)`, true, true},
		{`files.all(f, f.path.endsWith(".go"))`, false, true},
		{`files.filter(f, f.binary).size() == 1`, true, true},
		{`files.map(f, f.additions).exists(n, n > 2)`, true, true},
		{`has(pr.title)`, true, false},
		{`pr.title.matches("^(Add|Fix) ")`, true, false},
		{`pr.labels.exists(files, files == "go")`, true, true}, // the name alone is looked at: at worst the files are fetched for nothing
	}
	vars := ForEvent(opened, changed)
	for _, tt := range tests {
		p := mustCompile(t, tt.source)
		got, err := p.Eval(vars)
		if err != nil || got != tt.want || p.Files() != tt.files {
			t.Errorf("%s: %t, %v (files %t), want %t (files %t)", tt.source, got, err, p.Files(), tt.want, tt.files)
		}
	}
	if _, err := mustCompile(t, `pr.labels[5] == "x"`).Eval(vars); err == nil || errors.Is(err, ErrCost) {
		t.Errorf("an index out of range: %v", err)
	}
}

// What there is not is empty: no condition stumbles over a missing part.
func TestEvalEmpty(t *testing.T) {
	var all []string
	for _, f := range Fields() {
		name := f.Name
		if rest, ok := strings.CutPrefix(name, "files[]."); ok {
			name = "files.exists(f, f." + rest + " == f." + rest + ")"
			all = append(all, "!"+name)
			continue
		}
		all = append(all, fmt.Sprintf("%s == %s", name, name))
	}
	for _, vars := range []*Vars{ForEvent(review.Event{}, nil), ForChange(&review.Change{})} {
		for _, source := range all {
			if got, err := mustCompile(t, source).Eval(vars); err != nil || !got {
				t.Errorf("%s: %t, %v", source, got, err)
			}
		}
	}
}

func TestForChange(t *testing.T) {
	c := &review.Change{Repo: opened.Repo, Pull: *opened.Pull, Files: changed}
	if got, err := mustCompile(t, `pr.number == 7 && repo.name == "app" && size(files) == 2 && sender.login == ""`).Eval(ForChange(c)); err != nil || !got {
		t.Errorf("%t, %v", got, err)
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct {
		source       string
		line, column int
		message      string
		unknown      string
	}{
		{"", 1, 1, "it is empty", ""},
		{strings.Repeat("x", MaxBytes+1), 1, 1, "longer than 2000 bytes", ""},
		{"pr.titel == ''", 1, 3, `there is no "titel"`, "titel"},
		{"true &&\n  foo", 2, 3, `there is no "foo"`, "foo"},
		{"draft", 1, 1, `write "pr.draft"`, ""},
		{"pr.title", 1, 1, "it comes to string", ""},
		{"pr.title == 1", 1, 10, "found no matching overload", ""},
		{"(", 1, 2, "Syntax error", ""},
		{`pr.title.matches("(")`, 1, 18, "invalid matches argument", ""},
		{strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500), 1, 1, "recursion", ""},
		{strings.Repeat("!", 1501) + "true", 1, 1, "", ""},
		{"files.exists(a, files.exists(b, a.path == b.path))", 1, 1, "too much work", ""},
		{"files.map(a, files.map(b, files.map(c, 1))).size() > 1", 1, 1, "too much work", ""},
	}
	for _, tt := range tests {
		_, err := Compile(tt.source)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			if tt.message != "" {
				t.Errorf("%.60s: %v", tt.source, err)
			}
			continue
		}
		if tt.message == "" {
			continue // either is well, so long as it ends
		}
		if !strings.Contains(e.Message, tt.message) || e.Line != tt.line || e.Column < 1 || e.Unknown != tt.unknown || strings.Contains(e.Message, "\n") ||
			(e.Column != tt.column && tt.message != "recursion") {
			t.Errorf("%.60s: %d:%d %q (unknown %q), want %d:%d %q (unknown %q)", tt.source, e.Line, e.Column, e.Message, e.Unknown, tt.line, tt.column, tt.message, tt.unknown)
		}
	}
}

// hostile passes the estimate on paths as long as they mostly are, and then
// meets paths as long as git allows.
const hostile = `files.all(f, f.path.matches("^(a+)+$") || f.path.matches("(a|b)*c") || f.path.contains("zz"))`

// A change made to cost much stops the condition at its limit, soon.
func TestCostLimit(t *testing.T) {
	p := mustCompile(t, hostile)
	files := make([]review.File, mostFiles)
	for i := range files {
		files[i].Path = strings.Repeat("a", 4000) + "zz"
	}
	started := time.Now()
	_, err := p.Eval(ForEvent(opened, files))
	if !errors.Is(err, ErrCost) {
		t.Errorf("got %v", err)
	}
	// Milliseconds in fact; wide, for the race detector on a busy machine.
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(`files.exists(f, f.path.startsWith("db/"))`)
	f.Add(`pr.labels[0] == "x" || event.issue.title.matches("(a")`)
	f.Add("\"\\u0000\" + `")
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, source string) {
		p, err := Compile(source)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Line < 1 || e.Column < 1 || e.Message == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		_, _ = p.Eval(ForEvent(opened, changed))
	})
}

func BenchmarkEval(b *testing.B) {
	p := mustCompile(b, `!pr.draft && pr.base_ref == "main" && !("skip" in pr.labels)`)
	vars := ForEvent(opened, changed)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.Eval(vars)
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		mustCompile(b, `!pr.draft && files.exists(f, f.path.startsWith("db/") && f.status == "added")`)
	}
}

// BenchmarkHostile is the most that a condition can be made to cost.
func BenchmarkHostile(b *testing.B) {
	p := mustCompile(b, hostile)
	files := make([]review.File, mostFiles)
	for i := range files {
		files[i].Path = strings.Repeat("a", 4000) + "zz"
	}
	vars := ForEvent(opened, files)
	for b.Loop() {
		_, _ = p.Eval(vars)
	}
}
