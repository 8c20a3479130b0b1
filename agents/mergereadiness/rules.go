package mergereadiness

import (
	"assay/agents"
	"assay/review"
)

// Name is the agent's name.
const Name = "merge-readiness"

// The rules.
const (
	ruleCheckFailed   = Name + "/check-failed"
	ruleCheckPending  = Name + "/check-pending"
	ruleReviewRefused = Name + "/changes-requested"
	ruleReviewMissing = Name + "/review-missing"
	ruleConversations = Name + "/unresolved-conversations"
	ruleConflicts     = Name + "/conflicts"
	ruleBaseOld       = Name + "/base-old"
	ruleDraft         = Name + "/draft"
	ruleUnfinished    = Name + "/unfinished"
	ruleLabel         = Name + "/blocking-label"
)

// Rules describes the agent's rules. They speak in every profile: who asks
// whether a pull request is ready wants the whole answer.
//
// The severity says whose turn it is, so that a gate can be built on it. High
// is a no: something failed or somebody refused, and the author must act; the
// usual gate (high) then fails. Medium is something that is still waited for;
// a gate on medium is green for what is ready and for nothing else. Low is a
// remark on what can be merged as it is.
func Rules() []agents.Rule {
	rule := func(id string, severity review.Severity, what, why, fix, help string) agents.Rule {
		return agents.Rule{ID: id, Severity: severity, Category: review.Process, What: what, Why: why, Fix: fix, HelpURL: help}
	}
	return []agents.Rule{
		rule(ruleCheckFailed, review.High, "A check has failed that must pass.",
			"The change does not do what the team demands of every change.", "See the check's log, and mend the change or run the check again.", checksHelp),
		rule(ruleCheckPending, review.Medium, "A check that must pass has not finished.",
			"Its result is not known yet.", "Wait for it, or start it if it never ran.", checksHelp),
		rule(ruleReviewRefused, review.High, "A reviewer has requested changes.",
			"Somebody who read the change says that it should not be merged as it is.", "Answer the review and ask for another one.", reviewsHelp),
		rule(ruleReviewMissing, review.Medium, "An approving review is missing.",
			"The team demands that somebody else reads every change.", "Ask for a review.", reviewsHelp),
		rule(ruleConversations, review.Medium, "Conversations are not resolved.",
			"A question or an objection has had no answer that settles it.", "Answer and resolve them.", ""),
		rule(ruleConflicts, review.High, "The change conflicts with its base branch.",
			"It cannot be merged.", "Merge or rebase onto the base branch and resolve the conflicts.", conflictsHelp),
		rule(ruleBaseOld, review.Low, "The change is built on an old state of its base branch.",
			"It was tested with code that has changed since, and may break it though nothing conflicts.", "Merge or rebase onto the base branch.", ""),
		rule(ruleDraft, review.Medium, "The pull request is a draft.",
			"Its author says that it is not finished, and GitHub does not merge drafts.", "Mark it as ready for review.", ""),
		rule(ruleUnfinished, review.Medium, "The title or the description says that it is not to be merged yet.",
			"Its author says that it is not finished.", "Finish the work, then change the text.", ""),
		rule(ruleLabel, review.Medium, "A label says that it is not to be merged yet.",
			"Somebody has put it on hold.", "Take the label off when what it waits for is done.", ""),
	}
}

const (
	checksHelp    = "https://docs.github.com/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/about-status-checks"
	reviewsHelp   = "https://docs.github.com/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/about-pull-request-reviews"
	conflictsHelp = "https://docs.github.com/pull-requests/collaborating-with-pull-requests/addressing-merge-conflicts/about-merge-conflicts"
)
