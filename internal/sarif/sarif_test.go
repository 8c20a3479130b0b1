package sarif_test

import (
	"errors"
	"fmt"
	"path"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"assay/internal/sarif"
)

// log is a log of one run.
func log(run string) string { return `{"version": "2.1.0", "runs": [` + run + `]}` }

// results is a log of one run of the tool t with the results, in a repository
// of which the log says nothing.
func results(results string) string {
	return log(`{"tool": {"driver": {"name": "t"}}, "results": [` + results + `]}`)
}

func read(t *testing.T, text, root string) sarif.Log {
	t.Helper()
	l, err := sarif.Read([]byte(text), root)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestReadWhole(t *testing.T) {
	text := "\xef\xbb\xbf" + `{
 "$schema": "s", "runs": [{
  "results": [{
   "ruleId": "go/sql", "ruleIndex": 0, "rule": {"index": 0, "toolComponent": {"index": 0}},
   "message": {"id": "default", "arguments": ["name"]},
   "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/a%20b.go", "uriBaseId": "%SRCROOT%"},
     "region": {"startLine": 3, "startColumn": 2, "endLine": 4, "endColumn": 9, "snippet": {"text": "q(name)"}}}},
     {"physicalLocation": {"artifactLocation": {"uri": "other.go"}}}],
   "partialFingerprints": {"primaryLocationLineHash": "abc:1"}, "fingerprints": {"x/v1": "f"},
   "suppressions": [{"kind": "inSource"}],
   "baselineState": "unchanged",
   "fixes": [{"description": {"text": "Quote it."}, "artifactChanges": [{"artifactLocation": {"uri": "src/a%20b.go"},
     "replacements": [{"deletedRegion": {"startLine": 3}, "insertedContent": {"text": "q(quote(name))"}}]}]}]
  }],
  "automationDetails": {"id": "codeql/go/"},
  "originalUriBaseIds": {"%SRCROOT%": {"uri": "file:///build/repo/"}, "OTHER": {"uri": "file:///x/"}},
  "invocations": [{"executionSuccessful": false, "toolExecutionNotifications": [{"level": "error", "message": {"text": "out of memory"}}]}],
  "tool": {"driver": {"name": "CodeQL", "semanticVersion": "2.1"}, "extensions": [{"name": "q", "rules": [{
    "id": "go/sql", "helpUri": "https://h/sql", "defaultConfiguration": {"level": "error"},
    "messageStrings": {"default": {"text": "The [query](1) takes {0}, and {1}."}},
    "properties": {"tags": ["security"], "security-severity": "8.8"}}]}]}
 }], "version": "2.1.0"}`
	want := sarif.Log{Runs: []sarif.Run{{
		Tool: "CodeQL", Version: "2.1", Category: "codeql/go", Failed: "out of memory",
		Results: []sarif.Result{{
			Rule: "go/sql", Level: sarif.LevelError, Security: 8.8, Tags: []string{"security"},
			Message: "The query takes name, and {1}.", HelpURL: "https://h/sql",
			Path: "src/a b.go", Region: sarif.Region{StartLine: 3, StartColumn: 2, EndLine: 4, EndColumn: 9}, Snippet: "q(name)",
			Fixes: []sarif.Fix{{Description: "Quote it.", Edits: []sarif.Edit{
				{Path: "src/a b.go", Region: sarif.Region{StartLine: 3, EndLine: 3}, Text: "q(quote(name))"},
			}}},
			Fingerprints: map[string]string{"primaryLocationLineHash": "abc:1", "x/v1": "f"}, Suppressed: true, Unchanged: true,
		}},
	}}}
	if d := cmp.Diff(want, read(t, text, "")); d != "" {
		t.Error(d)
	}
}

func TestReadResult(t *testing.T) {
	tests := []struct {
		name, result string
		want         string // rule, level, message; nothing for a result that is not kept
	}{
		{"all defaults", `{"ruleId": "a"}`, "a warning a"},
		{"an empty one", `{}`, " warning The tool says nothing of what it found."},
		{"a pass", `{"ruleId": "a", "kind": "pass"}`, ""},
		{"does not apply", `{"ruleId": "a", "kind": "notApplicable"}`, ""},
		{"gone", `{"ruleId": "a", "baselineState": "absent"}`, ""},
		{"nothing is known to be wrong", `{"ruleId": "a", "kind": "review", "level": "error", "message": {"text": "m"}}`, "a note m"},
		{"no such level", `{"ruleId": "a", "level": "FATAL", "message": {"text": "m"}}`, "a warning m"},
		{"its own level", `{"ruleId": "a", "level": "none", "message": {"text": "m"}}`, "a none m"},
		{"rule as an object", `{"rule": {"id": "b"}, "message": {"markdown": "*m*"}}`, "b warning *m*"},
		{"no such index", `{"ruleId": "c", "ruleIndex": 99, "message": {"text": "m"}}`, "c warning m"},
		{"a negative index", `{"ruleId": "c", "ruleIndex": -1, "rule": {"toolComponent": {"index": -3}}, "message": {"text": "m"}}`, "c warning m"},
		{"a far argument", `{"ruleId": "c", "message": {"text": "{0} {7}", "arguments": ["{1}"]}}`, "c warning {1} {7}"},
		{"nulls", `{"ruleId": null, "message": null, "locations": null, "fixes": null, "suppressions": null, "partialFingerprints": null}`, " warning The tool says nothing of what it found."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, r := range read(t, results(tt.result), "").Runs[0].Results {
				got = fmt.Sprintf("%s %s %s", r.Rule, r.Level, r.Message)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadRule(t *testing.T) {
	text := log(`{"results": [
		{"ruleId": "A/1", "message": {"text": "m"}}, {"ruleIndex": 1, "message": {"text": "m"}}, {"ruleId": "B", "level": "error", "message": {"text": "m"}},
		{"ruleId": "C", "message": {"text": "m"}}],
		"tool": {"driver": {"name": "t", "rules": [
			{"id": "A", "defaultConfiguration": {"level": "note"}, "properties": {"security-severity": 3.5}},
			{"id": "B", "properties": {"security-severity": "high"}}, {"id": "A", "defaultConfiguration": {"level": "error"}}]}}}`)
	var got []string
	for _, r := range read(t, text, "").Runs[0].Results {
		got = append(got, fmt.Sprintf("%s %s %g", r.Rule, r.Level, r.Security))
	}
	want := []string{"A/1 note 3.5", "B warning -1", "B error -1", "C warning -1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestReadSuppressions(t *testing.T) {
	for list, want := range map[string]bool{
		`[]`: false, `[{"kind": "external"}]`: true, `[{"status": "accepted"}]`: true,
		`[{"status": "underReview"}]`: false, `[{"status": "accepted"}, {"status": "rejected"}]`: false,
	} {
		if got := read(t, results(`{"suppressions": `+list+`}`), "").Runs[0].Results[0].Suppressed; got != want {
			t.Errorf("%s: suppressed is %v", list, got)
		}
	}
}

func TestReadPaths(t *testing.T) {
	tests := []struct{ name, uri, base, bases, root, want string }{
		{"relative", "a/b.go", "", "", "", "a/b.go"},
		{"with dots within", "./a/../b.go", "", "", "", "b.go"},
		{"out of the repository", "../../etc/passwd", "", "", "", ""},
		{"out of it, encoded", "%2e%2e%2fetc/passwd", "", "", "", ""},
		{"out of it with backslashes", `a\..\..\x`, "", "", "", ""},
		{"out of the root", "file:///work/repo/../../etc/passwd", "", "", "/work/repo", ""},
		{"absolute and unknown", "/etc/passwd", "", "", "", ""},
		{"the root itself", "/r/", "", "", "/r", ""},
		{"a neighbour of the root", "/root2/a.go", "", "", "/root", ""},
		{"another scheme", "https://example.com/a.go", "", "", "", ""},
		{"NUL", "a%00.go", "", "", "", ""},
		{"below the caller's root", "/work/repo/a.go", "", "", "/work/repo/", "a.go"},
		{"a file URI", "file:///work/repo/a%25b.go", "", "", "/work/repo", "a%b.go"},
		{"a file URI of a host", "file://ci/work/repo/a.go", "", "", "/work/repo", "a.go"},
		{"Windows", `C:\repo\src\a.cs`, "", "", `C:\repo`, "src/a.cs"},
		{"Windows, as a URI", "file:///C:/repo/src/a.cs", "", "", `C:\repo`, "src/a.cs"},
		{"not escaped", "100%.go", "", "", "", "100%.go"},
		{"unicode", "ä/日本.go", "", "", "", "ä/日本.go"},
		{"GitHub's runner", "file:///home/runner/work/repo/repo/a/b.go", "", "", "", "a/b.go"},
		{"another place of the runner", "/home/runner/work/_temp/repo/b.go", "", "", "", ""},
		{"a container action", "/github/workspace/b.go", "", "", "", "b.go"},
		{"the log's root", "a.go", "%SRCROOT%", `"%SRCROOT%": {"uri": "file:///b/r/"}`, "", "a.go"},
		{"a base that is not described", "a.go", "%SRCROOT%", "", "", "a.go"},
		{"a relative base", "a.go", "SRC", `"SRC": {"uri": "src/"}, "ROOT": {"uri": "file:///r/"}`, "", "src/a.go"},
		{"the only base", "file:///x/y/a.go", "", `"R": {"uri": "file:///x/y"}`, "", "a.go"},
		{"a base that climbs", "a.go", "SRC", `"SRC": {"uri": "../.."}`, "", ""},
		{"the file system as root", "/etc/passwd", "", `"R": {"uri": "file:///"}`, "/", ""},
		{"nothing", "", "", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := log(fmt.Sprintf(`{"tool": {"driver": {"name": "t"}}, "originalUriBaseIds": {%s}, "results": [{"locations": [
				{"physicalLocation": {"artifactLocation": {"uri": %q, "uriBaseId": %q}}}]}]}`, tt.bases, tt.uri, tt.base))
			r := read(t, text, tt.root).Runs[0].Results[0]
			if r.Path != tt.want {
				t.Errorf("path is %q, want %q", r.Path, tt.want)
			}
			if (r.Outside != "") != (tt.want == "" && tt.uri != "") {
				t.Errorf("outside is %q", r.Outside)
			}
		})
	}
	byIndex := log(`{"artifacts": [{"location": {"uri": "x.go"}}], "results": [
		{"locations": [{"physicalLocation": {"artifactLocation": {"index": 0}}}]}, {"locations": [{"physicalLocation": {"artifactLocation": {"index": 7}}}]}]}`)
	if got := read(t, byIndex, "").Runs[0].Results; got[0].Path != "x.go" || got[1].Path != "" {
		t.Errorf("by index: %q, %q", got[0].Path, got[1].Path)
	}
}

func TestReadRegions(t *testing.T) {
	for region, want := range map[string]sarif.Region{
		`{}`:                                {},
		`{"startLine": 3}`:                  {StartLine: 3, EndLine: 3},
		`{"startLine": 3, "endLine": 5}`:    {StartLine: 3, EndLine: 5},
		`{"startLine": 3, "endLine": 1}`:    {StartLine: 3, EndLine: 3},
		`{"startLine": -3, "endLine": 1}`:   {},
		`{"startLine": 0, "charOffset": 7}`: {},
		`{"startLine": 1, "startColumn": -4, "endColumn": 2}`: {StartLine: 1, EndLine: 1, EndColumn: 2},
	} {
		l := read(t, results(`{"locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": `+region+`}}]}`), "")
		if d := cmp.Diff(want, l.Runs[0].Results[0].Region); d != "" {
			t.Errorf("%s: %s", region, d)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", "it ends too early"},
		{"half", `{"version": "2.1.0", "runs": [{"results": [{`, "it ends too early"},
		{"no object", `[]`, "after byte 0"},
		{"a word", `sarif`, "invalid character"},
		{"another version", `{"version": "1.0.0", "runs": []}`, `its version is "1.0.0"`},
		{"no version", `{"runs": []}`, `its version is ""`},
		{"no runs", `{"version": "2.1.0"}`, "it has no runs"},
		{"two logs", results("") + results(""), "something follows the log"},
		{"runs that are none", `{"version": "2.1.0", "runs": {}}`, "stands something else"},
		{"a line that is none", results(`{"locations": [{"physicalLocation": {"region": {"startLine": "x"}}}]}`), "run 1: result 1"},
		{"deep", log(`{"results": [` + strings.Repeat("[", 20_000)), "exceeded max depth"},
		{"deep in what is not read", `{"x": ` + strings.Repeat(`{"a":`, 20_000), "exceeded max depth"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sarif.Read([]byte(tt.text), "")
			if !errors.Is(err, sarif.ErrNotSARIF) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
		})
	}
	if _, err := sarif.Read(make([]byte, sarif.MaxBytes+1), ""); !errors.Is(err, sarif.ErrTooLarge) {
		t.Errorf("error is %v", err)
	}
	if l := read(t, `{"version": "2.1.0", "runs": null}`, ""); len(l.Runs) != 0 {
		t.Errorf("null runs: %+v", l)
	}
}

// TestReadMany holds that what is over the bounds is counted, and that a log of
// nothing but small things costs a bounded amount of memory.
func TestReadMany(t *testing.T) {
	many := func(open, element, end string) string {
		room := 1<<20 - len(open) - len(end) - 1
		n := room / (len(element) + 1)
		return open + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + end
	}
	tests := []struct {
		name, text             string
		runs, results, omitted int
	}{
		{"100,000 results", results(strings.TrimSuffix(strings.Repeat(`{"ruleId":"a"},`, 100_000), ",")), 1, sarif.MaxResults, 95_000},
		{"empty results", many(`{"version":"2.1.0","runs":[{"results":[`, `{}`, `]}]}`), 1, sarif.MaxResults, -1},
		{"empty runs", many(`{"version":"2.1.0","runs":[`, `{}`, `]}`), sarif.MaxRuns, 0, 0},
		{"empty rules", many(`{"version":"2.1.0","runs":[{"tool":{"driver":{"rules":[`, `{}`, `]}}}]}`), 1, 0, 0},
		{"empty artifacts", many(`{"version":"2.1.0","runs":[{"artifacts":[`, `{}`, `]}]}`), 1, 0, 0},
		{"empty extensions", many(`{"version":"2.1.0","runs":[{"tool":{"extensions":[`, `{}`, `]}}]}`), 1, 0, 0},
		{"empty invocations", many(`{"version":"2.1.0","runs":[{"invocations":[`, `{}`, `]}]}`), 1, 0, 0},
		{"empty locations", many(`{"version":"2.1.0","runs":[{"results":[{"locations":[`, `{}`, `]}]}]}`), 1, 1, 0},
		{"empty replacements", many(`{"version":"2.1.0","runs":[{"results":[{"fixes":[{"artifactChanges":[{"replacements":[`, `{}`, `]}]}]}]}]}`), 1, 1, 0},
		{"message strings", many(`{"version":"2.1.0","runs":[{"tool":{"driver":{"rules":[{"messageStrings":{`, `"":{}`, `}}]}}}]}`), 1, 0, 0},
		{"fingerprints", many(`{"version":"2.1.0","runs":[{"results":[{"partialFingerprints":{`, `"":""`, `}}]}]}`), 1, 1, 0},
		{"bases", many(`{"version":"2.1.0","runs":[{"originalUriBaseIds":{`, `"":{}`, `}}]}`), 1, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			l := read(t, tt.text, "")
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 24<<20 {
				t.Errorf("the log of %d bytes took %d MB", len(tt.text), grown>>20)
			}
			if len(l.Runs) != tt.runs || l.Results() != tt.results {
				t.Errorf("%d runs, %d results", len(l.Runs), l.Results())
			}
			if tt.omitted >= 0 && l.Omitted != tt.omitted || tt.omitted < 0 && l.Omitted == 0 {
				t.Errorf("%d omitted", l.Omitted)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(results(`{"ruleId": "a", "message": {"text": "{0}", "arguments": ["x"]}, "locations": [{"physicalLocation": {"artifactLocation": {"uri": "file:///r/../a%2f..", "uriBaseId": "S"}, "region": {"startLine": 1, "endLine": 2}}}]}`)), "/r")
	f.Add([]byte(log(`{"tool": {"driver": {"rules": [{"id": "a", "properties": {"security-severity": "9"}}]}, "extensions": [{}]}, "originalUriBaseIds": {"S": {"uri": "file:///C:/x"}}, "results": [{"rule": {"index": 0, "toolComponent": {"index": 0}}, "fixes": [{"artifactChanges": [{"artifactLocation": {"uri": "a"}, "replacements": [{"deletedRegion": {"startLine": 1}}]}]}]}]}`)), `C:\x`)
	f.Add([]byte(`{"version": "2.1.0", "runs": null}`), "")
	f.Fuzz(func(t *testing.T, data []byte, root string) {
		l, err := sarif.Read(data, root)
		if err != nil {
			if len(l.Runs) != 0 {
				t.Error("results beside an error")
			}
			return
		}
		for _, run := range l.Runs {
			for _, r := range run.Results {
				if r.Message == "" || !utf8.ValidString(r.Message) && utf8.Valid(data) {
					t.Errorf("message %q", r.Message)
				}
				if p := r.Path; p != "" && (path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") || path.Clean(p) != p) {
					t.Errorf("path %q", p)
				}
				if g := r.Region; g.StartLine < 0 || g.EndLine < g.StartLine {
					t.Errorf("region %+v", g)
				}
			}
		}
	})
}
