package app

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"assay/agents"
)

var update = flag.Bool("update", false, "write the pages of docs/agents")

// TestAgentPages holds the pages on the agents' rules to the code.
func TestAgentPages(t *testing.T) {
	registry, err := Agents(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "docs", "agents")
	pages := map[string]bool{}
	for _, name := range registry.Names() {
		agent, _ := registry.Get(name)
		rules := agents.RulesOf(agent)
		if len(rules) == 0 {
			continue // its rules are the team's, or a model's
		}
		file := filepath.Join(dir, name+".md")
		pages[name+".md"] = true
		want := agents.Page(name, abouts[name], rules)
		if *update {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code says: run go test ./internal/app -update (%v)", file, err)
		}
	}
	have, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range have {
		if !pages[entry.Name()] {
			t.Errorf("docs/agents/%s is about no agent", entry.Name())
		}
	}
}

// abouts begin the pages of agents that want more said than their rules say.
var abouts = map[string]string{
	"secrets": "Finds credentials in what a change adds, in its title and description and in the messages of its commits, by the rules of [gitleaks](https://github.com/gitleaks/gitleaks).\n" +
		"The secret itself is never shown. `.gitleaks.toml` and `.gitleaksignore` of the base branch are honoured; what is wrong with them is said in the coverage, and the rules built in are used.\n" +
		"In the quiet profile guesses and private keys in tests, examples and generated files pass.",
	"workflows": "Checks GitHub Actions: workflows with [actionlint](https://github.com/rhysd/actionlint), and workflows and composite actions with rules on security as [zizmor](https://docs.zizmor.sh) defines them.\n" +
		"It speaks of what the change adds or brings about; what stood before is not repeated.",
	"hygiene": "Looks after what nobody meant to commit. It speaks of what the change adds or breaks; lines that only move are left alone.",
}

// TestRulesAreDescribed holds that every rule can be read about.
func TestRulesAreDescribed(t *testing.T) {
	registry, err := Agents(nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range registry.Rules() {
		if seen[r.ID] || r.Severity == 0 || r.Category == "" || r.What == "" || r.Why == "" || r.Fix == "" {
			t.Errorf("rule: %+v", r)
		}
		seen[r.ID] = true
	}
	if len(seen) < 280 {
		t.Errorf("%d rules", len(seen))
	}
}
