package repohealth

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"
)

// protection looks at how the default branch is guarded. Where GitHub did not
// tell all, what seems missing may be there, so nothing is said.
func (e *exam) protection(ci bool) {
	if !e.asked || len(e.setup.Unknown) > 0 {
		return
	}
	branch := fmt.Sprintf("%q", e.setup.DefaultBranch)
	switch {
	case !e.setup.Protected:
		e.say(ruleUnprotected, "", "", "The default branch "+branch+" is not protected: add a ruleset or a protection rule.")
	case ci && len(e.setup.RequiredChecks) == 0:
		e.say(ruleNoChecks, "", "", "Checks run, but "+branch+" demands none of them: require those that every change must pass.")
	}
}

// ciFiles are where the config of CI services stands, but for GitHub's.
var ciFiles = []string{
	".gitlab-ci.yml", ".circleci/config.yml", ".travis.yml", "Jenkinsfile", "azure-pipelines.yml", ".azure-pipelines.yml", "appveyor.yml", ".appveyor.yml",
	".drone.yml", ".drone.star", ".cirrus.yml", ".cirrus.star", "bitbucket-pipelines.yml", ".woodpecker.yml", ".woodpecker.yaml", ".taskcluster.yml", ".prow.yaml",
	"cloudbuild.yaml", "cloudbuild.yml", "buildspec.yml", "codefresh.yml", ".semaphore/semaphore.yml", "wercker.yml", "screwdriver.yaml", ".build.yml", ".zuul.yaml", "zuul.yaml", "Earthfile",
}

var ciDirs = []string{".buildkite", ".woodpecker", ".tekton", ".prow", ".azure-pipelines", ".azuredevops", ".teamcity", ".builds", ".zuul.d", "zuul.d", ".ci"}

func (e *exam) hasCI() bool {
	if e.tree.has(ciFiles...) {
		return true
	}
	for _, dir := range ciDirs {
		if e.tree.dirs[dir] {
			return true
		}
	}
	for _, f := range e.tree.entries {
		if path.Dir(f.Path) == ".github/workflows" && (strings.HasSuffix(f.Path, ".yml") || strings.HasSuffix(f.Path, ".yaml")) {
			return true
		}
	}
	return false
}

// languages are extensions of code that is built or tested, with what building
// it leaves behind; empty where that is nothing.
var languages = map[string]string{
	".go": "", ".py": "__pycache__/", ".js": "node_modules/", ".jsx": "node_modules/", ".mjs": "node_modules/", ".ts": "node_modules/", ".tsx": "node_modules/", ".rb": "",
	".java": "target/ or build/", ".kt": "build/", ".scala": "target/", ".cs": "bin/ and obj/", ".rs": "target/", ".php": "vendor/", ".swift": ".build/", ".ex": "_build/",
	".c": "", ".cc": "", ".cpp": "", ".dart": ".dart_tool/", ".hs": "dist-newstyle/",
}

// manifests say that a project has dependencies, with the extension of the
// language that they are for.
var manifests = map[string]string{
	"go.mod": ".go", "package.json": ".js", "requirements.txt": ".py", "pyproject.toml": ".py", "pipfile": ".py", "cargo.toml": ".rs", "pom.xml": ".java",
	"build.gradle": ".java", "build.gradle.kts": ".kt", "gemfile": ".rb", "composer.json": ".php", "mix.exs": ".ex", "pubspec.yaml": ".dart",
}

// fewFiles is up to how many files of code a repository is not expected to have
// CI: notes, dotfiles, a script.
const fewFiles = 5

// automation looks for what a repository with code should have around it.
func (e *exam) automation() {
	code, leaves := 0, ""
	for _, f := range e.tree.entries {
		if _, ok := languages[strings.ToLower(path.Ext(f.Path))]; ok && own(f.Path) {
			code++
		}
		if language, ok := manifests[strings.ToLower(path.Base(f.Path))]; ok && leaves == "" && own(f.Path) {
			leaves = languages[language]
		}
	}
	if code > fewFiles && !e.hasCI() {
		e.say(ruleNoCI, "", "", fmt.Sprintf("The repository holds %d files of code and no config of a CI service: add a workflow that builds and tests them.", code))
	}
	if leaves != "" && !e.tree.has(".gitignore") {
		e.say(ruleIgnoreMissing, "", "", "There is no .gitignore, and working on the project leaves "+leaves+" behind: add one.")
	}
}

var updateFiles = []string{
	".github/dependabot.yml", ".github/dependabot.yaml", "renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5",
	".github/renovate.json", ".github/renovate.json5", ".gitlab/renovate.json", ".gitlab/renovate.json5", ".pyup.yml", ".scala-steward.conf",
}

// updates looks for something that keeps dependencies up to date.
func (e *exam) updates(ctx context.Context) error {
	if !e.speaks(ruleNoUpdates) || e.tree.has(updateFiles...) {
		return nil
	}
	manifest := ""
	for _, f := range e.tree.entries {
		if _, ok := manifests[strings.ToLower(path.Base(f.Path))]; ok && own(f.Path) {
			manifest = f.Path
			break
		}
	}
	if manifest == "" {
		return nil
	}
	if e.tree.has("package.json") { // Renovate's config may stand in it
		text, ok, err := e.read(ctx, "package.json")
		if err != nil || !ok || bytes.Contains(text, []byte(`"renovate"`)) {
			return err
		}
	}
	e.say(ruleNoUpdates, "", "", fmt.Sprintf("Nothing keeps dependencies (%s) up to date: add .github/dependabot.yml, or set up Renovate.", manifest))
	return nil
}
