package strategy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"assay/review"
)

// ours leaves out what a config keeps for itself.
var ours = cmpopts.IgnoreUnexported(Config{}, Pipeline{})

func TestLoadEveryKey(t *testing.T) {
	s := Load(full, Layer{Repository, "a.yml", []byte(everyKey)})
	if len(s.Problems)+len(s.Config.Notices) > 0 {
		t.Fatalf("problems %v, notices %v", s.Problems, s.Config.Notices)
	}
	c := s.Config
	wantAgents := []Agent{
		{"careful", "llm", review.Policy{
			Model: "small", Instructions: "Look closely.", Tools: []string{"read_file", "search"},
			Budget:  review.Budget{Tokens: 1000, Steps: 3, Time: time.Minute, USD: 0.5},
			Options: map[string]string{"depth": "3", "mode": "deep", "fast": "true"},
		}},
		{"api", ".github/agents/api.agent.md", review.Policy{}},
		{"secrets", "", review.Policy{Profile: review.ProfileStrict, Severities: map[string]review.Severity{
			"secrets/private-key": review.Critical, "secrets/github-pat": review.SeverityNone,
		}}},
	}
	if d := cmp.Diff(wantAgents, c.Agents); d != "" {
		t.Error(d)
	}
	pipeline := c.Pipelines[0]
	want := Pipeline{
		Name: "review", Description: "All of it", On: []string{"pull_request.opened", "schedule.nightly", "schedule.daily"},
		When:     &Condition{Text: "!pr.draft", Origin: Origin{Repository, "a.yml", 32, 11}},
		Strategy: Staged, Agents: []string{"secrets", "rules", "careful", "api"}, Stages: [][]string{{"secrets", "rules"}, {"careful", "api"}},
		StopOn: review.Critical, Timeout: 5 * time.Minute, Budget: review.Budget{USD: 2},
		Gate: Gate{
			FailOn: review.Low, OnUnavailable: UnavailableFail, RetryFor: 30 * time.Minute,
			RequireCoverage: RequireCoverage{95, []string{"api/**"}},
		},
		Report: Report{CommentAlways, review.High, 3},
		Filter: Filter{
			Drafts: true, Labels: LabelFilter{[]string{"go"}, []string{"wip"}}, Authors: AuthorFilter{[]string{"a"}, []string{"b"}, true},
			Branches: []string{"main"}, Title: TitleFilter{[]string{"WIP"}}, Paths: PathFilter{[]string{"**/*.go"}, []string{"gen/**"}},
		},
	}
	if d := cmp.Diff(want, pipeline, ours); d != "" {
		t.Error(d)
	}
	if !slices.Equal(c.Disabled, []string{"gone"}) || len(c.Pipelines) != 3 {
		t.Errorf("disabled %v of %d", c.Disabled, len(c.Pipelines))
	}
	if d := cmp.Diff([]Schedule{{"monthly", "monthly"}, {"nightly", "30 2 * * *"}}, c.Schedules); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Schedule{{"nightly", "30 2 * * *"}, {"daily", "daily"}}, c.Due()); d != "" {
		t.Error(d)
	}
	wantSuppress := []Suppression{
		{Fingerprint: "1234567890123456", Reason: "a test", Owner: "@a", Until: "2027-01-31", Origin: Origin{Repository, "a.yml", 25, 5}},
		{Rule: "secrets/private-key", Paths: []string{"testdata/**"}, Reason: "tests", Owner: "@b", Until: "2026-01-01", Origin: Origin{Repository, "a.yml", 26, 5}},
	}
	if d := cmp.Diff(wantSuppress, c.Suppress, cmpopts.IgnoreFields(Origin{}, "Column")); d != "" {
		t.Error(d)
	}

	ev := review.Event{Name: "pull_request", Action: "opened", Pull: &review.Pull{Number: 1, Labels: []string{"go"}, Author: review.Actor{Login: "A"}, BaseRef: "main"}}
	s.Files = []review.File{{Path: "x.go"}}
	d := Decide(ev, s)
	plan := d.Plans[0]
	if diff := cmp.Diff([]AgentRef{{"careful", "llm"}, {"api", ".github/agents/api.agent.md"}}, plan.Made); diff != "" {
		t.Error(diff)
	}
	both := []review.PathInstruction{{Paths: []string{"api/**"}, Text: "Problem documents."}, {Paths: []string{"**"}, Text: "Be kind."}}
	if diff := cmp.Diff(both, plan.Policies["api"].PathInstructions); diff != "" {
		t.Error(diff)
	}
	if len(plan.Policies["rules"].Rules) != 2 || len(plan.Policies["secrets"].Rules) != 0 || plan.Policies["careful"].Model != "small" {
		t.Errorf("policies %+v", plan.Policies)
	}
}

