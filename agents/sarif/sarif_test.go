package sarif_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/sarif"
	"assay/internal/fault"
	log "assay/internal/sarif"
	"assay/review"
)

const head = "0123456789abcdef0123456789abcdef01234567"

// kept is a source.
type kept struct {
	uploads []sarif.Upload
	err     error
}

func (k kept) Uploads(_ context.Context, repo int64, sha string) ([]sarif.Upload, error) {
	if repo != 7 || sha != head {
		return nil, errors.New("asked for another head")
	}
	return k.uploads, k.err
}

// change has a file with one added line among others (3), and an added one.
func change() *review.Change {
	return &review.Change{
		Repo: review.Repo{ID: 7, Owner: "acme", Name: "app"}, Pull: review.Pull{Number: 1, HeadSHA: head},
		Files: []review.File{
			{Path: "a.go", Status: review.Modified, Hunks: []review.Hunk{{OldStart: 2, OldLines: 2, NewStart: 2, NewLines: 3, Lines: []review.Line{
				{Op: review.Context, Old: 2, New: 2, Text: "before"}, {Op: review.Add, New: 3, Text: "x = y + z"}, {Op: review.Context, Old: 3, New: 4, Text: "after"},
			}}}},
			{Path: "gone.go", Status: review.Removed},
			{Path: "new.go", Status: review.Added, Hunks: []review.Hunk{{NewStart: 1, NewLines: 2, Lines: []review.Line{
				{Op: review.Add, New: 1, Text: "package ä"}, {Op: review.Add, New: 2, Text: "two"},
			}}}},
		},
	}
}

func uploads(results ...log.Result) []sarif.Upload {
	for i := range results {
		if results[i].Message == "" {
			results[i].Message = "m"
		}
		if results[i].Security == 0 {
			results[i].Security = -1
		}
	}
	return []sarif.Upload{{Category: "ci", Received: time.Now(), Log: log.Log{Runs: []log.Run{{Tool: "Semgrep OSS", Results: results}}}}}
}

func run(t *testing.T, source sarif.Source, c *review.Change, options map[string]string) agents.Outcome {
	t.Helper()
	runner, err := agents.New(agents.Config{})
	if err != nil {
		t.Fatal(err)
	}
	plan := agents.Parallel(sarif.New(source))
	plan.Policies = map[string]review.Policy{"sarif": {Options: options}}
	return runner.Run(t.Context(), plan, c, nil)
}

func lines(from, to int) log.Region { return log.Region{StartLine: from, EndLine: to} }

