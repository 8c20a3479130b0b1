package workflows

import (
	"assay/agents"
	"assay/review"
)

// auditRules are the rules on security that actionlint does not have. They
// follow zizmor's definitions, whose pages they link to.
func auditRules() []agents.Rule {
	const (
		zizmor = "https://docs.zizmor.sh/audits/#"
		quiet  = review.ProfileQuiet
		std    = review.ProfileStandard
		strict = review.ProfileStrict
	)
	rule := func(id string, severity review.Severity, profile review.Profile, help string, words ...string) agents.Rule {
		return agents.Rule{
			ID: Name + "/" + id, Severity: severity, Category: review.Security, Profile: profile, HelpURL: help,
			What: words[0], Why: words[1], Fix: words[2], Example: words[3],
		}
	}
	return []agents.Rule{
		rule("dangerous-checkout", review.Critical, quiet, zizmor+"dangerous-triggers",
			"A workflow with the repository's rights gets the code of a pull request.", "Whoever opens a pull request can run code with the repository's token and secrets.",
			"Use the event pull_request, or split the workflow: one without rights builds, another reads its result as data.",
			"bad:\non: pull_request_target\n…\n- uses: actions/checkout@v4\n  with: {ref: ${{ github.event.pull_request.head.sha }}}\n- run: make test\ngood:\non: pull_request\n…\n- uses: actions/checkout@v4\n- run: make test"),
		rule("template-injection", review.High, quiet, zizmor+"template-injection",
			"Text that strangers write is put into a script, in an action or where actionlint does not look.", "Whoever opens an issue or a pull request can run commands with the workflow's token and secrets.",
			"Pass it through an environment variable and quote the variable.",
			"bad:\nrun: echo ${{ github.event.workflow_run.head_branch }}\ngood:\nenv: {BRANCH: ${{ github.event.workflow_run.head_branch }}}\nrun: echo \"$BRANCH\""),
		rule("github-env", review.High, quiet, zizmor+"github-env",
			"A workflow that strangers set off writes to GITHUB_ENV or GITHUB_PATH what they may choose.", "Variables such as LD_PRELOAD make the steps after it run other code.",
			"Use the output of a step, or check the value.", "bad:\nrun: echo \"TITLE=$(cat title)\" >> $GITHUB_ENV\ngood:\nrun: echo \"title=$(tr -cd a-z0-9 < title)\" >> $GITHUB_OUTPUT"),
		rule("insecure-commands", review.High, quiet, zizmor+"insecure-commands",
			"Commands that GitHub turned off for being unsafe are turned on again.", "Whatever a step prints can set variables and the path of the steps after it.",
			"Write to the files $GITHUB_ENV and $GITHUB_PATH.", "bad:\nenv: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true}\ngood:\nrun: echo \"A=b\" >> $GITHUB_ENV"),
		rule("excessive-permissions", review.Medium, std, zizmor+"excessive-permissions",
			"The token of a workflow may write everything.", "An action or a dependency that turns bad can change code, releases and packages.",
			"Name the permissions that each job needs.", "bad:\npermissions: write-all\ngood:\npermissions: {contents: read}"),
		rule("missing-permissions", review.Low, std, zizmor+"excessive-permissions",
			"A workflow does not say what its token may do.", "It has the repository's default, which may be to write everything.",
			"Add permissions, as contents: read, at the top or to each job.", "bad:\non: push\njobs: …\ngood:\non: push\npermissions: {contents: read}\njobs: …"),
		rule("unpinned-action", review.Low, std, zizmor+"unpinned-uses",
			"An action or a reusable workflow of somebody else is used by a tag or a branch.", "Its owner, or whoever takes the account over, can change it at any time. It happened to tj-actions/changed-files.",
			"Pin it to the full SHA of a commit, with the version in a comment, and let Dependabot keep it up to date. Actions of GitHub's own and of the repository's owner are not asked for.",
			"bad:\nuses: some/action@v2\ngood:\nuses: some/action@11bd71901bbe5b1630ceea73d27597364c9af683 # v2.1.0"),
		rule("unpinned-image", review.Low, std, zizmor+"unpinned-images",
			"An image is used as an action without a digest.", "Its owner can change it at any time.", "Pin it to a digest.", "bad:\nuses: docker://alpine:3\ngood:\nuses: docker://alpine@sha256:…"),
		rule("input-injection", review.Medium, std, zizmor+"template-injection",
			"An input of an action becomes a part of a script.", "A workflow that passes a stranger's text lets them run commands.",
			"Pass it through an environment variable and quote the variable.", "bad:\nrun: build ${{ inputs.target }}\ngood:\nenv: {TARGET: ${{ inputs.target }}}\nrun: build \"$TARGET\""),
		rule("overprovisioned-secrets", review.Medium, std, zizmor+"overprovisioned-secrets",
			"A step is handed every secret there is.", "One that leaks them leaks them all, and GitHub cannot mask them well.", "Name the secrets that it needs.",
			"bad:\nenv: {ALL: ${{ toJSON(secrets) }}}\ngood:\nenv: {TOKEN: ${{ secrets.DEPLOY_TOKEN }}}"),
		rule("secrets-inherit", review.Low, strict, zizmor+"secrets-inherit",
			"A reusable workflow is given every secret there is.", "It needs some of them at most.", "Name the secrets that it needs.", "bad:\nsecrets: inherit\ngood:\nsecrets: {token: ${{ secrets.DEPLOY_TOKEN }}}"),
		rule("artipacked", review.Low, strict, zizmor+"artipacked",
			"A checkout leaves the token in the directory.", "Every later step can read it, and an artifact of the directory publishes it.", "Set persist-credentials: false where nothing is pushed.",
			"bad:\n- uses: actions/checkout@v4\ngood:\n- uses: actions/checkout@v4\n  with: {persist-credentials: false}"),
		rule("cache-poisoning", review.Low, strict, zizmor+"cache-poisoning",
			"A workflow that publishes uses a cache that others can write.", "Code from elsewhere can come into the release.", "Turn the cache off for releases.",
			"bad:\non: release\n…\n- uses: actions/setup-go@v5\ngood:\n- uses: actions/setup-go@v5\n  with: {cache: false}"),
		rule("self-hosted-runner", review.Medium, strict, zizmor+"self-hosted-runner",
			"A public repository runs on a runner of its owner's.", "Whoever gets a pull request to run can take the machine over, and what else runs there.", "Use GitHub's runners, or ones that live for one job.",
			"bad:\nruns-on: self-hosted\ngood:\nruns-on: ubuntu-latest"),
	}
}