func TestLoadOperator(t *testing.T) {
	s := Load(full, Layer{Operator, "op.yml", []byte(everyOperatorKey)})
	if len(s.Problems) > 0 {
		t.Fatal(s.Problems)
	}
	want := OperatorSettings{
		Lock: []string{"pipelines.security", "pipelines.*.gate.fail_on"},
		Endpoints: []Endpoint{
			{"openai", "openai", "https://api.example.com/v1", "OPENAI_API_KEY"},
			{"local", "anthropic", "http://localhost:1234", ""},
		},
		Models:    []Model{{"default", "openai", "gpt-5", 1.25, 0.125, 10}, {"big", "local", "org/model:70b", 0, 0, 0}},
		Commands:  []Command{{"lint", []string{"golangci-lint", "run", "--timeout", "5m"}}},
		MaxBudget: review.Budget{Tokens: 1000, Steps: 5, Time: 5 * time.Minute, USD: 1},
		Breakers:  []Breaker{{"github", 5, 30 * time.Second, 10 * time.Minute}},
		Caches:    []Cache{{"content", 10 * time.Minute, 100}},
	}
	if d := cmp.Diff(want, s.Config.Operator); d != "" {
		t.Error(d)
	}
}

const organisation = `
version: 1
pipelines:
  review:
    agents: [secrets, hygiene]
    gate: {fail_on: medium, on_unavailable: {retry_for: 30m, then: fail}}
    labels: {skip: [org-skip]}
  audit: {agents: [secrets]}
rules:
  - {id: a, paths: [x], severity: low, message: of the organisation}
  - {id: b, paths: [x], severity: low, message: of the organisation}
paths: {ignore: ["vendor/**"]}
`

// describe is what a test wants to know of a config, on one line a pipeline.
func describe(c *Config) string {
	var lines []string
	for _, p := range c.Pipelines {
		lines = append(lines, fmt.Sprintf("%s: %v %s fail_on=%s %s/%s skip=%v", p.Name, stages(&p), p.Strategy, p.Gate.FailOn, p.Gate.OnUnavailable, p.Gate.RetryFor, p.Filter.Labels.Skip))
	}
	for _, r := range c.Rules {
		lines = append(lines, "rule "+r.ID+" "+r.Message)
	}
	return strings.Join(append(lines, fmt.Sprint("ignore ", c.Ignore)), "\n")
}

