package workflows

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"assay/review"
)

var (
	// headRef is what leads to the code of a pull request.
	headRef = regexp.MustCompile(`github\.event\.pull_request\.(?:head\.|merge_commit_sha)|github\.head_ref|github\.event\.workflow_run\.(?:head_|pull_requests)|github\.event\.(?:issue\.number|number|pull_request\.number)|refs/pull/`)
	// headFetch is a command that gets the code of a pull request.
	headFetch = regexp.MustCompile(`\bgh\s+pr\s+checkout\b|\bgit\s+(?:fetch|pull)\b[^\n]*(?:pull/|refs/pull|head_ref|head\.(?:ref|sha))|\bgit\s+(?:checkout|switch|reset)\b[^\n]*(?:head\.(?:ref|sha)|head_sha|head_ref|HEAD_(?:SHA|REF))`)
	// sameRepo is a condition that keeps forks out.
	sameRepo = regexp.MustCompile(`head\.repo(?:sitory)?\.(?:full_name|owner\.login|id)\s*==|head_repository\.(?:full_name|owner\.login|id)\s*==|==\s*github\.event\.(?:pull_request\.head\.repo|workflow_run\.head_repository)\.|!\s*github\.event\.pull_request\.head\.repo\.fork|head\.repo\.fork\s*==\s*false|event\.workflow_run\.event\s*==\s*'(?:push|schedule|release)'`)
	// gated is a condition that somebody with rights has to meet.
	gated = regexp.MustCompile(`labels|label\.name|author_association|github\.actor\s*==|user\.login\s*==|sender\.login\s*==`)
)

// checkout looks for jobs that run with the repository's rights and get the
// code of a pull request. It is worst when they then run something.
func (c *audit) checkout(j job) {
	event := c.w.dangerous()
	if event == "" || sameRepo.MatchString(j.condition) {
		return
	}
	for i, s := range j.steps {
		at, evidence := headOf(s)
		if at == nil || sameRepo.MatchString(s.condition) {
			continue
		}
		f := c.add("dangerous-checkout", at, event+": "+clip(evidence), fmt.Sprintf("On %s this job has the repository's token and secrets, and here it gets the code of a pull request that anybody can open.", event))
		f.Severity = review.High
		for _, later := range j.steps[i+1:] {
			if scalar(later.run) != "" || strings.HasPrefix(scalar(later.uses), "./") {
				f.Severity = review.Critical
				f.Message += " What runs after it can be that code."
				break
			}
		}
		f.Message += " Use pull_request, or leave the code of the pull request alone."
		if j.environment || gated.MatchString(j.condition) || gated.MatchString(s.condition) {
			f.Severity = review.Medium
		}
	}
}

// headOf is where the step gets the code of a pull request; nil where it does
// not.
func headOf(s step) (at *yaml.Node, evidence string) {
	if s.action("actions/checkout") {
		for _, key := range []string{"ref", "repository"} {
			if n := s.with[key]; n != nil && headRef.MatchString(scalar(n)) {
				return n, key + ": " + scalar(n)
			}
			if n := s.with[key]; n != nil && key == "repository" && strings.Contains(scalar(n), "head") {
				return n, key + ": " + scalar(n)
			}
		}
		return nil, ""
	}
	if m := headFetch.FindString(scalar(s.run)); m != "" {
		return s.run, m
	}
	return nil, ""
}

var (
	// strangersWrite are contexts whose text strangers choose, beyond those that
	// actionlint knows (https://securitylab.github.com/resources/github-actions-untrusted-input/).
	strangersWrite = regexp.MustCompile(`github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.(?:message|author\.(?:name|email))|head_repository\.description|pull_requests\.[^ }]*\.head\.ref)`)
	// strangersWriteAll are those that actionlint knows too, for actions, which it
	// does not look at.
	strangersWriteAll = regexp.MustCompile(`github\.(?:head_ref|event\.(?:issue\.(?:title|body)|discussion\.(?:title|body)|comment\.body|review\.body|review_comment\.body|pull_request\.(?:title|body|head\.(?:ref|label|repo\.default_branch))|head_commit\.(?:message|author\.(?:name|email))|commits\b[^}]*\.(?:message|author\.(?:name|email))|pages\b[^}]*\.page_name))`)
	inputs            = regexp.MustCompile(`^\s*inputs\.[\w-]+\s*$`)
)

