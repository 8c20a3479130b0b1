package webhook

import (
	"strings"

	"assay/review"
)

// subscription is a row of the table of events that are accepted.
type subscription struct {
	name, action string
	// repeatable is true for requests, which people may honestly repeat with
	// the same body, and false for facts, which happen once: the body of a
	// fact under a new GUID is a replay (the GUID is not signed).
	repeatable bool
}

// subscriptions is every event that Assay acts on. A new row is all it takes to
// have another event accepted; what is then done about it is decided by
// strategy and internal/pipeline.
var subscriptions = []subscription{
	{"pull_request", "opened", false},
	{"pull_request", "reopened", false},
	{"pull_request", "synchronize", false},
	{"pull_request", "ready_for_review", false},
	{"pull_request", "converted_to_draft", false},
	{"pull_request", "edited", false},
	{"pull_request", "labeled", false},
	{"pull_request", "unlabeled", false},
	{"pull_request", "closed", false},
	{"pull_request_review", "submitted", false},
	{"pull_request_review", "dismissed", false},
	{"check_suite", "requested", false},
	{"check_suite", "completed", false},
	{"check_suite", "rerequested", true},
	{"check_run", "rerequested", true},
	{"check_run", "requested_action", true},
	{"merge_group", "checks_requested", false},
	{"push", "", false},
	{"issues", "opened", false},
	{"issue_comment", "created", false},
	{"installation", "created", false},
	{"installation", "deleted", false},
	{"installation", "suspend", false},
	{"installation", "unsuspend", false},
	{"installation", "new_permissions_accepted", false},
	// A repository that is added, removed and added again says the same twice:
	// these bodies have no time of their own.
	{"installation_repositories", "added", true},
	{"installation_repositories", "removed", true},
	{"repository", "renamed", false},
	{"repository", "transferred", false},
	{"repository", "archived", false},
	{"repository", "unarchived", false},
	{"repository", "deleted", false},
}

// Events are the names of all events that are accepted, as review.Event.String
// has them.
func Events() []string {
	names := make([]string, len(subscriptions))
	for i, s := range subscriptions {
		names[i] = review.Event{Name: s.name, Action: s.action}.String()
	}
	return names
}

// Subscribed reports whether deliveries of the event are accepted; all others
// are answered as ignored.
func Subscribed(name, action string) bool {
	_, ok := find(name, action)
	return ok
}

// Repeatable reports whether an event may honestly come twice with the same
// body: it is a request, and only its GUID tells it from another. Events that
// state a fact are not, nor are unknown ones.
func Repeatable(name, action string) bool {
	s, _ := find(name, action)
	return s.repeatable
}

func find(name, action string) (subscription, bool) {
	for _, s := range subscriptions {
		if s.name == name && s.action == action {
			return s, true
		}
	}
	return subscription{}, false
}

// Wanted reports whether a delivery of the event would be acted on: it is
// subscribed to, and not talk or a push to a branch that is somebody's work.
func Wanted(ev review.Event) bool { return Subscribed(ev.Name, ev.Action) && wanted(ev) }

// wanted reports whether a subscribed event is worth keeping. Most pushes are to
// branches whose pull requests tell of them, and most comments are talk.
func wanted(ev review.Event) bool {
	switch ev.String() {
	case "pull_request.edited":
		return len(ev.Edited) > 0
	case "push":
		branch, ok := strings.CutPrefix(ev.Commits.Ref, branchPrefix)
		return ok && branch == ev.Repo.DefaultBranch && !ev.Commits.Deletes()
	case "issue_comment.created":
		c := ev.Comment
		return c.OnPull && !c.Author.Bot && !ev.Sender.Bot && len(Commands(c.Body)) > 0
	}
	return true
}

// branchPrefix begins the full name of a branch.
const branchPrefix = "refs/heads/"

// subscribedName reports whether any action of the event is subscribed to, so
// that the bodies of the other events need not be read at all.
func subscribedName(name string) bool {
	for _, s := range subscriptions {
		if s.name == name {
			return true
		}
	}
	return false
}