func TestLoadLayers(t *testing.T) {
	const audit = "\naudit: [[secrets]] parallel fail_on=high neutral/0s skip=[]"
	const rules = "\nrule a of the organisation\nrule b of the organisation"
	const ofOrg = "review: [[secrets hygiene]] parallel fail_on=medium fail/30m0s skip=[org-skip]"
	const end = "\nignore [vendor/**]"
	tests := []struct {
		name, repository string
		want             string
		problems         []string
	}{
		{"nothing above", "version: 1", ofOrg + audit + rules + end, nil},
		{"a mapping is merged key by key", "version: 1\npipelines: {review: {gate: {fail_on: low}}}", strings.Replace(ofOrg, "medium", "low", 1) + audit + rules + end, nil},
		{"a list is replaced", "version: 1\npipelines: {review: {agents: [workflows]}}\npaths: {ignore: [a]}", strings.Replace(ofOrg, "secrets hygiene", "workflows", 1) + audit + rules + "\nignore [a]", nil},
		{"a plain value takes the place of a mapping", "version: 1\npipelines: {review: {gate: {on_unavailable: neutral}}}", strings.Replace(ofOrg, "fail/30m0s", "neutral/0s", 1) + audit + rules + end, nil},
		{"part of a mapping", "version: 1\npipelines: {review: {gate: {on_unavailable: {retry_for: 1h}}}}", strings.Replace(ofOrg, "30m0s", "1h0m0s", 1) + audit + rules + end, nil},
		{"a pipeline is added", "version: 1\npipelines: {own: {agents: [hygiene]}}", ofOrg + audit + "\nown: [[hygiene]] parallel fail_on=high neutral/0s skip=[]" + rules + end, nil},
		{"a pipeline is taken away", "version: 1\npipelines: {audit: {enabled: false}}", ofOrg + rules + end, nil},
		{"rules add up, by id", "version: 1\nrules: [{id: b, paths: [y], severity: low, message: own}, {id: c, paths: [y], severity: low, message: own}]", ofOrg + audit + "\nrule a of the organisation\nrule b own\nrule c own" + end, nil},
		{"stages take the place of agents", "version: 1\npipelines: {review: {stages: [[hygiene], [secrets]]}}", strings.Replace(ofOrg, "[[secrets hygiene]] parallel", "[[hygiene] [secrets]] stages", 1) + audit + rules + end, nil},
		{
			"a bad file falls back", "version: 1\npipelines: {review: {gate: {fail_on: lowest}}, own: {}}", ofOrg + audit + rules + end,
			[]string{`repo.yml:2:38 pipelines.review.gate.fail_on: unknown value "lowest": allowed: critical, high, medium, low, info, never`},
		},
		{"operator's keys are refused", "version: 1\noperator: {lock: [a]}", ofOrg + audit + rules + end, []string{"repo.yml:2:1 operator is for the operator's file alone: remove it here"}},
		{"YAML that cannot be read", "version: [", ofOrg + audit + rules + end, []string{"repo.yml:1:10 the YAML cannot be read here: sequence end token ']' not found"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// In any order: the kind decides.
			s := Load(full, Layer{Repository, "repo.yml", []byte(tt.repository)}, Layer{Organisation, "org.yml", []byte(organisation)})
			if d := cmp.Diff(tt.want, describe(s.Config)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tt.problems, lines(s.Problems)); d != "" {
				t.Error(d)
			}
		})
	}
}

func lines(problems []review.Problem) (all []string) {
	for _, p := range problems {
		all = append(all, fmt.Sprintf("%s:%d:%d %s", p.Path, p.Line, p.Column, p.Message))
	}
	return all
}

// A bad layer below does not take down those above and below it.
func TestLoadBadOrganisation(t *testing.T) {
	s := Load(full, Layer{Operator, "op.yml", []byte(everyOperatorKey)}, Layer{Organisation, "org.yml", []byte("version: 1\nfoo: 1")},
		Layer{Repository, "repo.yml", []byte("version: 1\npipelines: {own: {agents: [hygiene]}}")})
	if d := cmp.Diff([]string{`org.yml:2:1 unknown key "foo": allowed: version, operator, agents, schedules, rules, paths, instructions, suppress, pipelines`}, lines(s.Problems)); d != "" {
		t.Error(d)
	}
	if names := s.pipelineNames(); !slices.Equal(names, []string{"security", "review", "own"}) {
		t.Error(names)
	}
}

func TestLoadLocks(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"what is below", "pipelines: {security: {gate: {fail_on: low}}}", "pipelines.security is locked by the operator (pipelines.security): remove it here"},
		{"the switch", "pipelines: {security: {enabled: false}}", "pipelines.security is locked"},
		{"any name", "pipelines: {own: {gate: {fail_on: low}}}", "pipelines.own.gate.fail_on is locked by the operator (pipelines.*.gate.fail_on)"},
		{"the switch of what holds it", "pipelines: {review: {enabled: false}}", "pipelines.review.enabled: the operator has locked pipelines.*.gate.fail_on, so the pipeline cannot be taken away"},
		{"beside it", "pipelines: {own: {agents: [hygiene], gate: {on_unavailable: fail}}}", ""},
		{"tokens over the bound", "agents: {secrets: {budget: {tokens: 1001}}}", "agents.secrets.budget.tokens is over what the operator allows: write at most 1000"},
		{"time over the bound", "agents: {secrets: {budget: {time: 6m}}}", "agents.secrets.budget.time is over what the operator allows: write at most 5m"},
		{"money over the bound", "pipelines: {own: {budget: {usd: 1.5}}}", "pipelines.own.budget.usd is over what the operator allows: write at most 1"},
		{"steps at the bound", "agents: {secrets: {budget: {steps: 5}}}", ""},
		{"the operator's model", "agents: {m: {uses: llm, model: big}}\npipelines: {own: {agents: [m]}}", ""},
		{"another model", "agents: {m: {uses: llm, model: bigger}}", `agents.m.model: unknown model "bigger": allowed: default, small, big`},
	}
	for _, kind := range []LayerKind{Organisation, Repository} {
		for _, tt := range tests {
			s := Load(full, Layer{Operator, "op.yml", []byte(everyOperatorKey)}, Layer{kind, "x.yml", []byte("version: 1\n" + tt.file)})
			got := strings.Join(lines(s.Problems), "\n")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("%s of the %s: got %q, want %q", tt.name, kind, got, tt.want)
			}
		}
	}
}

