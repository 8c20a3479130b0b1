package hygiene

import (
	"slices"

	"assay/agents"
	"assay/review"
)

// Rules describes the agent's rules.
func Rules() []agents.Rule {
	return slices.Concat(fileRules(), homoglyphRules(), focusedRules(), debugRules(), symlinkRules(), syntaxRules(), dockerRules(), misspellRules())
}

// fileRules are the rules about characters and about files as wholes.
func fileRules() []agents.Rule {
	return []agents.Rule{
		{
			ID: ruleConflict, Severity: review.High, Category: review.Correctness,
			What: "Markers of an unresolved merge conflict are added.",
			Why:  "The file holds both sides of a conflict, and most likely does not build.",
			Fix:  "Decide between the two sides and remove the markers.",
		},
		{
			ID: ruleBidi, Severity: review.High, Category: review.Security,
			What: "Characters that change the direction of text are added.",
			Why:  "Code can be made to read differently from what runs (Trojan Source, CVE-2021-42574).",
			Fix:  "Remove them, or write them as escapes.", HelpURL: trojanSource,
		},
		{
			ID: ruleInvisible, Severity: review.Medium, Category: review.Security,
			What: "Characters that cannot be seen are added.",
			Why:  "They make names and texts differ that look the same, and can hide instructions and code.",
			Fix:  "Remove them, or write them as escapes.", HelpURL: trojanSource,
		},
		{
			ID: ruleCompiled, Severity: review.Medium, Category: review.Security,
			What: "Compiled code is added.",
			Why:  "Nobody can review it, it grows the repository for ever, and it soon differs from its source.",
			Fix:  "Build it where it is needed, or publish it as a release or a package.",
		},
		{
			ID: ruleArchive, Severity: review.Low, Category: review.Maintainability,
			What: "An archive is added.",
			Why:  "Its contents cannot be reviewed and grow the repository with every version.",
			Fix:  "Commit the contents, or fetch the archive where it is needed and check its hash.",
		},
		{
			ID: ruleJunk, Severity: review.Low, Category: review.Maintainability,
			What: "A file that an editor, an operating system or a tool left behind is added.",
			Why:  "It is of no use to others and may tell of the author's machine.",
			Fix:  "Remove it and add its name to .gitignore.",
		},
		{
			ID: ruleTree, Severity: review.Medium, Category: review.Maintainability,
			What: "A directory of installed packages or build output is added.",
			Why:  "It buries the change, cannot be reviewed, and is made again by the package manager.",
			Fix:  "Remove it and add it to .gitignore.",
		},
		{
			ID: ruleHuge, Severity: review.Low, Category: review.Maintainability,
			What: "A very large file is added.",
			Why:  "Every clone downloads it for ever, even when it is removed later.",
			Fix:  "Keep it elsewhere, or in Git LFS.", HelpURL: largeFiles,
		},
		{
			ID: ruleCase, Severity: review.Medium, Category: review.Correctness,
			What: "Two paths differ in nothing but case.",
			Why:  "On Windows and macOS only one of the two can exist, and git shows changes that nobody made.",
			Fix:  "Rename one of them.",
		},
	}
}
