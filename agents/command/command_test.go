package command

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/internal/sandbox"
	"assay/review"
)

// head is the files of a head commit, as contents and as an archive.
type head map[string]string

func (h head) Read(_ context.Context, _ review.Side, path string) ([]byte, error) {
	if text, ok := h[path]; ok {
		return []byte(text), nil
	}
	return nil, review.ErrNotExist
}

func (h head) Open(context.Context, review.Side) (io.ReadCloser, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for name, text := range h {
		err := w.WriteHeader(&tar.Header{Name: "o-r-1/" + name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))})
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			return nil, err
		}
	}
	return io.NopCloser(&out), errors.Join(w.Close(), z.Close())
}

func (h head) change() *review.Change {
	return &review.Change{Contents: h, Archive: h, Files: []review.File{
		{Path: "a.txt", Status: review.Modified, Hunks: []review.Hunk{{OldStart: 1, OldLines: 2, NewStart: 1, NewLines: 3, Lines: []review.Line{
			{Op: review.Context, Old: 1, New: 1, Text: "one"}, {Op: review.Add, New: 2, Text: "tow"}, {Op: review.Context, Old: 2, New: 3, Text: "three"},
		}}}},
		{Path: "gone.txt", Status: review.Removed}, {Path: "away.txt", Status: review.Added}, {Path: "pic.png", Status: review.Added},
	}}
}

func run(t *testing.T, script string, limits sandbox.Limits, options map[string]string) (agents.Result, error) {
	t.Helper()
	if err := sandbox.Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	maker, err := NewMaker([]Command{{Name: "lint", Run: []string{"sh", "-c", script}, Limits: limits}}, "")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{"command": "lint"}
	for k, v := range options {
		given[k] = v
	}
	agent, err := maker.Make("mine", review.Policy{Options: given}, Kind)
	if err != nil {
		t.Fatal(err)
	}
	h := head{"a.txt": "one\ntow\nthree\n", "pic.png": "x"}
	return agent.Run(t.Context(), agents.Input{Change: h.change()})
}

func TestRun(t *testing.T) {
	script := `grep -n tow a.txt >/dev/null && echo '{"message":"two","severity":"ERROR","code":{"value":"Typo/X"},"location":{"path":"'$PWD'/a.txt","range":{"start":{"line":2,"column":1}}},"suggestions":[{"range":{"start":{"line":2,"column":2},"end":{"line":2,"column":4}},"text":"wo"}]}'
echo '{"message":"old","location":{"path":"a.txt","range":{"start":{"line":3}}}}'; echo '{"message":"other","location":{"path":"b.txt"}}'; exit 1`
	got, err := run(t, script, sandbox.Limits{}, map[string]string{"format": "rdjsonl", "paths": "*.txt"})
	if err != nil {
		t.Fatal(err)
	}
	want := agents.Result{
		Findings: []review.Finding{{
			Agent: "mine", Rule: "mine/typo-x", Severity: review.High, Category: review.Correctness, Path: "a.txt", StartLine: 2, EndLine: 2,
			Message: "two", Evidence: "tow", Fix: &review.Fix{Replacement: "two"},
		}},
		Coverage: []review.Coverage{
			{Path: "a.txt", Level: review.Full},
			{Path: "gone.txt", Level: review.NotApplicable, Reason: "the file is removed"},
			{Path: "away.txt", Level: review.Skipped, Reason: "the file is not in the checkout"},
			{Path: "pic.png", Level: review.NotApplicable, Reason: "the command does not look at such files"},
		},
		Note: "2 problems that the command reports are on lines that this change does not add, and left out",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestNeverSilentlyClean holds that a command which did not do its work is an
// error that says why.
func TestNeverSilentlyClean(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		limits       sandbox.Limits
		options      map[string]string
		want         string
	}{
		{"exit code", "echo no config >&2; exit 3", sandbox.Limits{}, map[string]string{"format": "sarif"}, "sh exited with 3, and 0 or 1 was expected: no config"},
		{"nothing said", "exit 1", sandbox.Limits{}, map[string]string{"format": "diff"}, "exited with 1 and reported nothing"},
		{"empty output", "true", sandbox.Limits{}, map[string]string{"format": "sarif"}, "the output of sh is not sarif: it is empty"},
		{"signal", "kill -SEGV $$", sandbox.Limits{}, map[string]string{"format": "sarif"}, "was ended by SIGSEGV"},
		{"time", "sleep 100", sandbox.Limits{Time: 1e8}, map[string]string{"format": "sarif"}, "did not end within 100ms"},
		{"output", "yes", sandbox.Limits{Output: 1000, Time: 2e8}, map[string]string{"format": "diff"}, "did not end"},
		{"cut", "seq 1000", sandbox.Limits{Output: 1000}, map[string]string{"format": "diff"}, "wrote more than is read"},
	} {
		got, err := run(t, tt.script, tt.limits, tt.options)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q; %+v", tt.name, err, tt.want, got)
		}
	}
}

func TestMake(t *testing.T) {
	maker, err := NewMaker([]Command{{Name: "lint", Run: []string{"true"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := maker.Make("mine", review.Policy{Options: map[string]string{"command": "rm", "format": "sarif"}}, Kind); err == nil || !strings.Contains(err.Error(), `agents.mine.options.command: the operator offers no command "rm"`) {
		t.Error(err)
	}
	for _, bad := range [][]Command{{{Name: "x"}}, {{Run: []string{"x"}}}, {{Name: "x", Run: []string{"x"}}, {Name: "x", Run: []string{"y"}}}} {
		if _, err := NewMaker(bad, ""); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
	agent, err := maker.Make("mine", review.Policy{Options: map[string]string{"command": "lint", "format": "sarif"}}, Kind)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Run(t.Context(), agents.Input{Change: &review.Change{}}); err == nil {
		t.Error("without an archive it ran")
	}
}
