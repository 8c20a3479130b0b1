package repohealth

import (
	"assay/agents"
	"assay/review"
)

// Name is the agent's name.
const Name = "repo-health"

// The rules.
const (
	ruleReadmeMissing   = Name + "/readme-missing"
	ruleReadmeStub      = Name + "/readme-stub"
	ruleLicense         = Name + "/license-missing"
	ruleSecurity        = Name + "/security-policy-missing"
	ruleOwnersSyntax    = Name + "/codeowners-syntax"
	ruleOwnersLarge     = Name + "/codeowners-too-large"
	ruleOwnersUnmatched = Name + "/codeowners-unmatched"
	ruleUnprotected     = Name + "/branch-unprotected"
	ruleNoChecks        = Name + "/no-required-checks"
	ruleNoCI            = Name + "/no-ci"
	ruleNoUpdates       = Name + "/no-update-config"
	ruleIgnoreMissing   = Name + "/gitignore-missing"
	ruleLockOrphan      = Name + "/lock-without-manifest"
	ruleLockRivals      = Name + "/rival-lock-files"
	ruleLarge           = Name + "/large-file"
	ruleHuge            = Name + "/huge-file"
	ruleBinary          = Name + "/compiled-binary"
	ruleJunk            = Name + "/junk-tracked"
	ruleLink            = Name + "/broken-symlink"
	ruleCase            = Name + "/case-collision"
)

