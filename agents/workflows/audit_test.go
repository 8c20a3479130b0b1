package workflows_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"assay/agents"
	"assay/agents/workflows"
	"assay/review"
)

// strictly runs the agent in its strict profile, actionlint's rules aside.
func strictly(t testing.TB, contents review.Contents, repo review.Repo, f review.File) []string {
	t.Helper()
	out, err := workflows.New().Run(t.Context(), agents.Input{Change: &review.Change{Repo: repo, Files: []review.File{f}, Contents: contents}})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range workflows.Rules() {
		known[r.ID] = true
	}
	var got []string
	for _, fd := range out.Findings {
		if !known[fd.Rule] {
			t.Errorf("the rule %s is not described", fd.Rule)
		}
		if strings.Contains(fd.HelpURL, "zizmor") {
			got = append(got, fmt.Sprintf("%s %s %d", strings.TrimPrefix(fd.Rule, "workflows/"), fd.Severity, fd.StartLine))
		}
	}
	return got
}

// hardened is a workflow that no rule has anything to say of.
const hardened = `name: ci
on: push
permissions: {contents: read}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with: {persist-credentials: false}
      - run: make test
`

func TestAudit(t *testing.T) {
	swap := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(hardened) }
	target := func(pairs ...string) string {
		return strings.NewReplacer(pairs...).Replace(swap("on: push", "on: pull_request_target", "{persist-credentials: false}", "{persist-credentials: false, ref: '${{ github.event.pull_request.head.sha }}'}"))
	}
	step := func(s string) string { return hardened + "      - " + s + "\n" }
	onTarget := func(s string) string { return strings.Replace(step(s), "on: push", "on: pull_request_target", 1) }
	tests := []struct {
		name, text string
		want       []string
	}{
		{"hardened", hardened, nil},

		{"head checked out and run", target(), []string{"dangerous-checkout critical 9"}},
		{"head checked out and not run", target("      - run: make test\n", ""), []string{"dangerous-checkout high 9"}},
		{"a local action is run", target("run: make test", "uses: ./action"), []string{"dangerous-checkout critical 9"}},
		{"by number", target("github.event.pull_request.head.sha", "github.event.number"), []string{"dangerous-checkout critical 9"}},
		{"on workflow_run", swap("on: push", "on:\n  workflow_run: {workflows: [x]}", "credentials: false}", "credentials: false, ref: '${{ github.event.workflow_run.head_sha }}'}"), []string{"dangerous-checkout critical 10"}},
		{"other repository", target("ref: '${{ github.event.pull_request.head.sha }}'", "repository: '${{ github.event.pull_request.head.repo.full_name }}'"), []string{"dangerous-checkout critical 9"}},
		{"by gh", onTarget("run: gh pr checkout $N && make"), []string{"dangerous-checkout high 11"}},
		{"by git", onTarget("run: git fetch origin pull/$N/head"), []string{"dangerous-checkout high 11"}},
		{"of the same repository alone", target("    runs-on", "    if: github.event.pull_request.head.repo.full_name == github.repository\n    runs-on"), nil},
		{"not of forks", target("    runs-on", "    if: '!github.event.pull_request.head.repo.fork'\n    runs-on"), nil},
		{"by label", target("    runs-on", "    if: contains(github.event.pull_request.labels.*.name, 'safe')\n    runs-on"), []string{"dangerous-checkout medium 10"}},
		{"with an environment", target("    runs-on", "    environment: ci\n    runs-on"), []string{"dangerous-checkout medium 10"}},
		{"base checked out", target("ref: '${{ github.event.pull_request.head.sha }}'", "fetch-depth: 0"), nil},
		{"on pull_request", target("pull_request_target", "pull_request"), nil},

		{"branch of a run", step("run: echo ${{ github.event.workflow_run.head_branch }}"), []string{"template-injection high 11"}},
		{"in a github-script", step("uses: actions/github-script@v7\n        with:\n          script: |\n            x\n            f('${{ github.event.workflow_run.display_title }}')"), []string{"template-injection high 15"}},
		{"by environment", step("run: echo $B\n        env: {B: '${{ github.event.workflow_run.head_branch }}'}"), nil},

		{"environment file", onTarget("run: |\n          echo one\n          echo \"T=$(cat t)\" >> $GITHUB_ENV"), []string{"github-env high 13"}},
		{"path file", onTarget("run: echo ${{ x }} | tee -a \"$GITHUB_PATH\""), []string{"github-env high 11"}},
		{"constant", onTarget("run: echo A=b >> $GITHUB_ENV"), nil},
		{"output", onTarget("run: echo A=$x >> $GITHUB_OUTPUT"), nil},
		{"environment file on push", step("run: echo \"T=$(cat t)\" >> $GITHUB_ENV"), nil},

		{"unsafe commands", swap("permissions:", "env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true}\npermissions:"), []string{"insecure-commands high 3"}},
		{"write all", swap("{contents: read}", "write-all"), []string{"excessive-permissions medium 3"}},
		{"write all in a job", swap("    runs-on", "    permissions: write-all\n    runs-on"), []string{"excessive-permissions medium 6"}},
		{"no permissions", swap("permissions: {contents: read}\n", ""), []string{"missing-permissions low 2"}},
		{"permissions in the job", swap("permissions: {contents: read}\n", "", "    runs-on", "    permissions: {}\n    runs-on"), nil},

		{"by tag", step("uses: some/action@v1"), []string{"unpinned-action low 11"}},
		{"by branch", step("uses: some/action/sub@main"), []string{"unpinned-action low 11"}},
		{"by commit", step("uses: some/action@11bd71901bbe5b1630ceea73d27597364c9af683 # v1"), nil},
		{"of GitHub", step("uses: github/codeql-action/init@v3"), nil},
		{"of the owner", step("uses: Acme/action@v1"), nil},
		{"local", step("uses: ./action"), nil},
		{"image", step("uses: docker://alpine:3"), []string{"unpinned-image low 11"}},
		{"image by digest", step("uses: docker://alpine@sha256:abc"), nil},
		{"workflow", swap("    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n        with: {persist-credentials: false}\n      - run: make test\n", "    uses: some/repo/.github/workflows/x.yml@v1\n    secrets: inherit\n"), []string{"unpinned-action low 6", "secrets-inherit low 7"}},

		{"all secrets", step("run: x\n        env: {A: '${{ toJSON(secrets) }}'}"), []string{"overprovisioned-secrets medium 12"}},
		{"one secret", step("run: x\n        env: {A: '${{ secrets.A }}'}"), nil},
		{"token left", swap("        with: {persist-credentials: false}\n", ""), []string{"artipacked low 8"}},
		{"cache of a release", strings.Replace(step("uses: actions/setup-go@v5"), "on: push", "on: {release: {types: [published]}}", 1), []string{"cache-poisoning low 11"}},
		{"cache of a tag", strings.Replace(step("uses: actions/cache@v4"), "on: push", "on: {push: {tags: ['v*']}}", 1), []string{"cache-poisoning low 11"}},
		{"cache off", strings.Replace(step("uses: actions/setup-go@v5\n        with: {cache: false}"), "on: push", "on: release", 1), nil},
		{"cache of a push", step("uses: actions/cache@v4"), nil},
		{"own runner", swap("ubuntu-latest", "[self-hosted, linux]"), []string{"self-hosted-runner medium 6"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			repo := review.Repo{Owner: "acme", Name: "app"}
			got := strictly(t, at(review.Head, tt.text), repo, changed(tt.text))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if tt.name == "own runner" {
				if got := strictly(t, at(review.Head, tt.text), review.Repo{Owner: "acme", Private: true}, changed(tt.text)); len(got) != 0 {
					t.Errorf("in a private repository: %v", got)
				}
			}
			// All of it stood before, on other lines.
			moved := "# moved\n" + tt.text
			both := sides{review.Head: {path: moved}, review.Base: {path: tt.text}}
			if got := strictly(t, both, repo, changed(moved)); len(got) != 0 {
				t.Errorf("it only moved: %v", got)
			}
		})
	}
}

