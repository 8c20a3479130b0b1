package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// golden holds all that a command leaves behind to a file.
func (r result) golden(t *testing.T, name string) {
	t.Helper()
	got := fmt.Sprintf("exit %d\n--- stdout\n%s--- stderr\n%s", r.code, r.stdout, r.stderr)
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

const (
	operatorYAML = "version: 1\noperator: {lock: [pipelines.security]}\npipelines: {security: {agents: [secrets]}}\n"
	orgYAML      = "version: 1\npipelines: {review: {gate: {fail_on: medium}}}\n"
	repoYAML     = `version: 1
pipelines:
  review: {agents: [hygiene], labels: {skip: [skip-review]}}
  docs: {agents: [hygiene], paths: {only: ["docs/**"]}}
  nightly: {on: [schedule.daily], agents: [repo-health]}
  security: {enabled: true}
`
	openedJSON = `{"action": "opened", "number": 7, "installation": {"id": 1}, "sender": {"login": "ada"},
"repository": {"id": 1, "name": "shop", "full_name": "octo-org/shop", "default_branch": "main", "owner": {"login": "octo-org"}},
"pull_request": {"number": 7, "title": "T", "state": "open", "user": {"login": "ada"}, "labels": [{"name": "skip-review"}],
"base": {"ref": "main", "sha": "b", "repo": {"id": 1}}, "head": {"ref": "f", "sha": "h", "repo": {"id": 1}}}}`
	scheduleJSON = `{"action": "daily", "repository": {"id": 1, "name": "shop", "full_name": "octo-org/shop", "default_branch": "main"}}`
)

// TestConfigCommands holds the output and exit codes of the commands that check,
// try and show configs.
func TestConfigCommands(t *testing.T) {
	root, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	in := t.TempDir()
	good := strings.Replace(repoYAML, "  security: {enabled: true}\n", "", 1)
	for name, text := range map[string]string{
		"operator.yml": operatorYAML, "org.yml": orgYAML, "repo.yml": good, "locked.yml": repoYAML, "opened.json": openedJSON, "schedule.json": scheduleJSON,
		"typo.yml": "version: 1\npipelines: {review: {agnets: [hygiene], gate: {fail_on: hihg}}}\n", "odd.json": `{"a": 1}`,
	} {
		if err := os.WriteFile(filepath.Join(in, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	layers := []string{"--config", "repo.yml", "--org-config", "org.yml", "--operator-config", "operator.yml"}
	tests := []struct {
		name string
		args []string
	}{
		{"validate-none", []string{"config", "validate"}},
		{"validate-good", []string{"config", "validate", "repo.yml"}},
		{"validate-typo", []string{"config", "validate", "typo.yml"}},
		{"validate-typo-json", []string{"config", "validate", "typo.yml", "--format", "json"}},
		{"validate-operator", []string{"config", "validate", "operator.yml", "--layer", "operator"}},
		{"validate-not-operator", []string{"config", "validate", "operator.yml"}},
		{"show", append([]string{"config", "show"}, layers...)},
		{"show-json", []string{"config", "show", "--config", "org.yml", "--format", "json"}},
		{"show-none", []string{"config", "show"}},
		{"show-locked", []string{"config", "show", "--config", "locked.yml", "--operator-config", "operator.yml"}},
		{"explain", append([]string{"config", "explain", "--event", "opened.json", "--changed", "docs/a.md"}, layers...)},
		{"explain-schedule", append([]string{"config", "explain", "--event", "schedule.json", "--name", "schedule"}, layers...)},
		{"explain-files", append([]string{"config", "explain", "--event", "opened.json"}, layers...)},
		{"explain-odd", []string{"config", "explain", "--event", "odd.json"}},
		{"explain-no-app", []string{"config", "explain", "--pr", "https://github.com/octo-org/shop/pull/7"}},
		{"explain-no-pull", []string{"config", "explain", "--pr", "https://example.com/octo-org/shop/pull/7"}},
		{"explain-nothing", []string{"config", "explain"}},
	}
	t.Chdir(in)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := assay(t, nil, "", tt.args...)
			t.Chdir(filepath.Dir(root))
			r.golden(t, tt.name)
		})
	}
}

func TestConfigValidateSARIF(t *testing.T) {
	r := assay(t, nil, "version: 1\npipelines: {a: {agents: [none]}}\n", "config", "validate", "-", "--format", "sarif")
	r.want(t, exitGate, `"ruleId": "config/problem"`, "has 1 problem")
	if !strings.Contains(r.stdout, `"startLine": 2`) {
		t.Error(r.stdout)
	}
}

func TestConfigSchema(t *testing.T) {
	want, err := os.ReadFile("../../docs/assay.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	r := assay(t, nil, "", "config", "schema")
	if r.code != exitOK || r.stdout != string(want) {
		t.Errorf("exit %d; it prints another schema than docs/assay.schema.json has", r.code)
	}
}