// injection looks for text of strangers in scripts, where actionlint does not.
func (c *audit) injection(s step) {
	for _, script := range []*yaml.Node{s.run, s.with["script"]} {
		if script == nil || script == s.with["script"] && !s.action("actions/github-script") {
			continue
		}
		for _, m := range expressions.FindAllStringSubmatch(scalar(script), 100) {
			switch {
			case strangersWrite.MatchString(m[1]), c.w.composite && strangersWriteAll.MatchString(m[1]):
				c.add("template-injection", c.within(script, m[0]), clip(m[0]), fmt.Sprintf("Whoever opens a pull request or an issue chooses the text of %s, and with it what this script runs: pass it through an environment variable.", clip(m[0])))
			case c.w.composite && inputs.MatchString(m[1]):
				c.add("input-injection", c.within(script, m[0]), clip(m[0]), fmt.Sprintf("The text of %s becomes a part of the script: pass it through an environment variable, for a workflow may put a stranger's text into it.", clip(m[0])))
			}
		}
	}
}

// within is a node at the line of the script that holds the text.
func (c *audit) within(script *yaml.Node, text string) *yaml.Node {
	for n := script.Line; n <= min(len(c.w.lines), script.Line+2000); n++ {
		if n >= 1 && strings.Contains(c.w.lines[n-1], text) {
			return &yaml.Node{Line: n}
		}
	}
	return script
}

// written is what a line appends to the files that set variables and the path
// of later steps.
var written = regexp.MustCompile(`(?m)^.*(?:>>|tee\s+-a)\s*["']?\$(?:\{?GITHUB_(?:ENV|PATH)\}?|env:GITHUB_(?:ENV|PATH)).*$`)

// environment looks for variables that strangers may set in workflows that they
// set off.
func (c *audit) environment(s step) {
	event := c.w.dangerous()
	if event == "" {
		return
	}
	for _, line := range written.FindAllString(scalar(s.run), 20) {
		what, _, _ := strings.Cut(strings.Replace(line, "tee -a", ">>", 1), ">>")
		if strings.ContainsAny(what, "$`") || strings.Contains(what, "cat ") {
			c.add("github-env", c.within(s.run, strings.TrimSpace(line)), clip(strings.TrimSpace(line)), fmt.Sprintf("On %s a stranger may choose what is written here, and with a line break set any variable of the steps after it, as LD_PRELOAD: use an output, or check the value.", event))
		}
	}
}

// persistence looks for checkouts that leave the token behind.
func (c *audit) persistence(s step) {
	if s.action("actions/checkout") && scalar(s.with["persist-credentials"]) != "false" {
		c.add("artipacked", s.uses, "uses: actions/checkout", "The token stays in .git/config, where every later step, and an artifact of the directory, can have it: set persist-credentials: false.")
	}
}

var cachingSetup = regexp.MustCompile(`^(?:actions/(?:cache|setup-go|setup-node|setup-python|setup-java|setup-dotnet)|swatinem/rust-cache|gradle/actions/setup-gradle|ruby/setup-ruby|docker/build-push-action|astral-sh/setup-uv)$`)

// caching looks for caches in workflows that publish.
func (c *audit) caching(s step) {
	name, _, _ := usesName(scalar(s.uses))
	if !cachingSetup.MatchString(name) || !c.publishes() {
		return
	}
	on := false
	switch cache := scalar(s.with["cache"]); name {
	case "actions/cache", "swatinem/rust-cache":
		on = true
	case "actions/setup-go":
		on = cache != "false"
	case "gradle/actions/setup-gradle":
		on = scalar(s.with["cache-disabled"]) != "true"
	case "ruby/setup-ruby":
		on = scalar(s.with["bundler-cache"]) == "true"
	case "docker/build-push-action":
		on = strings.Contains(scalar(s.with["cache-from"]), "gha")
	case "astral-sh/setup-uv":
		on = scalar(s.with["enable-cache"]) == "true"
	default:
		on = cache != "" && cache != "false"
	}
	if on {
		c.add("cache-poisoning", s.uses, "uses: "+clip(name), "What is published here is built with a cache that other workflows can write: turn the cache off for releases.")
	}
}

// publishes reports whether the workflow runs on releases or tags.
func (c *audit) publishes() bool {
	if c.w.events["release"] != nil {
		return true
	}
	push := fields(fields(c.w.on)["push"])
	return push["tags"] != nil
}

func sortedKeys(m map[string]*yaml.Node) []string { return slices.Sorted(maps.Keys(m)) }
