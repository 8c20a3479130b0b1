package review

import "time"

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