// TestAuditFromAfar holds that a trigger that makes steps dangerous is spoken
// of, though the steps were there.
func TestAuditFromAfar(t *testing.T) {
	was := strings.Replace(hardened, "{persist-credentials: false}", "{persist-credentials: false, ref: '${{ github.event.pull_request.head.sha }}'}", 1)
	now := strings.Replace(was, "on: push", "on: pull_request_target", 1)
	both := sides{review.Head: {path: now}, review.Base: {path: was}}
	if d := cmp.Diff([]string{"dangerous-checkout critical 0"}, strictly(t, both, review.Repo{}, changed(now, 2))); d != "" {
		t.Error(d)
	}
	both[review.Base][path] = "outage"
	if got := strictly(t, both, review.Repo{}, changed(now, 2)); len(got) != 0 {
		t.Errorf("with a base that is not known: %v", got)
	}
}

func TestBumpIsNotRepeated(t *testing.T) {
	was := hardened + "      - uses: some/action@v1\n"
	now := hardened + "      - uses: some/action@v2\n"
	both := sides{review.Head: {path: now}, review.Base: {path: was}}
	if got := strictly(t, both, review.Repo{}, changed(now, 11)); len(got) != 0 {
		t.Errorf("a newer version of what was not pinned: %v", got)
	}
}

// TestActionlintMoved holds that what actionlint said of a line before is not
// said again when the line moves.
func TestActionlintMoved(t *testing.T) {
	was := good + "      - run: echo ${{ github.event.issue.title }}\n"
	now := "# moved\n" + was
	both := sides{review.Head: {path: now}, review.Base: {path: was}}
	if out := run(t, both, changed(now)); len(out.Findings) != 0 {
		t.Errorf("it only moved: %+v", out.Findings)
	}
	twice := now + "      - run: echo ${{ github.event.issue.title }}\n"
	both[review.Head][path] = twice
	if out := run(t, both, changed(twice)); len(out.Findings) != 1 {
		t.Errorf("a second one: %+v", out.Findings)
	}
}

func TestActions(t *testing.T) {
	text := "name: x\ninputs: {a: {}}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.a }}\n      shell: bash\n    - run: echo ${{ github.head_ref }}\n      shell: bash\n    - uses: some/action@v1\n"
	for _, p := range []string{"action.yml", "sub/dir/action.yaml"} {
		f := changed(text)
		f.Path = p
		got := strictly(t, sides{review.Head: {p: text}}, review.Repo{}, f)
		if d := cmp.Diff([]string{"input-injection medium 6", "template-injection high 8", "unpinned-action low 10"}, got); d != "" {
			t.Error(d)
		}
	}
	other := "runs:\n  using: node20\n  main: x.js\n"
	f := changed(other)
	f.Path = "action.yml"
	if got := strictly(t, sides{review.Head: {"action.yml": other}}, review.Repo{}, f); len(got) != 0 {
		t.Errorf("an action of JavaScript: %v", got)
	}
}
