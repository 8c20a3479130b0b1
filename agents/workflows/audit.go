package workflows

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/review"
)

// audit collects what is wrong with the security of one workflow or action.
type audit struct {
	agent *Agent
	repo  review.Repo
	path  string
	w     *workflow
	found []review.Finding
}

// audited is what the rules on security, as zizmor defines them, say of a text.
// Which of it the change brought about is for the caller to find out.
func (a *Agent) audited(repo review.Repo, path string, text []byte) []review.Finding {
	w := parse(text)
	if w == nil {
		return nil
	}
	c := &audit{agent: a, repo: repo, path: path, w: w}
	c.rights()
	c.insecure(w.env)
	for _, j := range w.jobs {
		c.uses(j.uses)
		c.insecure(j.env)
		c.job(j)
		c.checkout(j)
		for _, s := range j.steps {
			c.uses(s.uses)
			c.insecure(s.env)
			c.injection(s)
			c.environment(s)
			c.persistence(s)
			c.caching(s)
		}
	}
	return c.found[:min(len(c.found), maxFindings)]
}

// add makes a finding on the node. key stands for the code in the comparison
// with the base; it is the line where it is empty.
func (c *audit) add(rule string, at *yaml.Node, evidence, message string) *review.Finding {
	r := c.agent.rules[Name+"/"+rule]
	f := review.Finding{Rule: r.ID, Severity: r.Severity, Category: r.Category, Path: c.path, Message: message, HelpURL: r.HelpURL, Evidence: evidence}
	if at != nil && at.Line >= 1 && at.Line <= len(c.w.lines) {
		f.StartLine, f.EndLine = at.Line, at.Line
		if evidence == "" {
			f.Evidence = clip(strings.TrimSpace(c.w.lines[at.Line-1]))
		}
	}
	c.found = append(c.found, f)
	return &c.found[len(c.found)-1]
}

var commitSHA = regexp.MustCompile(`^[0-9a-f]{40}(?:[0-9a-f]{24})?$`)

// uses looks at how an action or a reusable workflow is pinned. Actions of
// GitHub's own and of the repository's owner may go by a tag.
func (c *audit) uses(n *yaml.Node) {
	uses := scalar(n)
	name, version, local := usesName(uses)
	owner, _, _ := strings.Cut(name, "/")
	switch {
	case uses == "" || local || strings.Contains(uses, "${{"):
		return
	case strings.HasPrefix(name, "docker://"):
		if !strings.HasPrefix(version, "sha256:") {
			c.add("unpinned-image", n, clip(name), fmt.Sprintf("The image %q can be changed by its owner at any time: pin it to a digest.", clip(name)))
		}
	case owner == "actions", owner == "github", owner == "dependabot", strings.EqualFold(owner, c.repo.Owner):
	case !commitSHA.MatchString(version):
		c.add("unpinned-action", n, "uses: "+clip(name), fmt.Sprintf("%q can be changed by its owner at any time: pin it to the full SHA of a commit, with the version in a comment.", clip(uses)))
	}
}

// rights looks at the permissions of the workflow's token.
func (c *audit) rights() {
	if c.w.composite {
		return
	}
	if scalar(c.w.permissions) == "write-all" {
		c.add("excessive-permissions", c.w.permissions, "permissions: write-all", "The token may write everything in all jobs: name the permissions that each job needs.")
	}
	missing := c.w.permissions == nil
	for _, j := range c.w.jobs {
		if scalar(j.permissions) == "write-all" {
			c.add("excessive-permissions", j.permissions, "job permissions: write-all", "The token may write everything in this job: name the permissions that it needs.")
		}
	}
	bare := 0
	for _, j := range c.w.jobs {
		if j.permissions == nil {
			bare++
		}
	}
	if missing && bare > 0 {
		c.add("missing-permissions", c.w.on, "on:", "No permissions are given, so the token has the repository's default, which may be to write everything: add permissions, as contents: read.")
	}
}

// insecure looks for the switch that turns old, unsafe commands on.
func (c *audit) insecure(env *yaml.Node) {
	if n := fields(env)["ACTIONS_ALLOW_UNSECURE_COMMANDS"]; n != nil && strings.EqualFold(scalar(n), "true") {
		c.add("insecure-commands", n, "", "This allows whatever a step prints to set variables and the path of the steps after it: write to $GITHUB_ENV instead.")
	}
}

// job looks at where a job runs and what secrets it gets.
func (c *audit) job(j job) {
	if scalar(j.secrets) == "inherit" {
		c.add("secrets-inherit", j.secrets, "secrets: inherit "+clip(scalar(j.uses)), "The called workflow is given every secret there is: name those that it needs.")
	}
	if !c.repo.Private {
		labels := names(j.runsOn)
		if group := fields(j.runsOn); group["labels"] != nil {
			labels = names(group["labels"])
		}
		for _, n := range labels {
			if n.Value == "self-hosted" {
				c.add("self-hosted-runner", n, "", "A runner of your own runs the code of a public repository: whoever gets a pull request to run can take it over. Use GitHub's runners, or ones that live for one job.")
			}
		}
	}
	for _, s := range j.steps {
		for _, n := range append(values(s.env), append(mapped(s.with), s.run)...) {
			if strings.Contains(scalar(n), "toJSON(secrets)") || strings.Contains(scalar(n), "secrets[") {
				c.add("overprovisioned-secrets", n, "", "Every secret there is is handed to this step: name those that it needs.")
			}
		}
	}
}

func mapped(m map[string]*yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	for _, key := range sortedKeys(m) {
		out = append(out, m[key])
	}
	return out
}
