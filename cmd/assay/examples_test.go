package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples holds that this build, as a user runs it, takes every example.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		layer := "repository"
		if filepath.Base(file) == "operator.yml" {
			layer = "operator"
		}
		var out, errs strings.Builder
		cmd := command{ctx: t.Context(), env: func(string) (string, bool) { return "", false }, stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
		if code := run(cmd, []string{"config", "validate", "--layer", layer, file}); code != exitOK {
			t.Errorf("%s: exit code %d\n%s%s", file, code, out.String(), errs.String())
		}
	}
}
