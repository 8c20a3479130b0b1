package pipeline

import (
	"context"

	"assay/internal/store"
	"assay/review"
)

// handler acts on a delivery of an event, and leaves it finished.
type handler func(*Pipeline, context.Context, store.Delivery, review.Event) error

// handlers say what each event leads to. Every event that webhook accepts is
// here; it has checked that the event has what it is about.
var handlers = map[string]handler{
	"pull_request.opened":             (*Pipeline).pushed,
	"pull_request.reopened":           (*Pipeline).pushed,
	"pull_request.synchronize":        (*Pipeline).pushed,
	"pull_request.ready_for_review":   (*Pipeline).pushed,
	"pull_request.converted_to_draft": (*Pipeline).told,
	"pull_request.edited":             (*Pipeline).told,
	"pull_request.labeled":            (*Pipeline).told,
	"pull_request.unlabeled":          (*Pipeline).told,
	"pull_request.closed":             (*Pipeline).closed,
	"pull_request_review.submitted":   (*Pipeline).told,
	"pull_request_review.dismissed":   (*Pipeline).told,

	"check_suite.requested":      (*Pipeline).requested,
	"check_suite.rerequested":    (*Pipeline).requested,
	"check_suite.completed":      (*Pipeline).completed,
	"check_run.rerequested":      (*Pipeline).requested,
	"check_run.requested_action": (*Pipeline).requested,

	"merge_group.checks_requested": (*Pipeline).grouped,
	"push":                         (*Pipeline).branchPushed,
	"issues.opened":                (*Pipeline).issueOpened,
	"issue_comment.created":        (*Pipeline).commented,

	"installation.created":                  (*Pipeline).installed,
	"installation.unsuspend":                (*Pipeline).installed,
	"installation.new_permissions_accepted": (*Pipeline).installed,
	"installation.suspend":                  (*Pipeline).suspended,
	"installation.deleted":                  (*Pipeline).uninstalled,
	"installation_repositories.added":       (*Pipeline).repositoriesAdded,
	"installation_repositories.removed":     (*Pipeline).repositoriesRemoved,
	"repository.renamed":                    (*Pipeline).repositoryNamed,
	"repository.transferred":                (*Pipeline).repositoryNamed,
	"repository.unarchived":                 (*Pipeline).repositoryNamed,
	"repository.archived":                   (*Pipeline).repositoryGone,
	"repository.deleted":                    (*Pipeline).repositoryGone,
}

// isFact reports whether the event tells something new about a head that may
// have been reviewed already; see queue.Opening. The others are about a head
// that is new, or ask for another attempt outright.
func isFact(ev review.Event) bool {
	switch ev.String() {
	case "pull_request.converted_to_draft", "pull_request.edited", "pull_request.labeled", "pull_request.unlabeled", "pull_request.closed",
		"pull_request_review.submitted", "pull_request_review.dismissed", "check_suite.completed", "check_run.requested_action":
		return true
	}
	return false
}
