package app

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"assay/strategy"
)

var (
	yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")
	mdLink    = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
)

// TestDocs holds the documentation to the product: each config shown is valid
// without a notice, and each link leads somewhere.
func TestDocs(t *testing.T) {
	registry, err := Agents(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md"))
	configs := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
			configs++
			layer := strategy.Layer{Kind: strategy.Repository, Path: file, Data: block[1]}
			if bytes.Contains(block[1], []byte("\noperator:")) { // the operator's file
				layer.Kind = strategy.Operator
			}
			loaded := strategy.Load(strategy.Vocabulary{Agents: registry.Names()}, layer)
			config, problems := loaded.Config, loaded.Problems
			if len(problems) > 0 || len(config.Notices) > 0 {
				t.Errorf("%s shows a config with problems: %+v", file, problems)
			}
		}
		for _, link := range mdLink.FindAllSubmatch(text, -1) {
			target := filepath.Join(filepath.Dir(file), string(link[1]))
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", file, link[1])
			}
		}
	}
	if configs < 2 {
		t.Errorf("%d configs were looked at", configs)
	}
}

// TestReadmeNamesAgents holds that the README lists every agent.
func TestReadmeNamesAgents(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := Agents(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range registry.Names() {
		if !strings.Contains(string(text), "| `"+name+"` |") {
			t.Errorf("the README does not list the agent %s", name)
		}
	}
}
