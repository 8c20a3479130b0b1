package strategy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

// The agent that reads the team's rules joins the pipelines whose agents nobody
// has chosen, and no other.
func TestRulesAgentJoins(t *testing.T) {
	const rule = "\nrules: [{id: a, paths: [x], severity: low, message: m}]"
	with := Vocabulary{Agents: []string{"secrets", "hygiene", "rules"}}
	tests := []struct {
		name       string
		vocabulary Vocabulary
		file       string
		want       string // "pipeline: agents"
		notice     string
	}{
		{"no rules", with, "paths: {ignore: [a]}", "review: secrets hygiene", ""},
		{"rules and no pipelines", with, "paths: {ignore: [a]}" + rule, "review: secrets hygiene rules", ""},
		{"a pipeline that names no agents", with, "pipelines: {own: {timeout: 5m}}" + rule, "own: secrets hygiene rules", ""},
		{"in order", with, "pipelines: {own: {strategy: sequential}}" + rule, "own: secrets hygiene rules", ""},
		{"one that does, and one that does not", with, "pipelines: {own: {agents: [hygiene]}, other: {}}" + rule, "own: hygiene; other: secrets hygiene rules", ""},
		{"agents are chosen", with, "pipelines: {own: {agents: [hygiene]}}" + rule, "own: hygiene", `rules: no pipeline runs the agent "rules", which reads them`},
		{"stages are chosen", with, "pipelines: {own: {stages: [[hygiene], [secrets]]}}" + rule, "own: hygiene secrets", `rules: no pipeline runs the agent "rules", which reads them`},
		{"chosen itself", with, "pipelines: {own: {agents: [rules]}}" + rule, "own: rules", ""},
		{"no such agent", Vocabulary{Agents: []string{"secrets"}}, "paths: {ignore: [a]}" + rule, "review: secrets", `rules: this service has no agent "rules" to read them`},
		{"the operator's choice", Vocabulary{Agents: with.Agents, Default: []string{"hygiene"}}, "paths: {ignore: [a]}" + rule, "review: hygiene rules", ""},
		{"the operator has chosen it", Vocabulary{Agents: with.Agents, Default: []string{"rules"}}, "paths: {ignore: [a]}" + rule, "review: rules", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, problems := Parse("a.yml", []byte("version: 1\n"+tt.file), tt.vocabulary)
			if len(problems) > 0 {
				t.Fatal(lines(problems))
			}
			var got []string
			for _, p := range c.Pipelines {
				got = append(got, p.Name+": "+strings.Join(p.Agents, " "))
				if reads := len(p.policies["rules"].Rules); (reads == 1) != strings.Contains(strings.Join(p.Agents, " "), "rules") {
					t.Errorf("%s is told %d rules", p.Name, reads)
				}
			}
			if d := cmp.Diff(tt.want, strings.Join(got, "; ")); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.notice, messages(c.Notices)); d != "" {
				t.Error(d)
			}
		})
	}
	if d := cmp.Diff([]string{"hygiene"}, (Vocabulary{Agents: with.Agents, Default: []string{"hygiene"}}).defaultAgents()); d != "" {
		t.Error("the vocabulary has changed", d)
	}
}

func messages(problems []review.Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Message)
	}
	return strings.Join(all, "; ")
}