func TestResults(t *testing.T) {
	tests := []struct {
		name   string
		result log.Result
		want   string // "rule severity category place: message"
	}{
		{"on an added line", log.Result{Rule: "go.SQL", Path: "a.go", Region: lines(3, 3)}, "semgrep-oss.go.sql medium correctness a.go:3: m"},
		{"around an added line", log.Result{Rule: "r", Path: "a.go", Region: lines(2, 4)}, "semgrep-oss.r medium correctness a.go:2: m"},
		{"around all lines there can be", log.Result{Rule: "r", Path: "a.go", Region: lines(1, 1<<40)}, "semgrep-oss.r medium correctness a.go: m"},
		{"on a line that was there", log.Result{Rule: "r", Path: "a.go", Region: lines(2, 2), Level: log.LevelError}, ""},
		{"on no line of it", log.Result{Rule: "r", Path: "a.go"}, ""},
		{"on a line that was there, and new", log.Result{Rule: "r", Path: "a.go", Region: lines(2, 2), New: true}, "semgrep-oss.r medium correctness a.go:2: m"},
		{"on no line of a new file", log.Result{Rule: "r", Path: "new.go"}, "semgrep-oss.r medium correctness new.go: m"},
		{"in a file that is gone", log.Result{Rule: "r", Path: "gone.go", New: true}, ""},
		{"in another file", log.Result{Rule: "r", Path: "b.go", New: true}, ""},
		{"nowhere", log.Result{Rule: "r", Level: log.LevelError}, ""},
		{"suppressed", log.Result{Rule: "r", Path: "new.go", Suppressed: true}, ""},
		{"unchanged", log.Result{Rule: "r", Path: "new.go", Unchanged: true}, ""},
		{"of no level", log.Result{Rule: "r", Path: "new.go", Level: log.LevelNone}, ""},
		{"an error", log.Result{Rule: "r", Path: "new.go", Level: log.LevelError}, "semgrep-oss.r high correctness new.go: m"},
		{"a note", log.Result{Rule: "r", Path: "new.go", Level: log.LevelNote, Tags: []string{"Style"}}, "semgrep-oss.r low maintainability new.go: m"},
		{"9.0", log.Result{Rule: "r", Path: "new.go", Security: 9}, "semgrep-oss.r critical security new.go: m"},
		{"8.9", log.Result{Rule: "r", Path: "new.go", Security: 8.9}, "semgrep-oss.r high security new.go: m"},
		{"4.0, an error", log.Result{Rule: "r", Path: "new.go", Security: 4, Level: log.LevelError}, "semgrep-oss.r medium security new.go: m"},
		{"3.9", log.Result{Rule: "r", Path: "new.go", Security: 3.9}, "semgrep-oss.r low security new.go: m"},
		{"tagged", log.Result{Rule: "r", Path: "new.go", Tags: []string{"security"}}, "semgrep-oss.r medium security new.go: m"},
		{"a rule of tricks", log.Result{Rule: "../a b\x00/Ü", Path: "new.go"}, "semgrep-oss.a-b-cc2ff056 medium correctness new.go: m"},
		{"no rule", log.Result{Path: "new.go"}, "semgrep-oss.result medium correctness new.go: m"},
		{"a long rule", log.Result{Rule: strings.Repeat("long.", 51), Path: "new.go"}, "semgrep-oss." + strings.Repeat("long.", 17) + "long-03d5087e medium correctness new.go: m"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, kept{uploads: uploads(tt.result)}, change(), nil)
			if a := out.Agents[0]; a.Status != review.AgentDone || a.Reason != "" {
				t.Errorf("agent: %+v", a)
			}
			var got []string
			for _, f := range out.Findings {
				got = append(got, fmt.Sprintf("%s %s %s %s: %s", strings.TrimPrefix(f.Rule, "sarif/"), f.Severity, f.Category, f.Location(), f.Message))
			}
			if d := cmp.Diff(tt.want, strings.Join(got, "; ")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestScope(t *testing.T) {
	all := uploads(log.Result{Rule: "r", Path: "a.go", Region: lines(2, 2)}, log.Result{Rule: "r", Path: "b.go", Region: lines(2, 2)})
	if out := run(t, kept{uploads: all}, change(), map[string]string{"scope": "files"}); len(out.Findings) != 1 {
		t.Errorf("findings: %+v", out.Findings)
	}
}

func TestSame(t *testing.T) {
	prints := map[string]string{"primaryLocationLineHash": "a:1"}
	first := uploads(
		log.Result{Rule: "r", Path: "a.go", Region: lines(3, 3), Fingerprints: prints},
		log.Result{Rule: "r", Path: "a.go", Region: lines(3, 3), Fingerprints: map[string]string{"primaryLocationLineHash": "b:1"}, Message: "another"},
		log.Result{Rule: "s", Path: "a.go", Region: lines(3, 3)},
	)
	second := uploads(
		log.Result{Rule: "r", Path: "a.go", Region: lines(3, 3), Fingerprints: prints, Message: "in other words"},
		log.Result{Rule: "s", Path: "a.go", Region: lines(3, 3)},
	)
	out := run(t, kept{uploads: append(first, second...)}, change(), nil)
	if len(out.Findings) != 3 {
		t.Errorf("findings: %+v", out.Findings)
	}
}

func TestEvidenceAndFix(t *testing.T) {
	fix := func(at log.Region, text string) []log.Fix {
		return []log.Fix{{Edits: []log.Edit{{Path: "a.go", Region: at, Text: text}}}}
	}
	three := lines(3, 3)
	inNew := fix(log.Region{StartLine: 1, StartColumn: 10, EndLine: 1, EndColumn: 11}, "b")
	inNew[0].Edits[0].Path = "new.go"
	tests := []struct {
		name     string
		result   log.Result
		evidence string
		fix      string // nothing for none
	}{
		{"whole lines", log.Result{Path: "a.go", Region: three, Fixes: fix(three, "x = 1\n")}, "x = y + z", "x = 1"},
		{"columns", log.Result{Path: "a.go", Region: three, Fixes: fix(log.Region{StartLine: 3, StartColumn: 5, EndLine: 3, EndColumn: 6}, "w")}, "x = y + z", "x = w + z"},
		{"an insertion", log.Result{Path: "a.go", Region: three, Fixes: fix(log.Region{StartLine: 3, StartColumn: 1, EndLine: 3, EndColumn: 1}, "// ")}, "x = y + z", "// x = y + z"},
		{"to the end of the line", log.Result{Path: "a.go", Region: three, Fixes: fix(log.Region{StartLine: 3, StartColumn: 6, EndLine: 3}, "")}, "x = y + z", "x = y"},
		{"columns over the end", log.Result{Path: "a.go", Region: three, Fixes: fix(log.Region{StartLine: 3, StartColumn: 50, EndLine: 3, EndColumn: 60}, "")}, "x = y + z", ""},
		{"columns the wrong way round", log.Result{Path: "a.go", Region: three, Fixes: fix(log.Region{StartLine: 3, StartColumn: 6, EndLine: 3, EndColumn: 2}, "")}, "x = y + z", ""},
		{"other lines", log.Result{Path: "a.go", Region: three, Fixes: fix(lines(4, 4), "x")}, "x = y + z", ""},
		{"another file", log.Result{Path: "a.go", Region: three, Fixes: inNew}, "x = y + z", ""},
		{"columns beyond ASCII", log.Result{Path: "new.go", Region: lines(1, 1), Fixes: inNew}, "package ä", ""},
		{"two edits", log.Result{Path: "a.go", Region: three, Fixes: []log.Fix{{Edits: append(fix(three, "a")[0].Edits, fix(three, "b")[0].Edits...)}}}, "x = y + z", ""},
		{"a secret", log.Result{Rule: "generic-api-key", Path: "a.go", Region: three, Fixes: fix(three, "x")}, "", ""},
		{"lines that the diff does not show", log.Result{Path: "a.go", Region: lines(40, 40), New: true, Fixes: fix(lines(40, 40), "x")}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, kept{uploads: uploads(tt.result)}, change(), nil)
			if len(out.Findings) != 1 {
				t.Fatalf("findings: %+v", out.Findings)
			}
			f, got := out.Findings[0], ""
			if f.Fix != nil {
				got = f.Fix.Replacement
			}
			if f.Evidence != tt.evidence || got != tt.fix {
				t.Errorf("evidence %q, fix %q", f.Evidence, got)
			}
		})
	}
}

// TestWaits holds that a review is not whole before all has come, and says for
// what it waits.
func TestWaits(t *testing.T) {
	finding := log.Result{Rule: "r", Path: "new.go"}
	tests := []struct {
		name     string
		source   sarif.Source
		options  map[string]string
		reason   string // of an agent that is unavailable
		awaited  bool
		findings int
	}{
		{"nothing has come", kept{}, nil, "waiting for CI: no results have been uploaded for this head", true, 0},
		{"something has", kept{uploads: uploads(finding)}, nil, "", false, 1},
		{"what is wanted has", kept{uploads: uploads(finding)}, map[string]string{"categories": "ci,"}, "", false, 1},
		{"part of what is wanted has", kept{uploads: uploads(finding)}, map[string]string{"categories": "ci, codeql"}, "waiting for CI: results of codeql have not been uploaded for this head", true, 1},
		{"the database is away", kept{err: fault.New(fault.Transient, errors.New("no database"))}, nil, "read what CI has uploaded: no database", false, 0},
		{"no secret is set", nil, nil, "this service takes no SARIF uploads: its operator has to set ASSAY_SARIF_SECRET", false, 0},
		{"an unknown option", kept{}, map[string]string{"category": "x"}, `unknown option "category": there are categories and scope`, false, 0},
		{"an unknown scope", kept{}, map[string]string{"scope": "x"}, `option scope: "x" is neither lines nor files`, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := run(t, tt.source, change(), tt.options)
			a := out.Agents[0]
			if (a.Status == review.AgentDone) != (tt.reason == "") || !strings.Contains(a.Reason, tt.reason) || a.Awaited() != tt.awaited || len(out.Findings) != tt.findings {
				t.Errorf("agent %+v, %d findings", a, len(out.Findings))
			}
			if c := out.Coverage[0]; (c.Level == review.Full) != (tt.reason == "") {
				t.Errorf("receipt: %+v", c)
			}
			if tt.awaited && a.Dependency != "SARIF upload for 0123456789ab" {
				t.Errorf("waits for %q", a.Dependency)
			}
		})
	}
}

