package review

import (
	"strings"
	"time"
)

// Event is what a delivery says happened, read from GitHub's payload into the
// few facts that Assay acts on.
type Event struct {
	// Delivery is the GUID of the delivery (X-GitHub-Delivery).
	Delivery string `json:"delivery"`
	// Name and Action together name the event: "pull_request", "opened".
	Name   string `json:"name"`
	Action string `json:"action,omitempty"`
	// Installation is the ID of the app's installation; 0 when the payload has
	// none.
	Installation int64 `json:"installation,omitempty"`
	Repo         Repo  `json:"repo"`
	Sender       Actor `json:"sender"`
	// Pull is the pull request as the payload tells it; nil when the event has
	// none. Its facts are as old as the payload.
	Pull *Pull `json:"pull,omitempty"`
	// PullUpdatedAt orders events of one pull request; zero when not known.
	PullUpdatedAt time.Time `json:"pull_updated_at,omitzero"`
	// Retargeted says that the event gave the pull request another base branch.
	Retargeted bool `json:"retargeted,omitempty"`
	// Check is the check run or suite that a check_run or check_suite event is
	// about; nil otherwise.
	Check *Check `json:"check,omitempty"`
	// Edited are the fields that pull_request.edited changed, of "title",
	// "body" and "base".
	Edited []string `json:"edited,omitempty"`
	// Label is the label that was put on or taken off.
	Label string `json:"label,omitempty"`
	// Comment is the comment of an issue_comment event; nil otherwise.
	Comment *PullComment `json:"comment,omitempty"`
	// Issue is the issue of an issues event; nil otherwise.
	Issue *Issue `json:"issue,omitempty"`
	// Commits are the commits of a push or of a merge group; nil otherwise.
	Commits *Commits `json:"commits,omitempty"`
	// Installed is what an installation or installation_repositories event
	// tells; nil otherwise.
	Installed *Installed `json:"installed,omitempty"`
	// Schedule is the name of a schedule that is due, for schedule.<name>.
	Schedule string `json:"schedule,omitempty"`
	// Asked is what manual.run or repository.health_check is to run on; nil
	// otherwise.
	Asked *Asked `json:"asked,omitempty"`
}

// Asked is what somebody asks for by hand: a pull request, or a branch as a
// whole.
type Asked struct {
	// Number is that of a pull request; 0 for none.
	Number int `json:"pull,omitempty"`
	// Ref is a branch, without "refs/heads/"; the default branch when empty.
	Ref string `json:"ref,omitempty"`
	// Pipeline is the one pipeline to run; empty for those that listen.
	Pipeline string `json:"pipeline,omitempty"`
}

// PullComment is a comment on an issue or a pull request.
type PullComment struct {
	ID     int64  `json:"id"`
	Body   string `json:"body"`
	Author Actor  `json:"author"`
	// Number is that of the issue or pull request; OnPull tells which it is.
	Number int  `json:"number"`
	OnPull bool `json:"on_pull,omitempty"`
}

// Issue is an issue on GitHub.
type Issue struct {
	Number int      `json:"number"`
	Title  string   `json:"title"`
	Body   string   `json:"body,omitempty"`
	Author Actor    `json:"author"`
	Labels []string `json:"labels,omitempty"`
}

// Commits are a range of commits, from Base (excluded) to Head.
type Commits struct {
	// Ref is the full name of the ref, as "refs/heads/main".
	Ref string `json:"ref"`
	// BaseRef is the full name of the branch that a merge group goes to; empty
	// for a push.
	BaseRef string `json:"base_ref,omitempty"`
	// BaseSHA is all zeros where a push made the ref, HeadSHA where it deleted
	// it.
	BaseSHA string `json:"base_sha"`
	HeadSHA string `json:"head_sha"`
}

// Creates reports whether the ref was made: there was nothing before.
func (c Commits) Creates() bool { return strings.Trim(c.BaseSHA, "0") == "" }

// Deletes reports whether the ref was deleted: there is nothing any more.
func (c Commits) Deletes() bool { return strings.Trim(c.HeadSHA, "0") == "" }

// Installed is what became of an installation of the app.
type Installed struct {
	Account Actor `json:"account"`
	// UpdatedAt orders events of one installation; zero when not known.
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// Suspended says that the app may do nothing for now.
	Suspended bool `json:"suspended,omitempty"`
	// All says that the app was given all repositories of the account.
	All bool `json:"all,omitempty"`
	// Added and Removed are the repositories that the event names.
	Added   []Repo `json:"added,omitempty"`
	Removed []Repo `json:"removed,omitempty"`
}

// Check identifies a check run or a check suite on GitHub.
type Check struct {
	ID         int64  `json:"id"`
	Name       string `json:"name,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	HeadSHA    string `json:"head_sha"`
	AppID      int64  `json:"app_id,omitempty"`
	// Pulls are the numbers of the pull requests that GitHub names; empty for
	// forks.
	Pulls []int `json:"pulls,omitempty"`
	// RequestedAction is the identifier of the button that was pressed.
	RequestedAction string `json:"requested_action,omitempty"`
}

// String is "name.action", or the name alone where the event has no action.
func (e Event) String() string {
	if e.Action == "" {
		return e.Name
	}
	return e.Name + "." + e.Action
}
