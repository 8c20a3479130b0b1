package strategy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay/review"
)

func TestParse(t *testing.T) {
	file := `# every key there is
version: 1
pipelines:
  review:
    description: " Review of every pull request "
    on: [pull_request.opened, check_suite.completed, issue_comment.created]
    strategy: sequential
    agents: &agents
      - hygiene
      - secrets
    timeout: 1h
    gate: {fail_on: never, on_unavailable: fail}
    report: {comment: always}
    drafts: true
    labels: {skip: ["skip review", wip]}
  short:
    agents: *agents
paths:
  ignore: ["vendor/**", "**/*.pb.go"]
`
	want := &Config{
		Version: 1,
		Pipelines: []Pipeline{
			{
				Name: "review", Description: "Review of every pull request",
				On:       []string{"pull_request.opened", "check_suite.completed", "issue_comment.created"},
				Strategy: Sequential, Agents: []string{"hygiene", "secrets"}, Timeout: time.Hour,
				Gate:   Gate{FailOn: review.SeverityNone, OnUnavailable: UnavailableFail},
				Report: Report{Comment: CommentAlways, Inline: review.Medium, MaxInline: 10},
				Filter: Filter{Drafts: true, Labels: LabelFilter{Skip: []string{"skip review", "wip"}}},
			},
			{
				Name:     "short",
				On:       []string{"pull_request.opened", "pull_request.reopened", "pull_request.synchronize", "pull_request.ready_for_review"},
				Strategy: Parallel, Agents: []string{"hygiene", "secrets"}, Timeout: 10 * time.Minute,
				Gate:   Gate{FailOn: review.High, OnUnavailable: UnavailableNeutral},
				Report: Report{Comment: CommentFindings, Inline: review.Medium, MaxInline: 10},
			},
		},
		Ignore: []string{"vendor/**", "**/*.pb.go"},
		Notices: []review.Problem{
			{Path: "a.yml", Line: 6, Column: 54, Message: "pipelines.review.on: issue_comment.created: a comment starts pipelines through commands, as /assay review"},
		},
	}
	for name, data := range map[string]string{"unix": file, "windows": strings.ReplaceAll(file, "\n", "\r\n"), "byte order mark": "\ufeff" + file} {
		got, problems := Parse("a.yml", []byte(data), vocabulary)
		if d := cmp.Diff([]review.Problem(nil), problems); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(want, got, ours); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// A file that says nothing of pipelines keeps the built-in one.
func TestParseKeepsDefault(t *testing.T) {
	want := Default(vocabulary)
	if d := cmp.Diff(want, mustParse(t, "version: 1\n"), ours); d != "" {
		t.Error(d)
	}
	want.Ignore = []string{"vendor/**"}
	if d := cmp.Diff(want, mustParse(t, "version: 1\npaths: {ignore: ['vendor/**']}"), ours); d != "" {
		t.Error(d)
	}
}

// TestParseProblems holds each message to its place, what is wrong and the way
// out. A problem reads "line:column message".
func TestParseProblems(t *testing.T) {
	in := func(key string) string { return "version: 1\npipelines:\n  review:\n    " + key + "\n" }
	const severities = "critical, high, medium, low, info, never"
	tests := []struct {
		name, file string
		want       []string
	}{
		{"empty", "", []string{`1:1 the file says nothing: begin with "version: 1", or delete it to use the built-in default`}},
		{"only a comment", "# later\n", []string{`1:1 the file says nothing: begin with "version: 1", or delete it to use the built-in default`}},
		{"no version", "paths: {ignore: [a]}\n", []string{`1:1 the key version is missing: begin the file with "version: 1"`}},
		{"version as text", "version: \"1\"\n", []string{"1:10 version must be the number 1"}},
		{"version to come", "version: 2\n", []string{`1:10 version: this service reads version 1, not 2: write "version: 1"`}},
		{"version without value", "version:\n", []string{"1:8 version has no value: write the number 1, or remove the key"}},
		{"not a mapping", "- version\n", []string{"1:1 the file must be a mapping (key: value)"}},
		{"scalar", "hello\n", []string{"1:1 the file must be a mapping (key: value)"}},
		{"unknown key", "version: 1\npipeline: {}\n", []string{`2:1 unknown key "pipeline": did you mean "pipelines"? allowed: version, operator, agents, schedules, rules, paths, instructions, suppress, pipelines`}},
		{"unknown key, nothing near", "version: 1\nwebhooks: 1\n", []string{`2:1 unknown key "webhooks": allowed: version, operator, agents, schedules, rules, paths, instructions, suppress, pipelines`}},
		{"unknown key in a pipeline", in("agnets: [secrets]"), []string{`4:5 unknown key "pipelines.review.agnets": did you mean "agents"? allowed: description, enabled, on, when, strategy, agents, stages, stop_on, timeout, budget, drafts, labels, authors, branches, title, paths, gate, report`}},
		{"unknown key in gate", in("gate: {failon: high}"), []string{`4:12 unknown key "pipelines.review.gate.failon": did you mean "fail_on"? allowed: fail_on, on_unavailable, require_coverage`}},
		{"unknown key in report", in("report: {inlined: high}"), []string{`4:14 unknown key "pipelines.review.report.inlined": did you mean "inline"? allowed: comment, inline, max_inline`}},
		{"unknown key in paths", "version: 1\npaths:\n  ignored: [a]\n", []string{`3:3 unknown key "paths.ignored": did you mean "ignore"? allowed: ignore`}},
		{"unknown key in labels", in("labels: {only: [a]}"), []string{`4:14 unknown key "pipelines.review.labels.only": allowed: require, skip`}},
		{"duplicate key", "version: 1\nversion: 1\n", []string{"2:1 version is given twice, first on line 1: keep one"}},
		{"duplicate pipeline", "version: 1\npipelines:\n  a: {drafts: true}\n  a: {drafts: false}\n", []string{"4:3 pipelines.a is given twice, first on line 3: keep one"}},
		{"duplicate agent", in("agents: [secrets, hygiene, secrets]"), []string{`4:32 pipelines.review.agents lists "secrets" twice: keep one`}},
		{"unknown agent", in("agents: [secret]"), []string{`4:14 pipelines.review.agents: unknown agent "secret": did you mean "secrets"? allowed: secrets, workflows, hygiene, pull-request, reviewer`}},
		{"agents not a list", in("agents: secrets"), []string{"4:13 pipelines.review.agents must be a list ([a, b])"}},
		{"no agents", in("agents: []"), []string{"4:13 pipelines.review.agents is empty: list at least one, or remove the key"}},
		{"agent not text", in("agents: [{a: b}]"), []string{"4:14 pipelines.review.agents must be text"}},
		{"unknown event", in("on: [pull_request.synchronise]"), []string{`4:10 pipelines.review.on: unknown event "pull_request.synchronise": did you mean "pull_request.synchronize"? allowed: ` + strings.Join(eventNames(), ", ")}},
		{"event without action", in("on: [check_run]"), []string{`4:10 pipelines.review.on: "check_run" needs an action: check_run.rerequested, check_run.requested_action`}},
		{"bad schedule", in("on: ['schedule.']"), []string{`4:10 pipelines.review.on: unknown event "schedule.": allowed: ` + strings.Join(eventNames(), ", ")}},
		{"bad strategy", in("strategy: paralel"), []string{`4:15 pipelines.review.strategy: unknown value "paralel": did you mean "parallel"? allowed: parallel, sequential`}},
		{"bad severity", in("gate: {fail_on: hihg}"), []string{`4:21 pipelines.review.gate.fail_on: unknown value "hihg": did you mean "high"? allowed: ` + severities}},
		{"bad on_unavailable", in("gate: {on_unavailable: success}"), []string{`4:28 pipelines.review.gate.on_unavailable: unknown value "success": allowed: neutral, fail`}},
		{"bad comment", in("report: {comment: sometimes}"), []string{`4:23 pipelines.review.report.comment: unknown value "sometimes": allowed: findings, always, never`}},
		{"boolean as text", in("drafts: yes"), []string{"4:13 pipelines.review.drafts must be true or false"}},
		{"boolean without value", in("drafts:"), []string{"4:11 pipelines.review.drafts has no value: write true or false, or remove the key"}},
		{"timeout without unit", in("timeout: 10"), []string{"4:14 pipelines.review.timeout needs a unit: write 10s, 10m or 10h"}},
		{"timeout not a duration", in("timeout: soon"), []string{`4:14 pipelines.review.timeout: "soon" is not a duration: write a number and a unit, as 90s, 10m or 1h`}},
		{"timeout too long", in("timeout: 61m"), []string{`4:14 pipelines.review.timeout: "61m" is out of bounds: write 10s to 1h`}},
		{"timeout too short", in("timeout: 9s"), []string{`4:14 pipelines.review.timeout: "9s" is out of bounds: write 10s to 1h`}},
		{"timeout negative", in("timeout: -10m"), []string{`4:14 pipelines.review.timeout: "-10m" is out of bounds: write 10s to 1h`}},
		{"gate not a mapping", in("gate: high"), []string{"4:11 pipelines.review.gate must be a mapping (key: value)"}},
		{"pipelines not a mapping", "version: 1\npipelines: [review]\n", []string{"2:12 pipelines must be a mapping (key: value)"}},
		{"no pipelines", "version: 1\npipelines: {}\n", []string{"2:12 pipelines is empty: name at least one, or remove the key to use the built-in pipeline"}},
		{"pipeline without body", "version: 1\npipelines:\n  review:\n", []string{"3:9 pipelines.review has no value: write a mapping (key: value), or remove the key"}},
		{"bad name", "version: 1\npipelines:\n  Code Review: {drafts: true}\n", []string{`3:3 pipelines: "Code Review" cannot be a name: use 1 to 40 lower-case letters, digits, - and _`}},
		{"bad name, bad body", "version: 1\npipelines:\n  Review: {drafts: maybe}\n", []string{
			`3:3 pipelines: "Review" cannot be a name: use 1 to 40 lower-case letters, digits, - and _`,
			`3:20 pipelines."Review".drafts must be true or false`,
		}},
		{"number as key", "version: 1\npipelines:\n  1: {drafts: true}\n", []string{"3:3 pipelines: a key must be a plain word; quote it if it is one"}},
		{"long description", in("description: " + strings.Repeat("x", 201)), []string{"4:18 pipelines.review.description is longer than 200 bytes"}},
		{"empty label", in("labels: {skip: [' ']}"), []string{"4:21 pipelines.review.labels.skip is empty: write a label, or remove it"}},
		{"bad glob", "version: 1\npaths: {ignore: ['a/**', '/b']}\n", []string{`2:26 paths.ignore: "/b": paths begin without a slash; write "b"`}},
		{"too many globs", "version: 1\npaths: {ignore: [" + strings.Repeat("a,", 101) + "]}\n", []string{"2:17 paths.ignore has 101 entries, the limit is 100"}},
		{"merge key", "version: 1\npipelines:\n  a: &a {drafts: true}\n  b:\n    <<: *a\n", []string{"5:5 pipelines.b: merge keys (<<) are not supported: write the keys out, or use the whole value as *alias"}},
		{"tag", in("drafts: !!bool true"), []string{"4:13 pipelines.review.drafts: tags (!…) are not supported: write true or false without one"}},
		{"unknown alias", in("drafts: *x"), []string{"4:13 pipelines.review.drafts refers to an anchor that does not exist: write the value out"}},
		{"alias of itself", in("agents: &x [*x]"), []string{"4:17 pipelines.review.agents must be text"}},
		{"anchor on an alias", in("agents: &x *y\n    on: &y *x"), []string{"4:16 the YAML cannot be read here: unexpected scalar value type"}},
		{"two documents", "version: 1\n---\nversion: 1\n", []string{"3:8 the file has a second document: keep one, and remove the line ---"}},
		{"syntax", "version: 1\npipelines: [\n", []string{"2:12 the YAML cannot be read here: sequence end token ']' not found"}},
		{"tab", "version: 1\npipelines:\n\treview: {}\n", []string{"3:1 the YAML cannot be read here: found character '\t' that cannot start any token"}},
		{"not UTF-8", "version: 1\n# \xff\n", []string{"2:1 the file is not UTF-8 text: save it as UTF-8"}},
		{"NUL", "version: 1\n\x00", []string{`2:1 the line has the control character '\x00': remove it`}},
		{"duplicate key in labels", in("labels: {skip: [a], skip: [b]}"), []string{"4:25 pipelines.review.labels.skip is given twice, first on line 4: keep one"}},
		{"stages and agents", in("stages: [[secrets]]\n    agents: [secrets]"), []string{"5:5 pipelines.review has both stages and agents: keep one"}},
		{"stages and strategy", in("strategy: sequential\n    stages: [[secrets]]"), []string{"4:5 pipelines.review has both stages and strategy: keep one"}},
		{"an agent in two stages", in("stages: [[secrets], [hygiene, secrets]]"), []string{`4:25 pipelines.review.stages lists "secrets" twice: keep one`}},
		{"stages not lists", in("stages: [secrets]"), []string{"4:14 pipelines.review.stages must be a list ([a, b])"}},
		{"bad stop_on", in("stop_on: hihg"), []string{`4:14 pipelines.review.stop_on: unknown value "hihg": did you mean "high"? allowed: ` + severities}},
		{"bad budget", in("budget: {usd: -1, tokens: 1.5}"), []string{"4:19 pipelines.review.budget.usd: -1 is out of bounds: write 0 to 1000", "4:31 pipelines.review.budget.tokens must be a whole number"}},
		{"unknown key in budget", in("budget: {money: 1}"), []string{`4:14 unknown key "pipelines.review.budget.money": allowed: tokens, steps, time, usd`}},
		{"unknown key in authors", in("authors: {olny: [a]}"), []string{`4:15 unknown key "pipelines.review.authors.olny": did you mean "only"? allowed: only, skip, bots`}},
		{"bad bots", in("authors: {bots: true}"), []string{"4:21 pipelines.review.authors.bots must be text"}},
		{"bad login", in("authors: {only: [a b]}"), []string{`4:22 pipelines.review.authors.only: "a b" is not a login: use letters, digits, "-", "[bot]", and "*" for any letters`}},
		{"bad branch", in("branches: [/main]"), []string{`4:16 pipelines.review.branches: "/main": paths begin without a slash; write "main"`}},
		{"max_inline", in("report: {max_inline: 51}"), []string{"4:26 pipelines.review.report.max_inline: 51 is out of bounds: write 0 to 50"}},
		{"max_inline far out", in("report: {max_inline: 99999999999999999999}"), []string{"4:26 pipelines.review.report.max_inline must be a whole number"}},
		{"coverage over 100", in("gate: {require_coverage: 101}"), []string{"4:30 pipelines.review.gate.require_coverage must be a whole percentage from 0 to 100"}},
		{"coverage as a fraction", in("gate: {require_coverage: 0.95}"), []string{"4:30 pipelines.review.gate.require_coverage must be a whole percentage from 0 to 100"}},
		{"coverage without percent", in("gate: {require_coverage: {paths: [a]}}"), []string{"4:30 pipelines.review.gate.require_coverage: the key percent is missing"}},
		{"retry too long", in("gate: {on_unavailable: {retry_for: 25h}}"), []string{`4:40 pipelines.review.gate.on_unavailable.retry_for: "25h" is out of bounds: write 1m to 24h`}},
		{"retry without time", in("gate: {on_unavailable: {then: fail}}"), []string{"4:28 pipelines.review.gate.on_unavailable: the key retry_for is missing"}},
		{"unknown schedule", in("on: [schedule.weekyl]"), []string{`4:10 pipelines.review.on: unknown schedule "weekyl": define it as schedules.weekyl: did you mean "weekly"? allowed: daily, weekly`}},
		{"bad cron", "version: 1\nschedules: {a: 61 * * * *}\n", []string{`2:16 schedules.a: "61 * * * *": end of range (61) above maximum (59): 61; write five fields of cron, as "30 6 * * mon-fri" (UTC)`}},
		{"cron too often", "version: 1\nschedules: {a: '*/15 * * * *'}\n", []string{`2:16 schedules.a: "*/15 * * * *": it comes every 15m; once in 1h at most`}},
		{"cron that never comes", "version: 1\nschedules: {a: 0 0 30 2 *}\n", []string{`2:16 schedules.a: "0 0 30 2 *": it never comes`}},
		{"cron with a time zone", "version: 1\nschedules: {a: 'TZ=Asia/Tokyo 0 0 * * *'}\n", []string{`2:16 schedules.a: "TZ=Asia/Tokyo 0 0 * * *": write hourly, daily, weekly, monthly, or five fields of cron, as "30 6 * * mon-fri" (UTC)`}},
		{"bad name of a schedule", "version: 1\nschedules: {A b: daily}\n", []string{`2:13 schedules: "A b" cannot be a name: use 1 to 40 lower-case letters, digits, - and _`}},

		{"condition: syntax", in("when: pr.draft &&"), []string{"4:22 pipelines.review.when: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"}},
		{"condition: unknown field", in("when: pr.titel == 'x'"), []string{`4:13 pipelines.review.when: there is no "titel": did you mean "title"?`}},
		{"condition: unknown field, quoted", in("when: '!pr.daft'"), []string{`4:15 pipelines.review.when: there is no "daft": did you mean "draft"?`}},
		{"condition: unknown field, in a block", in("when: |\n      !pr.draft &&\n      pr.titel == ''"), []string{`6:9 pipelines.review.when: there is no "titel": did you mean "title"?`}},
		{"condition: unknown variable", in("when: labels == []"), []string{`4:11 pipelines.review.when: there is no "labels": write "pr.labels"`}},
		{"condition: types", in("when: pr.title == 1"), []string{"4:20 pipelines.review.when: found no matching overload for '_==_' applied to '(string, int)'"}},
		{"condition: not a boolean", in("when: pr.title"), []string{"4:11 pipelines.review.when: it comes to string, not to true or false"}},
		{"condition: empty", in("when: ' '"), []string{"4:12 pipelines.review.when: it is empty"}},
		{"condition: not text", in("when: true"), []string{"4:11 pipelines.review.when must be text"}},
		{"condition: bad regular expression", in("when: pr.title.matches('(')"), []string{"4:28 pipelines.review.when: invalid matches argument"}},

		{"unknown agent's settings", "version: 1\nagents: {secret: {profile: strict}}\n", []string{`2:18 agents.secret: this service has no agent "secret"; say what it uses, or name another: did you mean "secrets"? allowed: secrets, workflows, hygiene, pull-request, reviewer`}},
		{"a kind that is not there", "version: 1\nagents: {mine: {uses: llm}}\n", []string{`2:16 agents.mine.uses: this service has no agents of the kind "llm": no model is configured`}},
		{"files that are not run", "version: 1\nagents: {mine: {uses: .github/agents/a.agent.md}}\n", []string{"2:16 agents.mine.uses: this service does not run agents from files"}},
		{"a file elsewhere", "version: 1\nagents: {mine: {uses: ../a.agent.md}}\n", []string{`2:16 agents.mine.uses: "../a.agent.md" is not an agent's file: write .github/agents/NAME.agent.md`}},
		{"an agent's name taken", "version: 1\nagents: {secrets: {uses: llm}}\n", []string{`2:19 agents.secrets: "secrets" is an agent of this service: choose another name, or remove uses`}},
		{"unknown key of an agent", "version: 1\nagents: {secrets: {profil: strict}}\n", []string{`2:20 unknown key "agents.secrets.profil": did you mean "profile"? allowed: uses, model, instructions, tools, budget, profile, severities, options`}},
		{"bad profile", "version: 1\nagents: {secrets: {profile: loud}}\n", []string{`2:29 agents.secrets.profile: unknown value "loud": allowed: quiet, standard, strict`}},
		{"bad severity of a rule", "version: 1\nagents: {secrets: {severities: {a: none}}}\n", []string{`2:36 agents.secrets.severities.a: unknown value "none": allowed: critical, high, medium, low, info, off`}},
		{"another agent's rule", "version: 1\nagents: {secrets: {severities: {'a b': off}}}\n", []string{`2:33 agents.secrets.severities: "a b" cannot be a rule: write its ID`}},
		{"option not plain", "version: 1\nagents: {secrets: {options: {a: [b]}}}\n", []string{"2:33 agents.secrets.options.a must be text"}},

		{"rule without message", "version: 1\nrules: [{id: a, paths: [x], severity: low}]\n", []string{"2:9 rules[0]: the key message is missing"}},
		{"rule that never speaks", "version: 1\nrules: [{id: a, severity: low, message: m}]\n", []string{"2:9 rules[0] says nothing of when it speaks: give it when, added or paths"}},
		{"rule twice", "version: 1\nrules: [{id: a, paths: [x], severity: low, message: m}, {id: a, paths: [x], severity: low, message: m}]\n", []string{`2:57 rules lists "a" twice: keep one`}},
		{"rule's pattern", "version: 1\nrules: [{id: a, added: '(', severity: low, message: m}]\n", []string{"2:24 rules[0].added: error parsing regexp: missing closing ): `(`"}},
		{"rule's condition", "version: 1\nrules: [{id: a, when: pr.x, paths: [x], severity: low, message: m}]\n", []string{`2:25 rules[0].when: there is no "x"`}},
		{"rule's severity", "version: 1\nrules: [{id: a, paths: [x], severity: never, message: m}]\n", []string{`2:39 rules[0].severity: unknown value "never": allowed: critical, high, medium, low, info`}},
		{"unknown key of a rule", "version: 1\nrules: [{id: a, paths: [x], severity: low, mesage: m, message: m}]\n", []string{`2:44 unknown key "rules[0].mesage": did you mean "message"? allowed: id, when, added, paths, severity, message, fix, help_url`}},

		{"suppression of nothing", "version: 1\nsuppress: [{reason: r, owner: o, until: 2027-01-01}]\n", []string{"2:12 suppress[0] says nothing of what it suppresses: give it fingerprint, or rule and paths"}},
		{"suppression without owner and end", "version: 1\nsuppress: [{fingerprint: 3f2a9c0d4e5b6a71, reason: r}]\n", []string{"2:12 suppress[0]: the key owner is missing", "2:12 suppress[0]: the key until is missing"}},
		{"suppression of a rule everywhere", "version: 1\nsuppress: [{rule: a/b, reason: r, owner: o, until: 2027-01-01}]\n", []string{"2:12 suppress[0]: the rule needs paths: name the files in which it does not count"}},
		{"suppression of both", "version: 1\nsuppress: [{fingerprint: 3f2a9c0d4e5b6a71, rule: a/b, paths: [x], reason: r, owner: o, until: 2027-01-01}]\n", []string{"2:12 suppress[0] has a fingerprint, and a rule or paths: keep one of both"}},
		{"suppression's day", "version: 1\nsuppress: [{fingerprint: 3f2a9c0d4e5b6a71, reason: r, owner: o, until: 2027-02-30}]\n", []string{`2:72 suppress[0].until: "2027-02-30" is not a day: write it as 2027-01-31`}},
		{"suppression's fingerprint", "version: 1\nsuppress: [{fingerprint: 3f2a, reason: r, owner: o, until: 2027-02-28}]\n", []string{`2:26 suppress[0].fingerprint: "3f2a" is not a finding's ID: it has 16 hexadecimal digits`}},
		{"instructions without words", "version: 1\ninstructions: [{paths: [a]}]\n", []string{"2:16 instructions[0]: the key text is missing"}},
		{"operator in a repository", "version: 1\noperator: {lock: [a]}\n", []string{"2:1 operator is for the operator's file alone: remove it here"}},
		{"several at once, in the order of the file", "versoin: 1\npipelines:\n  review:\n    drafts: 1\n    agents: [secret, hygene]\npaths: []\n", []string{
			`1:1 unknown key "versoin": did you mean "version"? allowed: version, operator, agents, schedules, rules, paths, instructions, suppress, pipelines`,
			`1:1 the key version is missing: begin the file with "version: 1"`,
			"4:13 pipelines.review.drafts must be true or false",
			`5:14 pipelines.review.agents: unknown agent "secret": did you mean "secrets"? allowed: secrets, workflows, hygiene, pull-request, reviewer`,
			`5:22 pipelines.review.agents: unknown agent "hygene": did you mean "hygiene"? allowed: secrets, workflows, hygiene, pull-request, reviewer`,
			"6:8 paths must be a mapping (key: value)",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, problems := Parse("a.yml", []byte(tt.file), vocabulary)
			if c != nil {
				t.Error("a config in spite of problems")
			}
			var got []string
			for _, p := range problems {
				if p.Path != "a.yml" {
					t.Errorf("path %q", p.Path)
				}
				got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Message))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// bombs are files made to cost much: each must end in problems, soon.
var bombs = map[string]struct{ file, want string }{
	"too large":      {"version: 1\n" + strings.Repeat("# 2 MB of it\n", 160_000), "the limit is 262144"},
	"many keys":      {"version: 1\n" + strings.Repeat("k: v\n", 50_000), "more than 20000 words"},
	"just few words": {"version: 1\n" + keys(6_000), "unknown key"},
	"deep list":      {strings.Repeat("[", 200_000), "nested deeper than 32"},
	"deep map":       {strings.Repeat("{a: ", 50_000), "nested deeper than 32"},
	"deep dashes":    {strings.Repeat("- ", 100_000), "nested deeper than 32"},
	"deep questions": {strings.Repeat("? ", 9_000), "nested deeper than 32"},
	"anchors":        {strings.Repeat("&a ", 6_000), "cannot be read"},
	"tags":           {strings.Repeat("!a ", 9_000), "cannot be read"},
	"steps":          {steps(700), "version is missing"},
	"laughs": {"version: 1\npaths:\n  ignore: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
		"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\npipelines: {x: {agents: *d}}\n", "must be text"},
	"wide alias": {"version: 1\npipelines:\n  a: &a\n" + indent(keys(4_000)) + aliases(190), "there are more"},
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: v\n", i)
	}
	return b.String()
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n    ") + "\n"
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  b%d: *a\n", i)
	}
	return b.String()
}

func steps(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()[:min(b.Len(), MaxConfigBytes)]
}

func TestParseBombs(t *testing.T) {
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			c, problems := Parse("a.yml", []byte(bomb.file), vocabulary)
			// Seconds without the bounds; a tenth of one with them. Wide, for
			// the race detector on a busy machine.
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
			if c != nil || len(problems) == 0 || len(problems) > maxProblems {
				t.Fatalf("config %v and %d problems, want 1 to %d", c, len(problems), maxProblems)
			}
			if last := problems[len(problems)-1].Message; !strings.Contains(last, bomb.want) {
				t.Errorf("last of %d problems is %q, want one with %q", len(problems), last, bomb.want)
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	candidates := []string{"parallel", "sequential", "on", "high"}
	tests := map[string]string{
		"paralel": "parallel", "parralell": "parallel", "PARALLEL": "", "no": "on", "hihg": "high", "hgih": "high",
		"": "", "zzzzzzzz": "", strings.Repeat("parallel", 10): "",
	}
	for word, want := range tests {
		if got := suggest(word, candidates); got != want {
			t.Errorf("suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

// FuzzParse holds the contract: either a config or problems, every problem in
// the file and on one line, and a config that the rest can work with.
func FuzzParse(f *testing.F) {
	f.Add([]byte(twoPipelines))
	f.Add([]byte("version: 1\npipelines: {a: &a {on: [push], gate: {fail_on: low}}, b: *a}\n---\n"))
	f.Add([]byte("version: 1\npaths: {ignore: ['{a,b}/**', \"\\u00e9\"]}\n"))
	f.Add([]byte("? [a]\n: !!map {<<: *b, c: |\n  d\n}\r\n\ufeff"))
	f.Add([]byte(": : - - ? &a *a !b %c @d `e > | 'f' \"g\\x00\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, problems := Parse("a.yml", data, vocabulary)
		if (c == nil) == (len(problems) == 0) {
			t.Fatalf("config %v, problems %v", c, problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || p.Path != "a.yml" {
				t.Fatalf("problem %+v", p)
			}
		}
		if c == nil {
			return
		}
		seen := make(map[string]bool)
		for _, p := range c.Pipelines {
			if seen[p.Name] || !pipelineName.MatchString(p.Name) || len(p.Agents) == 0 || len(p.On) == 0 ||
				p.Timeout < minTimeout || p.Timeout > maxTimeout || p.Strategy == "" || p.Gate.OnUnavailable == "" || p.Report.Comment == "" {
				t.Fatalf("pipeline %+v", p)
			}
			seen[p.Name] = true
		}
		Plan{Ignore: c.Ignore}.Ignored("some/path.go")
	})
}
