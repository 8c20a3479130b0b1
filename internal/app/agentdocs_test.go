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
	registry, err := Agents(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "docs", "agents")
	pages := map[string]bool{}
	for _, name := range registry.Names() {
		agent, _ := registry.Get(name)
		rules := agents.RulesOf(agent)
		if len(rules) == 0 && abouts[name] == "" {
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
	"rules": "Holds changes to the team's own rules, which the config lists under [`rules`](../configuration.md). It joins every pipeline that does not name its agents as soon as there is a rule.\n\n" +
		"A rule has a condition (`when`), a regular expression over added lines (`added`), globs of files (`paths`), or some of these:\n\n" +
		"| rule has | speaks of |\n| --- | --- |\n" +
		"| `when` | the pull request, where the condition holds |\n" +
		"| `paths` | each changed file that a glob matches |\n" +
		"| `added` | each added line that the expression matches, 50 a rule at most |\n" +
		"| more of them | the same, where all of them agree |\n\n" +
		"```yaml\nrules:\n" +
		"  - {id: migrations-need-dba, when: '!(\"dba-approved\" in pr.labels)', paths: [\"db/migrations/**\"], severity: high, message: A migration needs the review of a DBA., fix: Ask @acme/dba and add the label dba-approved.}\n" +
		"  - {id: no-print, added: '\\bfmt\\.(Print\\w*)\\(', paths: [\"**/*.go\"], severity: low, message: $1 writes to the standard output., fix: Use the logger.}\n```\n\n" +
		"In `message`, `$1` or `$name` is what a group of `added` matched, cut to 100 bytes; `$$` is a dollar sign. Findings have `rules/<id>`. " +
		"A rule that cannot be applied (its condition takes too much work, or asks for a label that is not there) is named in the report, and the files that it is about count as examined in part.",
	"sarif": "Brings the results of the team's own CI into the review: SARIF logs that CI [uploads](../sarif.md). Until they have come the check says that it waits for them, and completes itself when they do.\n\n" +
		"It speaks of results on lines that the change adds, of those in new files, and of those that a tool calls new (`baselineState`). Results that are suppressed or unchanged are left out, and so are those that another upload has too.\n" +
		"Findings have `sarif/<tool>.<rule>`; severities are those of `security-severity` (from 9 critical, from 7 high, from 4 medium, else low) or of the level (error high, warning medium, note low).\n\n" +
		"| option | |\n| --- | --- |\n" +
		"| `categories` | The uploads that must all have come, with commas between them; any one will do when left out. |\n" +
		"| `scope` | `lines` (added ones, the default) or `files` (all lines of changed files). |",
	"hygiene": "Looks after what nobody meant to commit. It speaks of what the change adds or breaks; lines that only move are left alone.",
}

// TestRulesAreDescribed holds that every rule can be read about.
func TestRulesAreDescribed(t *testing.T) {
	registry, err := Agents(nil, nil)
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