func TestOrigins(t *testing.T) {
	s := Load(full, Layer{Organisation, "org.yml", []byte(organisation)}, Layer{Repository, "repo.yml", []byte("version: 1\npipelines:\n  review:\n    gate: {fail_on: low}\n")})
	tests := map[string]string{
		"pipelines.review.gate.fail_on":        "repository (repo.yml:4)",
		"pipelines.review.gate.on_unavailable": "organisation (org.yml:6)",
		"pipelines.review.agents":              "organisation (org.yml:5)",
		"pipelines.review.timeout":             "built-in",
		"pipelines.review":                     "repository (repo.yml:3)",
		"pipelines.audit":                      "organisation (org.yml:8)",
		"rules[0]":                             "organisation (org.yml:9)",
	}
	for key, want := range tests {
		if got := s.Config.originOf(key).String(); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	values := make(map[string]string)
	for _, v := range s.Config.Values() {
		values[v.Key] = v.Text + " from " + v.Origin.String()
	}
	for key, want := range map[string]string{
		"pipelines.review.gate.fail_on":        "low from repository (repo.yml:4)",
		"pipelines.review.gate.on_unavailable": "{retry_for: 30m, then: fail} from organisation (org.yml:6)",
		"pipelines.review.timeout":             "10m from built-in",
		"pipelines.review.labels.skip":         "[org-skip] from organisation (org.yml:7)",
		"pipelines.audit.drafts":               "false from built-in",
		"paths.ignore":                         "[vendor/**] from organisation (org.yml:12)",
		"rules[1]":                             "b (low): of the organisation from organisation (org.yml:9)",
	} {
		if values[key] != want {
			t.Errorf("%s: %q, want %q", key, values[key], want)
		}
	}
}

// FuzzLoad holds the contract over layers: always a config, and either problems
// of the new file or none.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(everyKey), []byte(organisation))
	f.Add([]byte(organisation), []byte("version: 1\npipelines: {review: {stages: [[secrets]]}}"))
	f.Add([]byte("version: 1\npipelines: {a: &a {agents: [secrets]}, b: *a}"), []byte("version: 1\npipelines: 1"))
	f.Add([]byte("version: 1\nrules: &r [{id: a, when: 'true', severity: low, message: m}]\nx: *r"), []byte("version: 1\nschedules: {a: '* * * * *'}"))
	f.Fuzz(func(t *testing.T, organisation, repository []byte) {
		s := Load(full, Layer{Operator, "op", []byte(everyOperatorKey)}, Layer{Organisation, "org", organisation}, Layer{Repository, "repo", repository})
		if s.Config == nil || len(s.Config.Operator.Endpoints) != 2 || !slices.Contains(s.pipelineNames(), "security") {
			t.Fatalf("%+v", s.Config)
		}
		for _, p := range s.Problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || (p.Path != "org" && p.Path != "repo") {
				t.Fatalf("problem %+v", p)
			}
		}
		for _, p := range s.Config.Pipelines {
			if p.Name == "security" && (p.Gate.FailOn != review.High || !slices.Equal(p.Agents, []string{"secrets"})) {
				t.Fatalf("what is locked became %+v", p)
			}
		}
		s.Config.Values()
		Explain(review.Event{Name: "pull_request", Action: "opened", Pull: &review.Pull{Number: 1}}, s)
	})
}