// Rules describes the agent's rules. Quiet holds what is broken whatever the
// team's ways are; what is merely missing, and may be missed on purpose or kept
// elsewhere (an organisation's .github repository), is standard.
func Rules() []agents.Rule {
	const (
		quiet    = review.ProfileQuiet
		standard = review.ProfileStandard
	)
	return []agents.Rule{
		{
			ID: ruleReadmeMissing, Severity: review.Low, Category: review.Maintainability, Profile: quiet, What: "The repository has no README.",
			Why: "Nobody learns from it what it is for and how to use it.", Fix: "Add a README.md that says both.", HelpURL: readmeHelp,
		},
		{
			ID: ruleReadmeStub, Severity: review.Info, Category: review.Maintainability, Profile: standard, What: "The README says next to nothing.",
			Why: "It is the first and often the only page that people read.", Fix: "Say what the project is for, how to use it and how to work on it.", HelpURL: readmeHelp,
		},
		{
			ID: ruleLicense, Severity: review.Low, Category: review.Process, Profile: quiet, What: "A public repository has no licence.",
			Why: "Without one nobody else may use, change or share it.", Fix: "Add a LICENSE file.", HelpURL: "https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/licensing-a-repository",
		},
		{
			ID: ruleSecurity, Severity: review.Info, Category: review.Security, Profile: standard, What: "A public repository has no security policy.",
			Why: "Who finds a vulnerability does not know whom to tell, and tells everybody.", Fix: "Add a SECURITY.md with a private way to report.", HelpURL: "https://docs.github.com/code-security/getting-started/adding-a-security-policy-to-your-repository",
		},
		{
			ID: ruleOwnersSyntax, Severity: review.Medium, Category: review.Process, Profile: quiet, What: "A line of CODEOWNERS cannot be read.",
			Why: "GitHub skips it without a word, and nobody is asked for the reviews it should bring.", Fix: "Mend the line.", HelpURL: ownersHelp,
		},
		{
			ID: ruleOwnersLarge, Severity: review.Medium, Category: review.Process, Profile: quiet, What: "CODEOWNERS is over 3 MB.",
			Why: "GitHub does not load it, so nobody owns anything.", Fix: "Fold lines into patterns.", HelpURL: ownersHelp,
		},
		{
			ID: ruleOwnersUnmatched, Severity: review.Info, Category: review.Maintainability, Profile: standard, What: "A pattern of CODEOWNERS matches no file.",
			Why: "What it was for has moved and is owned by nobody, or by others.", Fix: "Change the pattern, or remove the line.", HelpURL: ownersHelp,
		},
		{
			ID: ruleUnprotected, Severity: review.Medium, Category: review.Security, Profile: standard, What: "The default branch is not protected.",
			Why: "Anybody who may write can push to it unreviewed, rewrite it or delete it.", Fix: "Add a ruleset or a protection rule for it.", HelpURL: protectionHelp,
		},
		{
			ID: ruleNoChecks, Severity: review.Low, Category: review.Process, Profile: standard, What: "The default branch demands no check.",
			Why: "A change can be merged while its tests fail.", Fix: "Require the checks that every change must pass.", HelpURL: protectionHelp,
		},
		{
			ID: ruleNoCI, Severity: review.Low, Category: review.Process, Profile: standard, What: "The repository holds code, but nothing that builds or tests it.",
			Why: "Whether a change works is known only to who tries it.", Fix: "Add a workflow that builds the code and runs its tests.", HelpURL: "https://docs.github.com/actions/quickstart",
		},
		{
			ID: ruleNoUpdates, Severity: review.Info, Category: review.Security, Profile: standard, What: "Nothing keeps the dependencies up to date.",
			Why: "Known vulnerabilities stay until somebody remembers to look.", Fix: "Add .github/dependabot.yml, or set up Renovate.", HelpURL: "https://docs.github.com/code-security/dependabot/dependabot-version-updates",
		},
		{
			ID: ruleIgnoreMissing, Severity: review.Info, Category: review.Maintainability, Profile: standard, What: "There is no .gitignore, though building the project leaves files behind.",
			Why: "Sooner or later they are committed.", Fix: "Add a .gitignore for the language.", HelpURL: "https://docs.github.com/get-started/git-basics/ignoring-files",
		},
		{
			ID: ruleLockOrphan, Severity: review.Low, Category: review.Maintainability, Profile: quiet, What: "A lock file stands without its manifest.",
			Why: "No tool keeps it up to date, and scanners report vulnerabilities of what is not used.", Fix: "Remove it, or put the manifest back.",
		},
		{
			ID: ruleLockRivals, Severity: review.Low, Category: review.Maintainability, Profile: standard, What: "Lock files of several package managers stand side by side.",
			Why: "Only one is kept up to date; who uses the other gets old versions.", Fix: "Keep the one of the manager that the project uses.",
		},
		{
			ID: ruleHuge, Severity: review.Low, Category: review.Maintainability, Profile: quiet, What: "A file is over 50 MiB, of which GitHub warns.",
			Why: "Every clone downloads it, and over 100 MiB GitHub refuses the push.", Fix: "Keep it elsewhere, or in Git LFS.", HelpURL: largeHelp,
		},
		{
			ID: ruleLarge, Severity: review.Info, Category: review.Maintainability, Profile: standard, What: "A file is over 10 MiB.",
			Why: "Every clone downloads it and each of its versions.", Fix: "Keep it elsewhere, or in Git LFS.", HelpURL: largeHelp,
		},
		{
			ID: ruleBinary, Severity: review.Low, Category: review.Security, Profile: standard, What: "Compiled code is tracked.",
			Why: "Nobody can review it, and it soon differs from its source.", Fix: "Build it where it is needed, or publish it as a release or a package.",
		},
		{
			ID: ruleJunk, Severity: review.Low, Category: review.Maintainability, Profile: quiet, What: "Files that a tool or an operating system leaves behind are tracked.",
			Why: "They are of no use to others and change without reason.", Fix: "Remove them from git and add them to .gitignore.",
		},
		{
			ID: ruleLink, Severity: review.Low, Category: review.Correctness, Profile: quiet, What: "A symbolic link leads to nothing.",
			Why: "Whatever opens it fails.", Fix: "Point it at what was meant, or remove it.",
		},
		{
			ID: ruleCase, Severity: review.Medium, Category: review.Correctness, Profile: quiet, What: "Two paths differ in nothing but case.",
			Why: "On Windows and macOS only one of the two can exist, and git shows changes that nobody made.", Fix: "Rename one of them.",
		},
	}
}

const (
	readmeHelp     = "https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-readmes"
	ownersHelp     = "https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners"
	protectionHelp = "https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches"
	// GitHub warns of files over 50 MiB and refuses those over 100 MiB.
	largeHelp = "https://docs.github.com/repositories/working-with-files/managing-large-files/about-large-files-on-github"
)
