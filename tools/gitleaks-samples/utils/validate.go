// Package utils takes the place of a file of gitleaks' package of that name: it
// writes the samples that gitleaks' rules are made with to standard error, one
// JSON object a line, instead of trying the rules on them.
package utils

import (
	"encoding/json"
	"os"

	"github.com/zricethezav/gitleaks/v8/config"
)

type sample struct {
	Rule   string `json:"rule"`
	Path   string `json:"path,omitempty"`
	Text   string `json:"text"`
	Secret bool   `json:"secret"`
}

func record(rule, path, text string, secret bool) {
	if err := json.NewEncoder(os.Stderr).Encode(sample{rule, path, text, secret}); err != nil {
		panic(err)
	}
}

// Validate records samples without a path.
func Validate(rule config.Rule, truePositives, falsePositives []string) *config.Rule {
	for _, text := range truePositives {
		record(rule.RuleID, "", text, true)
	}
	for _, text := range falsePositives {
		record(rule.RuleID, "", text, false)
	}
	return &rule
}

// ValidateWithPaths records samples by their paths.
func ValidateWithPaths(rule config.Rule, truePositives, falsePositives map[string]string) *config.Rule {
	for path, text := range truePositives {
		record(rule.RuleID, path, text, true)
	}
	for path, text := range falsePositives {
		record(rule.RuleID, path, text, false)
	}
	return &rule
}