func TestReceipts(t *testing.T) {
	local := change()
	local.Repo.ID = 0
	if c := run(t, nil, local, nil).Coverage; len(c) != 3 || c[0].Level != review.NotApplicable {
		t.Errorf("a local change: %+v", c)
	}
	failed := uploads()
	failed[0].Log.Runs[0].Failed, failed[0].Log.Omitted = "out of memory", 9
	c := run(t, kept{uploads: failed}, change(), nil).Coverage
	if c[0].Level != review.Partial || c[0].Reason != "Semgrep OSS did not succeed: out of memory; 9 results of ci were over the limit" {
		t.Errorf("a run that failed: %+v", c[0])
	}
	none := change()
	none.Files = nil
	if c := run(t, kept{uploads: uploads()}, none, nil).Coverage; len(c) != 1 || c[0].Path != review.Whole || c[0].Level != review.Full {
		t.Errorf("without files: %+v", c)
	}
	outside := run(t, kept{uploads: uploads(log.Result{Outside: "/b/a.go"}, log.Result{Outside: "/b/b.go"})}, change(), nil)
	if got := outside.Agents[0].Reason; got != "2 results stand in places outside of the repository (as /b/a.go): give the upload its root" {
		t.Errorf("note: %q", got)
	}
}

// TestMany holds that as many results as a log can have are no trouble.
func TestMany(t *testing.T) {
	results := make([]log.Result, log.MaxResults)
	for i := range results {
		results[i] = log.Result{Rule: fmt.Sprint("r", i), Path: "a.go", Region: lines(1, 9_000_000)}
	}
	out := run(t, kept{uploads: uploads(results...)}, change(), nil)
	if len(out.Findings) != agents.MaxFindings || out.Agents[0].Reason != "4000 more findings were left out" {
		t.Errorf("%d findings, %+v", len(out.Findings), out.Agents[0])
	}
}
