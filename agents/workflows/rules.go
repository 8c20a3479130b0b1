package workflows

import (
	"strings"

	"github.com/rhysd/actionlint"

	"assay/agents"
	"assay/review"
)

// Rules describes the agent's rules: one for each check of actionlint, script
// injection by itself, and those on security that are our own.
func Rules() []agents.Rule {
	rules := auditRules()
	for _, r := range table {
		profile := review.ProfileQuiet
		if aboveQuiet[r.id] {
			profile = review.ProfileStandard
		}
		rules = append(rules, agents.Rule{
			Profile: profile, ID: Name + "/" + r.id, Severity: r.severity, Category: r.category, What: r.what, Why: r.why, Fix: r.fix,
			HelpURL: "https://github.com/rhysd/actionlint/blob/v1.7.12/docs/checks.md",
		})
	}
	return rules
}

// The severities: what lets strangers run code or read a password is high;
// what keeps a workflow from running, or from doing what it says, is medium;
// what may be right all the same (labels of runners that only their owner
// knows) is low or info.
var table = []struct {
	id             string
	severity       review.Severity
	category       review.Category
	what, why, fix string
}{
	{"script-injection", review.High, review.Security, "Text that strangers write is put into a script.", "Whoever opens an issue or a pull request can run commands with the workflow's token and secrets.", "Pass it through an environment variable and quote the variable."},
	{"credentials", review.High, review.Security, "A password of a container registry stands in the workflow.", "Whoever reads the repository can use it.", "Keep it in a secret."},
	{"syntax-check", review.Medium, review.Correctness, "The workflow breaks the syntax of GitHub Actions.", "GitHub refuses the workflow, or ignores a part of it.", "Correct the key or the value."},
	{"expression", review.Medium, review.Correctness, "An expression is wrong.", "It fails, or is empty, when the workflow runs.", "Correct the expression."},
	{"action", review.Medium, review.Correctness, "An action is used wrongly.", "The step fails or ignores an input.", "Use the inputs the action has."},
	{"outdated-action", review.Low, review.Maintainability, "An action is so old that its runtime is no longer GitHub's.", "GitHub runs it on a newer runtime, which may break it, or no longer at all.", "Use a newer version."},
	{"workflow-call", review.Medium, review.Correctness, "A reusable workflow is called wrongly.", "The call fails.", "Correct the reference, inputs and secrets."},
	{"events", review.Medium, review.Correctness, "A trigger is wrong.", "The workflow does not start when it should.", "Use an event, type or filter that exists."},
	{"glob", review.Medium, review.Correctness, "A filter pattern is wrong.", "It matches nothing, or not what was meant.", "Correct the pattern."},
	{"job-needs", review.Medium, review.Correctness, "Jobs need one that does not exist, or each other.", "GitHub refuses the workflow.", "Correct needs."},
	{"matrix", review.Medium, review.Correctness, "A matrix is wrong.", "Combinations are missing or doubled.", "Correct the matrix."},
	{"if-cond", review.Medium, review.Correctness, "A condition is always true.", "What it should prevent happens.", "Put the whole condition in one ${{ }} or in none."},
	{"constant-condition", review.Low, review.Maintainability, "A condition is written out as true or false.", "What it guards runs always, or never.", "Remove the condition, or what it turns off."},
	{"permissions", review.Medium, review.Security, "Permissions are wrong.", "GitHub refuses the workflow, or the token has other rights than was meant.", "Use scopes and values that exist."},
	{"id", review.Medium, review.Correctness, "An id is doubled or malformed.", "GitHub refuses the workflow.", "Use another id."},
	{"shell-name", review.Medium, review.Correctness, "A shell does not exist on the runner.", "The step fails.", "Use a shell that the runner has."},
	{"env-var", review.Low, review.Correctness, "The name of an environment variable is wrong.", "It cannot be read by most programs.", "Use letters, digits and underscores."},
	{"deprecated-commands", review.Low, review.Maintainability, "A workflow command is deprecated.", "GitHub turns it off.", "Write to the environment files ($GITHUB_OUTPUT and others)."},
	{"runner-label", review.Info, review.Correctness, "A label of a runner is not known.", "If it is no label of a runner of your own, the job waits for ever.", "Check the spelling."},
	{"other", review.Low, review.Correctness, "actionlint has something else to say.", "See the message.", "See the message."},
}

// aboveQuiet are the rules that are often right in general and of no use on the
// line: an action that has run for years, the name of a runner of one's own.
var aboveQuiet = map[string]bool{"outdated-action": true, "constant-condition": true, "runner-label": true, "other": true}

// ruleOf is the rule that an error of actionlint falls under.
func ruleOf(e *actionlint.Error) string {
	if e.Kind == "expression" && strings.Contains(e.Message, "is potentially untrusted") {
		return Name + "/script-injection"
	}
	if e.Kind == "action" && strings.Contains(e.Message, "is too old to run") {
		return Name + "/outdated-action"
	}
	if e.Kind == "if-cond" && strings.HasPrefix(e.Message, "constant expression") {
		return Name + "/constant-condition"
	}
	for _, r := range table {
		if r.id == e.Kind {
			return Name + "/" + r.id
		}
	}
	return Name + "/other"
}
