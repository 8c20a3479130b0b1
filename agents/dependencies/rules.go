package dependencies

import (
	"assay/agents"
	"assay/review"
)

// The rules.
const (
	ruleVulnerable = Name + "/known-vulnerability"
	ruleMalicious  = Name + "/malicious-package"
	ruleTyposquat  = Name + "/typosquat"
	ruleLicence    = Name + "/licence"
	ruleOutOfStep  = Name + "/lockfile-out-of-step"
	ruleDowngrade  = Name + "/downgrade"
	ruleUnpinned   = Name + "/unpinned-source"
	ruleScript     = Name + "/install-script"
)

// Rules describes the agent's rules. The severity of known-vulnerability is
// that of the worst advisory; here stands the one where none tells.
func Rules() []agents.Rule {
	return []agents.Rule{
		{
			ID: ruleVulnerable, Severity: review.Medium, Category: review.Security, Profile: review.ProfileQuiet,
			What: "A version with known vulnerabilities is brought in.",
			Why:  "How to attack it is published; scanners and attackers find it without effort.",
			Fix:  "Use a version in which they are fixed, or another package where there is none.", HelpURL: "https://osv.dev/",
		},
		{
			ID: ruleMalicious, Severity: review.Critical, Category: review.Security, Profile: review.ProfileQuiet,
			What: "A package that is known to be malicious is brought in.",
			Why:  "Installing it is enough to run an attacker's code, on developers' machines and in CI.",
			Fix:  "Do not merge or install it. Where it was installed, treat the machine and its secrets as stolen.", HelpURL: "https://github.com/ossf/malicious-packages",
		},
		{
			ID: ruleTyposquat, Severity: review.Medium, Category: review.Security, Profile: review.ProfileQuiet,
			What: "A new dependency has nearly the name of a popular package.",
			Why:  "Attackers publish packages under names that are easily mistyped.",
			Fix:  "Check the name. If it is the one that is meant, dismiss the finding with that reason.", HelpURL: "https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-03-Dependency-Chain-Abuse",
		},
		{
			ID: ruleLicence, Severity: review.Medium, Category: review.Process, Profile: review.ProfileQuiet,
			What: "A dependency has a licence that the team does not allow.",
			Why:  "Its terms then hold for what is shipped with it.",
			Fix:  "Use another package, or add the licence to allow_licenses.", HelpURL: "https://spdx.org/licenses/",
		},
		{
			ID: ruleOutOfStep, Severity: review.Medium, Category: review.Correctness, Profile: review.ProfileQuiet,
			What: "The lock file does not hold what the manifest asks for.",
			Why:  "Installing from the lock file fails in CI, or installs what nobody has tested.",
			Fix:  "Let the package manager bring the lock file up to date, and commit it.",
		},
		{
			ID: ruleDowngrade, Severity: review.Low, Category: review.Maintainability, Profile: review.ProfileStandard,
			What: "A dependency goes back to an older version.",
			Why:  "Mostly that happens in a merge, and takes fixes away that were there.",
			Fix:  "Keep the newer version, or say why the older one is needed.",
		},
		{
			ID: ruleUnpinned, Severity: review.Low, Category: review.Security, Profile: review.ProfileStandard,
			What: "A dependency comes from a place that can change what it serves.",
			Why:  "What is installed tomorrow need not be what was reviewed today.",
			Fix:  "Use a release from the registry, or name the full hash of a commit, over https.",
		},
		{
			ID: ruleScript, Severity: review.Low, Category: review.Security, Profile: review.ProfileStandard,
			What: "A new package runs code when it is installed.",
			Why:  "Install scripts are how most malicious packages start.",
			Fix:  "Look at what the script does, or install with scripts off.", HelpURL: "https://docs.npmjs.com/cli/using-npm/scripts#life-cycle-scripts",
		},
	}
}

// speaks reports whether the rule is to be heard: its profile is in force, or
// the config names it.
func (a *Agent) speaks(rule string, p review.Policy) bool {
	if s, named := p.Severities[rule]; named {
		return s != review.SeverityNone
	}
	return rank(a.rules[rule].Profile) <= rank(p.Profile)
}

func rank(p review.Profile) int {
	switch p {
	case review.ProfileStrict:
		return 2
	case review.ProfileStandard:
		return 1
	default:
		return 0
	}
}
